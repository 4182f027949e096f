"""What an instance was given holds for its tools and output, unless the call says otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.tools import FunctionTool

from llama_index_monster import MonsterLLM
from tests.recorded_endpoint import MODEL


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


TOOL = FunctionTool.from_defaults(add)


def prepared(llm: MonsterLLM, **given: Any) -> dict[str, Any]:
    return llm._prepare_chat_with_tools([TOOL], "I have 3 apples and 4 pears.", **given)


def test_a_tool_choice_that_is_not_given_leaves_the_instances() -> None:
    assert "tool_choice" not in prepared(MonsterLLM(MODEL, tool_choice="add"))


@pytest.mark.parametrize(
    "given, choice",
    [({"tool_choice": "none"}, "none"), ({"tool_required": True}, "required")],
    ids=["named", "required"],
)
def test_a_tool_choice_of_the_call_wins(given: dict[str, Any], choice: str) -> None:
    assert prepared(MonsterLLM(MODEL, tool_choice="add"), **given)["tool_choice"] == choice


def test_a_schema_of_the_call_takes_the_place_of_the_instances() -> None:
    llm = MonsterLLM(MODEL, guided_choice=["a", "b"])
    fields, _ = llm._request_fields({"guided_json": {"type": "object"}})
    assert "guided_choice" not in fields
    assert llm._request_fields({}) == ({"model": MODEL, "guided_choice": ["a", "b"]}, {})
