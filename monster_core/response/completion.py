"""Read the body of a whole response into a completion.

Tolerates what servers leave out, send as null or add; refuses what is not a completion.
"""

from __future__ import annotations

from typing import Any

import orjson

from monster_core.errors import MonsterError, ResponseError, stream_error
from monster_core.response.types import Choice, Completion, ToolCall, Usage, new_call_id

__all__ = [
    "NO_JSON",
    "arguments_of",
    "is_error",
    "json_or_none",
    "parse_completion",
    "read_logprobs",
    "read_usage",
    "shown",
    "stop_reason_of",
    "text_of",
    "whole_number",
]


def parse_completion(body: bytes) -> Completion:
    """Read the body of a response with status 200.

    Args:
        body: The bytes as they came.

    Returns:
        The completion; ids of tool calls are made where the server sent none.

    Raises:
        ResponseError: The body is not a completion.
        StatusError: The body is an error in spite of its status.
    """
    data = json_or_none(body)
    sent = data.get("choices") if isinstance(data, dict) else None
    if not isinstance(sent, list) or not sent:
        raise _no_completion(data, body)
    choices = [
        _read_choice(choice, position)
        for position, choice in enumerate(sent)
        if isinstance(choice, dict)
    ]
    if not choices:
        raise ResponseError(f"The response holds no choice that is an object: {shown(body)}")
    return Completion(
        id=text_of(data.get("id")),
        model=text_of(data.get("model")),
        created=whole_number(data.get("created")) or 0,
        choices=choices,
        usage=read_usage(data.get("usage")),
        raw=data,
    )


def _no_completion(data: Any, body: bytes) -> MonsterError:
    """Return the error for a body that is not a completion."""
    if not body.strip():
        return ResponseError("The server answered 200 with an empty body.")
    if data is NO_JSON:
        kind = "a web page" if body.lstrip()[:1] == b"<" else "something that is not JSON"
        return ResponseError(
            f"The server answered 200 with {kind}: {shown(body)} "
            "Check the base URL: it ends in /v1 as a rule."
        )
    if not isinstance(data, dict):
        return ResponseError(f"The server's response is not a JSON object: {shown(body)}")
    if is_error(data):
        return stream_error(data.get("error") or data, None)
    return ResponseError(f"The server's response holds no choices: {shown(body)}")


def _read_choice(choice: dict[str, Any], position: int) -> Choice:
    raw_message = choice.get("message")
    message: dict[str, Any] = raw_message if isinstance(raw_message, dict) else {}
    index, stop_reason = whole_number(choice.get("index")), choice.get("stop_reason")
    content, calls = message.get("content"), message.get("tool_calls")
    logprobs = choice.get("logprobs")
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    return Choice(
        index=position if index is None else index,
        text=content if isinstance(content, str) else _joined_text(content),
        tool_calls=_read_calls(calls) if calls else [],
        finish_reason=text_of(choice.get("finish_reason")) or None,
        stop_reason=None if stop_reason is None else stop_reason_of(stop_reason),
        logprobs=None if logprobs is None else read_logprobs(logprobs),
        reasoning=text_of(reasoning) or None,
        refusal=text_of(message.get("refusal")) or None,
    )


def _joined_text(parts: Any) -> str:
    """Return the text of a content that the server sent in parts, or not at all."""
    if parts is None:
        return ""
    if isinstance(parts, list):
        return "".join(text_of(part.get("text")) for part in parts if isinstance(part, dict))
    raise ResponseError(f"The server sent content that is not text: {parts!r:.200}")


def _read_calls(calls: Any) -> list[ToolCall]:
    found: dict[str, ToolCall] = {}
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            read = _read_call(call)
            if not (read.name or read.arguments):
                continue
            if read.id in found:  # the result of one would pass for the result of the other
                read.id = new_call_id()
            found[read.id] = read
    return list(found.values())


