"""Reads the one JSON value an answer is meant to be, or says why there is none."""

from __future__ import annotations

import json
import re
from typing import Any

from .errors import UnreadableAnswer

_FENCE = re.compile(r"\A\s*```[\w+-]*[ \t]*\n(.*?)(?:\n?[ \t]*```\s*)?\Z", re.DOTALL)
_ENDLESS = 64  # characters of white space that no serialiser writes, but a model that is stuck does
_SPACE = " \t\r\n"


def read_json_answer(text: str) -> Any:
    """Read the JSON value of an answer; white space and a code fence around it are passed over.

    Args:
        text: The complete answer.

    Raises:
        UnreadableAnswer: It is no complete JSON text; ``kind`` tells in which way.
    """
    fenced = _FENCE.match(text)
    body = (fenced[1] if fenced else text).strip(_SPACE)
    if not body:
        raise _empty(text)
    try:
        value = json.loads(body, parse_constant=_refused)
    except RecursionError:
        raise UnreadableAnswer("the answer is nested too deeply", text, "not JSON") from None
    except ValueError as error:
        raise _unreadable(body, text, error) from None
    return value


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _empty(text: str) -> UnreadableAnswer:
    if len(text) >= _ENDLESS:
        return UnreadableAnswer("the answer is nothing but white space", text, "endless whitespace")
    return UnreadableAnswer("the answer is empty", text, "empty")


def _unreadable(body: str, text: str, error: ValueError) -> UnreadableAnswer:
    if not _is_cut(body):
        return UnreadableAnswer(f"the answer is not JSON: {error}", text, "not JSON")
    if len(text) - len(text.rstrip(_SPACE)) >= _ENDLESS:
        reason = "the answer runs out into white space before it is complete"
        return UnreadableAnswer(reason, text, "endless whitespace")
    return UnreadableAnswer("the answer ends before it is complete", text, "truncated")


def _is_cut(body: str) -> bool:
    """Tell a text that only lacks its end from one that is wrong before it."""
    if body[0] not in '{["-0123456789tfn':
        return False
    try:
        json.JSONDecoder().raw_decode(body)
    except json.JSONDecodeError as error:
        unfinished = error.msg.startswith("Unterminated string")
        left = body[error.pos :]
        # the decoder stops at the start of a token that the end of the text cuts in two
        return unfinished or not left or _begins_a_token(left)
    return False


def _begins_a_token(left: str) -> bool:
    words = ("true", "false", "null")
    return left in "-" or any(word.startswith(left) for word in words) or left.startswith("\\")
