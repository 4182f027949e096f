"""Importing the package costs little beyond what LangChain's own chat model class costs."""

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


def run(script: str) -> str:
    """Run a script in a process of its own, for nothing to be loaded yet."""
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_only_a_request_loads_the_transport() -> None:
    steps = [
        "import langchain_monster",
        "llm = langchain_monster.ChatMonster(model='m')",
        "llm._get_ls_params()",
        "llm.get_num_tokens('Hi')",
        "llm.profile",
    ]
    script = f"""
        import json, sys
        from langchain_core.language_models import BaseChatModel  # may load httpx by itself

        loaded, added = {{*sys.modules}}, {{}}
        for step in {steps}:
            exec(step)
            added[step] = [*{{*sys.modules}} - loaded]
        print(json.dumps(added))
    """
    added = json.loads(run(script))
    assert not {*added[steps[0]]} & {*HEAVY}
    foreign = {name.partition(".")[0] for name in added[steps[0]]}
    assert foreign <= {"langchain_monster", "monster_core", "langchain_core", "orjson", "pydantic"}
    for step in steps:
        assert not {*added[step]} & {"httpx", "jsonschema", "monster_core.transport.client"}, step


def test_the_parts_of_the_package_are_there_without_being_imported_first() -> None:
    run("""
        import langchain_monster
        assert not hasattr(langchain_monster, 'nonsense')
        assert {'ChatMonster', 'errors', 'chat_models'} <= set(dir(langchain_monster))
        assert langchain_monster.errors.RateLimitError
        assert langchain_monster.chat_models.ChatMonster is langchain_monster.ChatMonster
    """)


def test_the_translator_is_registered_by_the_import() -> None:
    run("""
        import langchain_monster
        from langchain_core.messages import AIMessage
        of_monster = {'model_provider': 'monster'}
        more = {'reasoning_content': 'hm'}
        told = AIMessage('Hi', response_metadata=of_monster, additional_kwargs=more)
        assert [b['type'] for b in told.content_blocks] == ['reasoning', 'text']
    """)
