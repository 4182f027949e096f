"""Read single values of an answer: what is not of its type counts as left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from monster_core.response.types import Usage

__all__ = [
    "NO_JSON",
    "arguments_of",
    "is_error",
    "json_or_none",
    "read_logprobs",
    "read_usage",
    "shown",
    "stop_reason_of",
    "text_of",
    "whole_number",
]

NO_JSON = object()
"""Stands for a text that is no JSON, since null is some."""


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
        value: The value; true and false are no numbers.
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
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else text_of(value)


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
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    return Usage(
        prompt,
        completion,
        _count(usage.get("total_tokens")) or prompt + completion,
        _detail(usage.get("prompt_tokens_details"), "cached_tokens"),
        _detail(usage.get("completion_tokens_details"), "reasoning_tokens"),
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


def _count(value: Any) -> int:
    return whole_number(value) or 0


def _detail(details: Any, name: str) -> int | None:
    return whole_number(details.get(name)) if isinstance(details, Mapping) else None


def _is_token(token: Any) -> bool:
    others = token.get("top_logprobs") or [] if isinstance(token, dict) else None
    return isinstance(others, list) and all(map(_is_candidate, [token, *others]))


def _is_candidate(candidate: Any) -> bool:
    if not isinstance(candidate, dict) or not isinstance(candidate.get("token"), str):
        return False
    logprob, written = candidate.get("logprob"), candidate.get("bytes") or []
    is_number = logprob is None or type(logprob) in (float, int)
    return is_number and isinstance(written, list) and all(type(byte) is int for byte in written)


def _only_known(token: dict[str, Any]) -> dict[str, Any]:
    if token.keys() <= _TOKEN_KEYS:
        return token
    return {name: value for name, value in token.items() if name in _TOKEN_KEYS}


_TOKEN_KEYS = frozenset({"token", "logprob", "bytes", "top_logprobs"})
