"""Write definitions, calls and results as the text that a model family was trained on.

Each format is one entry of :data:`_PROMPTS`. Sources: Meta's prompt format for JSON tool calls of
Llama 3.1 ("llama"), NousResearch's Hermes function calling, which Qwen 2.5 uses as well ("hermes"),
and the templates of Mistral 7B v0.3 ("mistral").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monster_core.errors import InvalidRequestError
from monster_core.json_values import write_json
from monster_core.model_families import ToolFormat
from monster_core.response.types import ToolCall

if TYPE_CHECKING:
    from monster_core.request.tools import ToolChoice, ToolDefinition

__all__ = ["arguments_key", "write_calls", "write_definitions", "write_result"]


@dataclass(frozen=True, slots=True)
class _ToolPrompt:
    """Hold how one format writes definitions, calls and results.

    Args:
        arguments_key: The key under which a call holds its arguments.
        how_to_call: The sentence that asks for calls in this format.
        join_definitions: Joins the definitions of all tools, each one JSON text.
        join_calls: Joins the calls of one message, each one JSON text.
        has_json_results: Whether results are written as JSON between tags.
    """

    arguments_key: str
    how_to_call: str
    join_definitions: Callable[[Sequence[str]], str]
    join_calls: Callable[[Sequence[str]], str]
    has_json_results: bool = False


_PROMPTS: dict[ToolFormat, _ToolPrompt] = {
    "llama": _ToolPrompt(
        "parameters",
        'To call a function, answer with only a JSON object {"name": function name, '
        '"parameters": object of argument name and value}. Do not use variables.',
        "\n\n".join,
        "\n".join,
    ),
    "hermes": _ToolPrompt(
        "arguments",
        "To call a function, answer with a JSON object inside <tool_call></tool_call> tags:\n"
        '<tool_call>\n{"name": function name, "arguments": object of argument name and value}\n'
        "</tool_call>",
        lambda texts: "<tools>\n" + "\n\n".join(texts) + "\n</tools>",
        lambda texts: "\n".join(f"<tool_call>\n{text}\n</tool_call>" for text in texts),
        has_json_results=True,
    ),
    "mistral": _ToolPrompt(
        "arguments",
        "To call functions, answer with [TOOL_CALLS] and a JSON array: "
        '[TOOL_CALLS] [{"name": function name, "arguments": object of argument name and value}]',
        "\n\n".join,
        lambda texts: f"[TOOL_CALLS] [{', '.join(texts)}]",
    ),
}

_WHEN_TO_CALL = {
    "auto": "Call a function only where it helps to answer; otherwise answer in plain text.",
    "any": "Answer with a function call now, and with nothing else.",
}


def arguments_key(tool_format: ToolFormat) -> str:
    """Return the key under which a format writes a call's arguments."""
    return _PROMPTS[tool_format].arguments_key


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
        choice: Whether and which it must call; not "none".
        tool_format: How its family writes calls.
        is_parallel: Whether it may call several at once.
    """
    prompt = _PROMPTS[tool_format]
    functions = prompt.join_definitions([_definition(tool) for tool in definitions])
    if choice.kind == "named":
        when = (
            f"Call the function {choice.name} now: answer with only the JSON object of its "
            "arguments."
        )
    else:
        several = "" if is_parallel else " Call one function at a time."
        when = f"{prompt.how_to_call}\n{_WHEN_TO_CALL[choice.kind]}{several}"
    return f"You have access to these functions:\n\n{functions}\n\n{when}"


def write_calls(calls: Sequence[ToolCall], tool_format: ToolFormat) -> str:
    """Write calls that the assistant made earlier in the conversation.

    Args:
        calls: The calls of one message in order.
        tool_format: How the family writes calls.
    """
    prompt = _PROMPTS[tool_format]
    key = prompt.arguments_key
    return prompt.join_calls(
        [f'{{"name": {_json(call.name)}, "{key}": {call.arguments or "{}"}}}' for call in calls]
    )


def write_result(
    text: str,
    call: ToolCall | None,
    tool_format: ToolFormat,
    *,
    tool_name: str | None = None,
    is_error: bool = False,
    is_plain: bool = False,
    is_one_of_several: bool = False,
) -> str:
    """Write what a tool returned.

    Args:
        text: The result.
        call: The call that it answers; None if the conversation holds no such call.
        tool_format: How the family writes calls.
        tool_name: The tool's name, for a result without its call.
        is_error: Whether the tool failed.
        is_plain: Whether its place alone says which call it answers.
        is_one_of_several: Whether the same message called the tool more than once, so that its name
            does not say which call it answers.
    """
    name = call.name if call is not None else tool_name
    if _PROMPTS[tool_format].has_json_results:
        key = "error" if is_error else "content"
        called = f', "arguments": {call.arguments or "{}"}' if call and is_one_of_several else ""
        body = f'{{"name": {_json(name or "unknown")}{called}, "{key}": {_json(text)}}}'
        return f"<tool_response>\n{body}\n</tool_response>"
    result = f"Error: {text}" if is_error else text
    if is_plain:
        return result
    if call is not None:
        return f"Result of {name}({call.arguments or '{}'}): {result}"
    return f"Result of {name or 'an earlier function call'}: {result}"


def _definition(tool: ToolDefinition) -> str:
    from monster_core.json_schema.schema_for_prompt import (
        schema_for_prompt,  # for those who have tools only
    )

    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": schema_for_prompt(tool.parameters),
    }
    return _json({"type": "function", "function": function})


def _json(value: object) -> str:
    try:
        return write_json(value)
    except TypeError as error:
        raise InvalidRequestError(f"A tool cannot be written as JSON: {error}.") from None
