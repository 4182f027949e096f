"""The package in a process of its own: what it loads, and what it says without LangChain."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

HEAVY = (
    "httpx",
    "jsonschema",
    "langchain_core.utils.function_calling",
    "monster_core.request.structured",
    "monster_core.json_schema",
    "monster_core.transport",
    "pydantic_settings",
    "tenacity.asyncio",
    "tiktoken",
    "transformers",
)
STEPS = [
    "import langchain_monster",
    "assert not hasattr(langchain_monster, 'nonsense')",
    "assert {'ChatMonster', 'errors', 'chat_models'} <= set(dir(langchain_monster))",
    "from langchain_core.messages import AIMessage",
    "said = {'additional_kwargs': {'reasoning_content': 'Hm.'}}",
    "answer = AIMessage('', response_metadata={'model_provider': 'monster'}, **said)",
    "assert [block['type'] for block in answer.content_blocks] == ['reasoning']",
    "assert langchain_monster.errors.RateLimitError",
    "llm = langchain_monster.chat_models.ChatMonster(model='m')",
    "assert type(llm) is langchain_monster.ChatMonster",
    "llm._get_ls_params()",
    "llm.get_num_tokens('Hi')",
    "llm.profile",
]


def run(script: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_only_a_request_loads_the_transport_and_each_part_is_there_when_it_is_named() -> None:
    script = f"""
        import json, sys
        from langchain_core.language_models import BaseChatModel  # may load httpx by itself

        loaded, added = {{*sys.modules}}, []
        for step in {STEPS}:
            exec(step)
            added.append([*{{*sys.modules}} - loaded])
        print(json.dumps(added))
    """
    added = json.loads(run(script))
    assert not {*added[0]} & {*HEAVY}
    foreign = {name.partition(".")[0] for name in added[0]}
    assert foreign <= {"langchain_monster", "monster_core", "langchain_core", "orjson", "pydantic"}
    for step, modules in zip(STEPS, added, strict=True):
        assert not {*modules} & {"httpx", "jsonschema", "monster_core.transport.client"}, step


def test_a_missing_langchain_is_named_with_the_extra_to_install() -> None:
    said = run("""
        import sys
        sys.modules['langchain_core'] = None
        try:
            import langchain_monster
        except ModuleNotFoundError as error:
            print(error.name, error)
    """)
    assert said.startswith("langchain_core")
    assert "pip install 'monsterapi-integrations[langchain]'" in said
