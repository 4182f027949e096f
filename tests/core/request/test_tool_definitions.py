"""Tool definitions and tool choices are understood in every form, or refused in one sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from monster_core.errors import InvalidRequestError
from monster_core.request.tools import (
    ToolChoice,
    ToolDefinition,
    openai_definitions,
    read_definitions,
    resolve_tool_choice,
)

ONE = [ToolDefinition("weather", "", {})]
TWO = [*ONE, ToolDefinition("send_mail", "", {})]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


ABOUT = {"name": "weather", "description": "Tell it."}
IN_UPPER_CASE = {
    "type": "OBJECT",
    "properties": {"city": {"type": "STRING"}},
}


class Arguments(BaseModel):
    city: str


FORMS: dict[str, Any] = {
    "bare": {**ABOUT, "parameters": SCHEMA, "strict": True},
    "chat completions": {"type": "function", "function": {**ABOUT, "parameters": SCHEMA}},
    "responses": {"type": "function", **ABOUT, "parameters": SCHEMA, "strict": None},
    "json_schema": {"type": "json_schema", "json_schema": {**ABOUT, "schema": SCHEMA}},
    "name and schema": {**ABOUT, "schema": SCHEMA, "strict": True},
    "titled schema": {"title": "weather", "description": "Tell it.", **SCHEMA},
    "anthropic": {**ABOUT, "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
    "anthropic custom": {"type": "custom", **ABOUT, "input_schema": SCHEMA},
    "mcp": {**ABOUT, "inputSchema": SCHEMA, "outputSchema": {"type": "object"}, "_meta": None},
    "bedrock": {"toolSpec": {**ABOUT, "inputSchema": {"json": SCHEMA}}},
    "gemini": {"functionDeclarations": [{**ABOUT, "parameters": IN_UPPER_CASE}]},
    "gemini json schema": {"function_declarations": [{**ABOUT, "parametersJsonSchema": SCHEMA}]},
    "text": {**ABOUT, "parameters": json.dumps(SCHEMA)},
}


@pytest.mark.parametrize("form", FORMS)
def test_definitions_are_read_in_the_form_of_any_provider(form: str) -> None:
    assert read_definitions([FORMS[form]]) == [ToolDefinition("weather", "Tell it.", SCHEMA)]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_openai_s(form: str) -> None:
    function = {**ABOUT, "parameters": SCHEMA}
    assert openai_definitions(FORMS[form]) == [{"type": "function", "function": function}]


def test_a_class_may_be_the_parameters() -> None:
    [definition] = read_definitions([{"name": "weather", "parameters": Arguments}])
    assert definition.parameters["properties"]["city"]["type"] == "string"


def test_several_functions_in_one_declaration_are_several_tools() -> None:
    declared = {"function_declarations": [{"name": "a"}, {"name": "b"}]}
    assert [tool.name for tool in read_definitions([declared, {"name": "c"}])] == ["a", "b", "c"]
    with pytest.raises(InvalidRequestError, match="Two tools are named 'a'"):
        read_definitions([declared, {"name": "a"}])


def test_a_mark_for_a_cache_is_not_a_tool() -> None:
    assert read_definitions([{"cachePoint": {"type": "default"}}]) == []


def test_null_is_read_as_absent_at_any_depth() -> None:
    nothing = {"description": None, "enum": None, "items": None, "required": None}
    given = {
        "type": "object",
        "properties": {
            "city": {"type": "string", **nothing},
            "inner": {"type": "object", "properties": None, "required": None},
            "list": {"type": "array", "items": {"type": "string", "enum": None}},
            "none": {"const": None},
            "free": None,
        },
        "required": None,
        "$defs": None,
    }
    [definition] = read_definitions([{"name": "a", "description": None, "parameters": given}])
    assert definition.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "inner": {"type": "object"},
            "list": {"type": "array", "items": {"type": "string"}},
            "none": {"const": None},
            "free": {},
        },
    }


def test_types_in_upper_case_are_read_as_json_schema_s() -> None:
    given = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "enum": ["OBJECT"]},
            "tags": {"type": "ARRAY", "items": {"type": ["STRING", "NULL"]}},
            "any": {"type": "TYPE_UNSPECIFIED"},
        },
    }
    [definition] = read_definitions([{"name": "a", "parameters": given}])
    assert definition.parameters == {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["OBJECT"]},
            "tags": {"type": "array", "items": {"type": ["string", "null"]}},
            "any": {},
        },
    }


BUILTIN: list[tuple[dict[str, Any], str]] = [
    ({"type": "web_search"}, "web_search"),
    ({"type": "web_search_20250305", "name": "web_search", "max_uses": 5}, "web_search_20250305"),
    ({"type": "computer_use_preview", "display_width": 1024}, "computer_use_preview"),
    ({"type": "computer_20250124", "name": "computer"}, "computer_20250124"),
    ({"type": "code_interpreter", "container": {"type": "auto"}}, "code_interpreter"),
    ({"type": "file_search", "vector_store_ids": ["v"]}, "file_search"),
    ({"type": "retrieval"}, "retrieval"),
    ({"type": "mcp", "server_label": "docs", "server_url": "https://example.org"}, "mcp"),
    ({"googleSearch": {}}, "googleSearch"),
    ({"googleSearch": None}, "googleSearch"),
    ({"google_search": {}, "code_execution": {}}, "google_search"),
    ({"systemTool": {"name": "nova_grounding"}}, "systemTool"),
]


@pytest.mark.parametrize("tool, name", BUILTIN, ids=str)
def test_a_tool_that_its_provider_runs_is_refused_by_name(tool: dict[str, Any], name: str) -> None:
    said = f"The tool '{name}' is one that another provider defines, .* function of your own"
    with pytest.raises(InvalidRequestError, match=said):
        read_definitions([tool])


@pytest.mark.parametrize("given", [{}, {"parameters": None}, {"parameters": {}}])
def test_a_tool_may_have_neither_description_nor_parameters(given: dict[str, Any]) -> None:
    [definition] = read_definitions([{"name": "now", "description": None, **given}])
    assert definition == ToolDefinition("now", "", {"type": "object", "properties": {}})


@pytest.mark.parametrize(
    "tools, said",
    [
        ([{}], "A tool has no name: .* Give"),
        (["web_search"], "A tool is a dict, not 'web_search'"),
        ([{"type": "object"}], "A tool has no name: .* Give"),
        ([{"nmae": "a", "parameters": {}}], "did you mean 'name'"),
        ([{"name": "a", "desciption": "b"}], "did you mean 'description'"),
        ([{"type": "function", "fuction": {"name": "a"}}], "did you mean 'function'"),
        ([{"name": "a", "input_shema": SCHEMA}], "did you mean 'input_schema'"),
        ([{"name": "a", "parameters": {"propertys": {}}}], r"did you mean 'properties'\?$"),
        ([{"name": "a", "parameters": {"type": "string"}}], "of an object: its type is 'string'"),
        ([{"name": "a", "parameters": {"type": ["string", "null"]}}], "of an object: its type is"),
        ([{"name": "a", "parameters": list[int]}], "of an object: its type is 'array'"),
        ([{"name": "a", "parameters": {"city": {"type": "string"}}}], "no keyword of JSON schema"),
        ([{"name": "a", "paramters": {}}], "did you mean 'parameters'"),
        ([{"type": "function", "function": {"name": ""}}], "A tool has no name: .* Give"),
        ([{"function": "weather"}], "A tool has no name: .* Give"),
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
        ({"tool": {"name": "weather"}}, TWO, ToolChoice("named", "weather")),
        ({"type": "any"}, TWO, ToolChoice("any")),
        ({"any": {}}, TWO, ToolChoice("any")),
        ({"type": "auto"}, TWO, ToolChoice("auto")),
        ({"type": "none"}, TWO, ToolChoice("none")),
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
        ({"type": {}}, TWO, "tool_choice cannot be .*: use auto, none, any, required"),
        ({"type": "web_search"}, TWO, "tool_choice cannot be .*: use auto, none, any, required"),
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
