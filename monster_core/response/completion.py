"""Read the body of a full answer.

Tolerates what servers leave out, send as null or add; refuses what is no answer.
"""

from __future__ import annotations

from typing import Any

from monster_core.errors import ResponseError, stream_error
from monster_core.response.types import Choice, Completion, ToolCall, call_id
from monster_core.response.values import (
    NO_JSON,
    arguments_of,
    is_error,
    json_or_none,
    read_logprobs,
    read_usage,
    shown,
    stop_reason_of,
    text_of,
    whole_number,
)

__all__ = ["parse_completion"]


def parse_completion(body: bytes) -> Completion:
    """Read the body of a reply of 200.

    Args:
        body: The bytes as they came.

    Returns:
        The answer; ids of tool calls are made where the server sent none.

    Raises:
        ResponseError: The body is no answer.
        StatusError: The body is an error in spite of its status.
    """
    data = _parse(body)
    if not isinstance(data.get("choices"), list) or not data["choices"]:
        if is_error(data):
            raise stream_error(data.get("error") or data, None)
        raise ResponseError(f"The server's reply holds no choices: {shown(body)}")
    answer_id = text_of(data.get("id"))
    choices = [
        _read_choice(choice, position, answer_id)
        for position, choice in enumerate(data["choices"])
        if isinstance(choice, dict)
    ]
    if not choices:
        raise ResponseError(f"The server's reply holds no choice that is one: {shown(body)}")
    return Completion(
        id=answer_id,
        model=text_of(data.get("model")),
        created=whole_number(data.get("created")) or 0,
        choices=choices,
        usage=read_usage(data.get("usage")),
        raw=data,
    )


def _read_choice(choice: dict[str, Any], position: int, answer_id: str) -> Choice:
    raw_message = choice.get("message")
    message: dict[str, Any] = raw_message if isinstance(raw_message, dict) else {}
    index = whole_number(choice.get("index"))
    index = position if index is None else index
    calls = message.get("tool_calls")
    return Choice(
        index=index,
        text=_content(message.get("content")),
        tool_calls=[
            _read_call(call, call_id(answer_id, number, choice=index))
            for number, call in enumerate(calls if isinstance(calls, list) else [])
            if isinstance(call, dict)
        ],
        finish_reason=text_of(choice.get("finish_reason")) or None,
        stop_reason=stop_reason_of(choice.get("stop_reason")),
        logprobs=read_logprobs(choice.get("logprobs")),
        reasoning=text_of(message.get("reasoning_content") or message.get("reasoning")) or None,
    )


def _read_call(call: dict[str, Any], own_id: str) -> ToolCall:
    raw_function = call.get("function")
    function: dict[str, Any] = raw_function if isinstance(raw_function, dict) else {}
    return ToolCall(
        text_of(call.get("id")) or own_id,
        text_of(function.get("name")),
        arguments_of(function.get("arguments")),
    )


def _content(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        return "".join(text_of(part.get("text")) for part in value if isinstance(part, dict))
    raise ResponseError(f"The server sent content that is no text: {value!r:.200}")


def _parse(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise ResponseError("The server answered 200 with an empty body.")
    data = json_or_none(body)
    if data is NO_JSON:
        kind = "a web page" if body.lstrip()[:1] == b"<" else "something that is no JSON"
        raise ResponseError(
            f"The server answered 200 with {kind}: {shown(body)} "
            "Check the base URL: it ends in /v1 as a rule."
        )
    if not isinstance(data, dict):
        raise ResponseError(f"The server's reply is no JSON object: {shown(body)}")
    return data
