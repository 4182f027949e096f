"""Every tool choice is served, and costs the server a bounded time."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from monster_core.errors import InvalidRequestError
from monster_core.json_schema import lower
from monster_core.model_families import ToolFormat
from monster_core.request.fields import REQUEST_FIELDS
from monster_core.request.request_part import RequestPart
from monster_core.request.tools import ToolChoice, ToolDefinition, tools_part

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NOTHING = {"type": "object", "properties": {}}
UNSATISFIABLE = {"type": "object", "properties": {"x": False}, "required": ["x"]}
WEATHER = ToolDefinition("weather", "Tells the weather.", CITY)
MAIL = ToolDefinition("send_mail", "", {**CITY, "additionalProperties": False})
NOW = ToolDefinition("now", "", NOTHING)
ONE, TWO = [WEATHER], [WEATHER, MAIL]


def part(
    tools: list[ToolDefinition],
    kind: Any,
    name: str | None = None,
    *,
    tool_format: ToolFormat = "llama",
    is_parallel: bool = True,
    strategy: Any = None,
) -> RequestPart:
    choice = ToolChoice(kind, name)
    return tools_part(tools, choice, tool_format, is_parallel=is_parallel, strategy=strategy)


@pytest.mark.parametrize("tools", [ONE, TWO])
@pytest.mark.parametrize("strategy", [None, "native", "guided", "prompt"])
def test_none_tells_and_sends_nothing(tools: list[ToolDefinition], strategy: Any) -> None:
    assert part(tools, "none", strategy=strategy) == RequestPart()


@pytest.mark.parametrize("tools", [ONE, TWO])
@pytest.mark.parametrize("strategy", [None, "native", "guided", "prompt"])
def test_tools_are_written_into_the_prompt_and_calls_read_from_the_text(
    tools: list[ToolDefinition], strategy: Any
) -> None:
    made = part(tools, "auto", strategy=strategy)
    assert made.fields == {}
    assert made.spec.tool_names == {tool.name for tool in tools}
    prompt = made.prompt or ""
    assert all(f'"name":"{tool.name}"' in prompt.replace(": ", ":") for tool in tools)
    assert "otherwise answer in plain text" in prompt


@pytest.mark.parametrize("tools", [ONE, TWO])
@pytest.mark.parametrize("strategy", [None, "native"])
def test_a_name_is_forced_natively(tools: list[ToolDefinition], strategy: Any) -> None:
    made = part(tools, "named", "weather", strategy=strategy)
    assert made.fields["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    [sent] = made.fields["tools"]
    assert sent["function"].keys() == {"name", "description", "parameters"}
    assert sent["function"]["parameters"] == lower(CITY).schema
    assert "Call the function weather now" in (made.prompt or "")


@pytest.mark.parametrize("is_parallel", [True, False])
@pytest.mark.parametrize("tool_format, key", [("llama", "parameters"), ("hermes", "arguments")])
def test_any_of_several_is_one_guided_union(
    tool_format: ToolFormat, key: str, is_parallel: bool
) -> None:
    made = part(TWO, "any", tool_format=tool_format, is_parallel=is_parallel)
    assert made.fields.keys() == {"guided_json"}
    schema = made.fields["guided_json"]
    assert (schema["type"] == "array") if is_parallel else (schema.get("type") != "array")
    union = schema["items"] if is_parallel else schema
    options = union.get("anyOf") or union["oneOf"]
    assert all(option["required"] == ["name", key] for option in options)
    assert "Answer with a function call now" in (made.prompt or "")


@pytest.mark.parametrize("kind, name", [("named", "weather"), ("any", None)])
def test_the_guided_strategy_guides_every_forced_call(kind: str, name: str | None) -> None:
    made = part(TWO, kind, name, strategy="guided", is_parallel=False)
    assert made.fields.keys() == {"guided_json"}
    is_told = '"send_mail"' in (made.prompt or "")
    assert is_told == (kind == "any")


@pytest.mark.parametrize("kind, name", [("named", "weather"), ("any", None)])
def test_the_prompt_strategy_only_asks(kind: str, name: str | None) -> None:
    made = part(TWO, kind, name, strategy="prompt")
    assert made.fields == {}
    assert "Answer with a function call now" in (made.prompt or "")
    assert '"weather"' in (made.prompt or "")


def test_the_native_strategy_needs_a_name() -> None:
    with pytest.raises(InvalidRequestError, match="forces one named tool: name it in tool_choice"):
        part(TWO, "any", strategy="native")


@pytest.mark.parametrize("parameters", [NOTHING, {"type": "object"}, {"properties": {}}])
def test_a_tool_without_parameters_is_called_with_none(parameters: dict[str, Any]) -> None:
    made = part([ToolDefinition("now", "", parameters)], "named", "now")
    sent = made.fields["tools"][0]["function"]["parameters"]
    assert sent == {"type": "object", "maxProperties": 0}


@pytest.mark.parametrize("kind, name", [("named", "broken"), ("any", None)])
def test_a_schema_that_cannot_guide_falls_back_to_the_prompt(
    kind: str, name: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    broken = ToolDefinition("broken", "", UNSATISFIABLE)
    with caplog.at_level(logging.WARNING):
        made = part([broken, WEATHER], kind, name)
    assert made.fields == {}
    assert "Answer with a function call now" in (made.prompt or "")
    assert "The server cannot be made to call broken" in caplog.text


def test_an_unusable_schema_is_refused_with_the_tools_name() -> None:
    missing = {"type": "object", "properties": {"x": {"$ref": "#/$defs/none"}}}
    with pytest.raises(InvalidRequestError, match="parameters of the tool 'odd' cannot be used"):
        part([ToolDefinition("odd", "", missing)], "named", "odd")


@pytest.mark.parametrize("is_parallel", [True, False])
def test_many_tools_stay_within_the_time_the_server_may_take(is_parallel: bool) -> None:
    properties = {name: {"type": "string"} for name in "abcdef"}
    tools = [
        ToolDefinition(f"tool_{at}", "", {"type": "object", "properties": properties})
        for at in range(40)
    ]
    made = part(tools, "any", is_parallel=is_parallel)
    assert lower(made.fields["guided_json"], limit=50).seconds <= 50
    assert all(tool.name in str(made.fields["guided_json"]) for tool in tools)


@pytest.mark.parametrize("tools", [ONE, TWO, [*TWO, NOW]])
@pytest.mark.parametrize("kind, name", [("auto", None), ("named", "weather"), ("any", None)])
@pytest.mark.parametrize("strategy", [None, "guided", "prompt"])
def test_only_fields_of_the_request_model_are_sent(
    tools: list[ToolDefinition], kind: str, name: str | None, strategy: Any
) -> None:
    assert part(tools, kind, name, strategy=strategy).fields.keys() <= REQUEST_FIELDS


def test_a_definition_that_is_not_json_is_refused_in_a_sentence() -> None:
    odd = ToolDefinition("odd", "", {"type": "object", "properties": {"x": {"enum": {1, 2}}}})
    with pytest.raises(InvalidRequestError, match=r"A tool cannot be written as JSON: .*set"):
        part([odd], "auto")


@pytest.mark.parametrize(
    "tool_format, definition, how",
    [
        (
            "llama",
            "{}",
            'To call a function, answer with only a JSON object {"name": function name, '
            '"parameters": object of argument name and value}. Do not use variables.',
        ),
        (
            "hermes",
            "<tools>\n{}\n</tools>",
            "To call a function, answer with a JSON object inside <tool_call></tool_call> tags:\n"
            '<tool_call>\n{"name": function name, "arguments": object of argument name and value}\n'
            "</tool_call>",
        ),
        (
            "mistral",
            "{}",
            "To call functions, answer with [TOOL_CALLS] and a JSON array: [TOOL_CALLS] "
            '[{"name": function name, "arguments": object of argument name and value}]',
        ),
    ],
)
def test_a_family_gets_its_tools_in_its_own_format(
    tool_format: ToolFormat, definition: str, how: str
) -> None:
    prompt = part([NOW], "auto", tool_format=tool_format).prompt
    written = (
        '{"type":"function","function":{"name":"now","description":"",'
        '"parameters":{"type":"object","properties":{}}}}'
    )
    assert prompt == (
        f"You have access to these functions:\n\n{definition.replace('{}', written)}\n\n{how}\n"
        "Call a function only where it helps to answer; otherwise answer in plain text."
    )
