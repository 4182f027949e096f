"""Write definitions, calls and results as the text that a model family was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from monster_core.errors import InvalidRequestError
from monster_core.json_values import write_json
from monster_core.model_families import ToolFormat
from monster_core.request.tool_definitions import ToolChoice, ToolDefinition
from monster_core.response.types import ToolCall

__all__ = ["ARGUMENTS_KEY", "write_calls", "write_definitions", "write_result"]

ARGUMENTS_KEY: dict[ToolFormat, str] = {
    "llama": "parameters",
    "hermes": "arguments",
    "mistral": "arguments",
}
"""The key under which each format writes a call's arguments."""

_HOW_TO_CALL: dict[ToolFormat, str] = {
    "llama": (
        'To call a function, answer with only a JSON object {"name": function name, '
        '"parameters": object of argument name and value}. Do not use variables.'
    ),
    "hermes": (
        "To call a function, answer with a JSON object inside <tool_call></tool_call> tags:\n"
        '<tool_call>\n{"name": function name, "arguments": object of argument name and value}\n'
        "</tool_call>"
    ),
    "mistral": (
        "To call functions, answer with [TOOL_CALLS] and a JSON array: "
        '[TOOL_CALLS] [{"name": function name, "arguments": object of argument name and value}]'
    ),
}

_WHEN_TO_CALL = {
    "auto": "Call a function only where it helps to answer; otherwise answer in plain text.",
    "any": "Answer with a function call now, and with nothing else.",
}


def write_definitions(
    definitions: Sequence[ToolDefinition],
    choice: ToolChoice,
    tool_format: ToolFormat,
    *,
    is_parallel: bool,
) -> str:
    """Write what the model must know of its tools.

    Args:
        definitions: The tools.
        choice: Whether and which it must call.
        tool_format: How its family writes calls.
        is_parallel: Whether it may call several at once.
    """
    functions = "\n\n".join(_definition(definition) for definition in definitions)
    if tool_format == "hermes":
        functions = f"<tools>\n{functions}\n</tools>"
    if choice.kind == "named":
        when = (
            f"Call the function {choice.name} now: answer with only the JSON object of its "
            "arguments."
        )
    else:
        several = "" if is_parallel else " Call one function at a time."
        when = f"{_HOW_TO_CALL[tool_format]}\n{_WHEN_TO_CALL[choice.kind]}{several}"
    return f"You have access to these functions:\n\n{functions}\n\n{when}"


def write_calls(calls: Sequence[ToolCall], tool_format: ToolFormat) -> str:
    """Write calls that the assistant made earlier in the conversation.

    Args:
        calls: The calls in order.
        tool_format: How the family writes calls.
    """
    key = ARGUMENTS_KEY[tool_format]
    texts = [f'{{"name": {_json(call.name)}, "{key}": {call.arguments or "{}"}}}' for call in calls]
    if tool_format == "hermes":
        return "\n".join(f"<tool_call>\n{text}\n</tool_call>" for text in texts)
    if tool_format == "mistral":
        return f"[TOOL_CALLS] [{', '.join(texts)}]"
    return "\n".join(texts)


def write_result(
    text: str,
    call: ToolCall | None,
    tool_format: ToolFormat,
    *,
    is_error: bool,
    is_plain: bool,
) -> str:
    """Write what a tool returned.

    Args:
        text: The result.
        call: The call it answers, None if the conversation holds no such call.
        tool_format: How the family writes calls.
        is_error: Whether the tool failed.
        is_plain: Whether its place alone says which call it answers.
    """
    if tool_format == "hermes":
        name = call.name if call else "unknown"
        key = "error" if is_error else "content"
        body = f'{{"name": {_json(name)}, "{key}": {_json(text)}}}'
        return f"<tool_response>\n{body}\n</tool_response>"
    said = f"Error: {text}" if is_error else text
    if is_plain:
        return said
    if call is None:
        return f"Result of an earlier function call: {said}"
    return f"Result of {call.name}({call.arguments or '{}'}): {said}"


def _definition(definition: ToolDefinition) -> str:
    from monster_core.json_schema.schema_for_prompt import told  # for those who have tools only

    function = {"name": definition.name, "description": definition.description}
    return _json(
        {"type": "function", "function": {**function, "parameters": told(definition.parameters)}}
    )


def _json(value: object) -> str:
    try:
        return write_json(value)
    except TypeError as error:
        raise InvalidRequestError(f"A tool cannot be told as JSON: {error}.") from None
