"""Tool definitions and tool choices are understood in every form, or refused in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from monster_core.errors import InvalidRequestError
from monster_core.request.tools import (
    ToolChoice,
    ToolDefinition,
    read_definitions,
    resolve_tool_choice,
)

ONE = [ToolDefinition("weather", "", {})]
TWO = [*ONE, ToolDefinition("send_mail", "", {})]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def test_definitions_are_read_with_and_without_their_wrapping() -> None:
    inner = {"name": "weather", "description": "Tell it.", "parameters": SCHEMA, "strict": True}
    for given in (inner, {"type": "function", "function": inner}):
        assert read_definitions([given]) == [ToolDefinition("weather", "Tell it.", SCHEMA)]


@pytest.mark.parametrize("given", [{}, {"parameters": None}, {"parameters": {}}])
def test_a_tool_may_have_neither_description_nor_parameters(given: dict[str, Any]) -> None:
    [definition] = read_definitions([{"name": "now", "description": None, **given}])
    assert definition == ToolDefinition("now", "", {"type": "object", "properties": {}})


@pytest.mark.parametrize(
    "tools, said",
    [
        ([{}], "A tool has no name. Give"),
        ([{"type": "web_search"}], "'web_search' runs on the servers of another provider"),
        ([{"type": "computer_20250124", "name": "computer"}], "'computer_20250124' runs on"),
        ([{"googleSearch": {}}], "'googleSearch' runs on the servers"),
        ([{"name": "a", "paramters": {}}], "did you mean 'parameters'"),
        ([{"type": "function", "function": {"name": ""}}], "A tool has no name. Give"),
        ([{"function": "weather"}], "A tool has no name. Give"),
        ([{"name": "a"}, {"name": "b"}, {"name": "a"}], "Two tools are named 'a': give each"),
        (
            [{"name": "a", "parameters": "string"}],
            "tool 'a' are not a usable JSON schema",
        ),
        (
            [{"name": "a", "parameters": [1]}],
            "tool 'a' are not a usable JSON schema",
        ),
        (
            [{"name": "a", "parameters": True}],
            "tool 'a' are not a usable JSON schema",
        ),
    ],
)
def test_an_unusable_definition_is_refused(tools: list[Any], said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        read_definitions(tools)


@pytest.mark.parametrize(
    "choice, definitions, expected",
    [
        (None, TWO, ToolChoice("auto")),
        (False, TWO, ToolChoice("auto")),
        ("auto", TWO, ToolChoice("auto")),
        ("auto", [], ToolChoice("none")),
        (None, [], ToolChoice("none")),
        ("none", TWO, ToolChoice("none")),
        ("none", [], ToolChoice("none")),
        ("any", TWO, ToolChoice("any")),
        ("required", TWO, ToolChoice("any")),
        (True, TWO, ToolChoice("any")),
        ("any", ONE, ToolChoice("named", "weather")),
        ("required", ONE, ToolChoice("named", "weather")),
        (True, ONE, ToolChoice("named", "weather")),
        ("send_mail", TWO, ToolChoice("named", "send_mail")),
        (
            {"type": "function", "function": {"name": "weather"}},
            TWO,
            ToolChoice("named", "weather"),
        ),
        ({"type": "function", "name": "weather"}, TWO, ToolChoice("named", "weather")),
        ({"type": "tool", "name": "weather"}, TWO, ToolChoice("named", "weather")),
        ("any", [*ONE, ToolDefinition("any", "", {})], ToolChoice("named", "any")),
    ],
)
def test_every_form_of_a_choice_is_understood(
    choice: Any, definitions: list[ToolDefinition], expected: ToolChoice
) -> None:
    assert resolve_tool_choice(choice, definitions) == expected


@pytest.mark.parametrize(
    "choice, definitions, said",
    [
        ("wether", TWO, r"did you mean 'weather'\? tool_choice takes .*: weather, send_mail\."),
        ({"function": {"name": "x"}}, TWO, r"Unknown tool 'x'.*: weather, send_mail\."),
        ({"type": "function"}, TWO, "tool_choice cannot be .*: use auto, none, any, required"),
        (7, TWO, "tool_choice cannot be 7: use auto, none, any, required, a tool's name"),
        ("any", [], "tool_choice 'any' needs tools, and there are none"),
        (True, [], "tool_choice True needs tools, and there are none"),
        ("weather", [], "tool_choice 'weather' needs tools, and there are none"),
    ],
)
def test_a_choice_that_cannot_be_served_is_refused(
    choice: Any, definitions: list[ToolDefinition], said: str
) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        resolve_tool_choice(choice, definitions)