def _read_call(call: dict[str, Any]) -> ToolCall:
    raw_function = call.get("function")
    function: dict[str, Any] = raw_function if isinstance(raw_function, dict) else {}
    return ToolCall(
        text_of(call.get("id")) or new_call_id(),
        text_of(function.get("name")),
        arguments_of(function.get("arguments")),
    )


# What follows reads single values, here and in the events of a stream: a value that is not of
# its type counts as left out.

NO_JSON = object()
"""Stands for a text that is not JSON, since null is some."""


def json_or_none(text: bytes) -> Any:
    """Return the value of a JSON text, or NO_JSON.

    Args:
        text: The text.
    """
    try:
        return orjson.loads(text)
    except ValueError:  # which keeps the whole text: no error of ours shall carry it along
        return NO_JSON


def text_of(value: Any) -> str:
    """Return a value that is a text, else an empty one.

    Args:
        value: The value.
    """
    return value if isinstance(value, str) else ""


def whole_number(value: Any) -> int | None:
    """Return a value that is an integer from 0, else None.

    Args:
        value: The value; true and false are not numbers.
    """
    return value if type(value) is int and value >= 0 else None


def stop_reason_of(value: Any) -> str | int | None:
    """Return a stop text or a stop token's id.

    Args:
        value: The server's ``stop_reason``.
    """
    return value if isinstance(value, str) else whole_number(value)


def arguments_of(value: Any) -> str:
    """Return a call's arguments as JSON text.

    Args:
        value: The server's ``arguments``; some servers send them as an object.
    """
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else ""


def is_error(data: Any) -> bool:
    """Whether an event or a body is an error.

    Args:
        data: Its value.
    """
    return isinstance(data, dict) and bool(data.get("error") or data.get("object") == "error")


def shown(body: bytes) -> str:
    """Return the beginning of a body for a message.

    Args:
        body: The body.
    """
    text = body[:200].decode("utf-8", "replace")
    return f"{text!r}{' and more' if len(body) > 200 else ''}."


def read_usage(usage: Any) -> Usage | None:
    """Return token counts, None where the server sent none.

    Args:
        usage: The server's ``usage``.
    """
    if not isinstance(usage, dict):
        return None
    prompt = whole_number(usage.get("prompt_tokens")) or 0
    completion = whole_number(usage.get("completion_tokens")) or 0
    read, written = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    return Usage(
        prompt,
        completion,
        whole_number(usage.get("total_tokens")) or prompt + completion,
        whole_number(read.get("cached_tokens")) if isinstance(read, dict) else None,
        whole_number(written.get("reasoning_tokens")) if isinstance(written, dict) else None,
    )


def read_logprobs(logprobs: Any) -> dict[str, Any] | None:
    """Keep the tokens that are well-formed: frameworks merge and validate them.

    Args:
        logprobs: The server's ``logprobs``.
    """
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    return {"content": [_only_known(token) for token in tokens if _is_token(token)]}


def _is_token(token: Any) -> bool:
    if not _is_candidate(token):
        return False
    others = token.get("top_logprobs")
    return not others or (isinstance(others, list) and all(map(_is_candidate, others)))


def _is_candidate(candidate: Any) -> bool:
    if not isinstance(candidate, dict) or not isinstance(candidate.get("token"), str):
        return False
    if type(candidate.get("logprob")) not in _LOGPROB_TYPES:
        return False
    written = candidate.get("bytes")
    return not written or (isinstance(written, list) and _BYTE_TYPES.issuperset(map(type, written)))


def _only_known(token: dict[str, Any]) -> dict[str, Any]:
    if token.keys() <= _TOKEN_KEYS:
        return token
    return {name: value for name, value in token.items() if name in _TOKEN_KEYS}


_LOGPROB_TYPES = frozenset({float, int, type(None)})
_BYTE_TYPES = frozenset({int})
_TOKEN_KEYS = frozenset({"token", "logprob", "bytes", "top_logprobs"})
