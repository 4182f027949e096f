"""Importing the package costs little beyond what LangChain's own chat model class costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


BASE = "from langchain_core.language_models import BaseChatModel"


def test_an_import_loads_only_its_own_modules() -> None:
    added = loaded_by(f"{BASE}\nimport langchain_monster") - loaded_by(BASE)
    assert not added & set(HEAVY)
    foreign = {name.partition(".")[0] for name in added}
    assert foreign <= {"langchain_monster", "monster_core", "langchain_core", "orjson", "pydantic"}


@pytest.mark.parametrize(
    "used",
    ["", "llm._get_ls_params()", "llm.get_num_tokens('Hi')", "llm.profile"],
    ids=["construction", "tracing", "counting", "profile"],
)
def test_what_needs_no_server_loads_no_transport(used: str) -> None:
    code = f"from langchain_monster import ChatMonster\nllm = ChatMonster(model='m')\n{used}"
    added = loaded_by(code) - loaded_by(BASE)  # LangSmith's client may load httpx by itself
    assert not added & {"httpx", "jsonschema", "monster_core.transport.client"}


def test_the_translator_is_registered_by_the_import() -> None:
    code = (
        "import langchain_monster\n"
        "from langchain_core.messages import AIMessage\n"
        "told = AIMessage('Hi', response_metadata={'model_provider': 'monster'}, "
        "additional_kwargs={'reasoning_content': 'hm'})\n"
        "assert [b['type'] for b in told.content_blocks] == ['reasoning', 'text']"
    )
    assert loaded_by(code)


def test_the_parts_of_the_package_are_there_without_being_imported_first() -> None:
    code = (
        "import langchain_monster\n"
        "assert not hasattr(langchain_monster, 'nonsense')\n"
        "assert {'ChatMonster', 'errors', 'chat_models'} <= set(dir(langchain_monster))\n"
        "assert langchain_monster.errors.RateLimitError\n"
        "assert langchain_monster.chat_models.ChatMonster is langchain_monster.ChatMonster"
    )
    assert loaded_by(code)
