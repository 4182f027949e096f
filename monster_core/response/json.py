"""Read the JSON text of a response: whole, in a code fence, cut, or while it streams."""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from typing import Any

from pydantic_core import from_json

from monster_core.errors import (
    IGNORED_GUIDE_ADVICE,
    StructuredAnswerError,
    TruncatedAnswerError,
)
from monster_core.json_values import read_json

__all__ = ["PartialJson", "is_cut", "parse_json_text", "parse_partial_json"]

_FENCE = re.compile(r"\A\s*```[\w+-]*[ \t]*\n(.*?)(?:\n?[ \t]*```\s*)?\Z", re.DOTALL)
_ENDLESS_SPACE_CHARS = 64  # white space that no serializer writes, but a model that is stuck does
_SPACE = " \t\r\n"
_WORDS = ("true", "false", "null")


def parse_json_text(text: str, finish_reason: str | None, *, is_guided: bool = False) -> Any:
    """Return the JSON value that a text is; white space and a code fence around it are skipped.

    Args:
        text: The whole text.
        finish_reason: Why the response ended.
        is_guided: Whether the server was asked to let nothing but JSON through.

    Raises:
        TruncatedAnswerError: ``max_tokens`` cut the text.
        StructuredAnswerError: The text is not JSON.
    """
    fenced = _FENCE.match(text)
    body = (fenced[1] if fenced else text).strip(_SPACE)
    try:
        return read_json(body)
    except ValueError as error:
        reason = _reason(body, text, error)
        if finish_reason == "length":
            raise _truncated(text) from None
        advice = f" {IGNORED_GUIDE_ADVICE}" if is_guided and not is_cut(body) else ""
        raise StructuredAnswerError(f"The answer is not JSON: {reason}.{advice}") from None


def _reason(body: str, text: str, error: ValueError) -> str:
    if not body:
        is_endless = len(text) >= _ENDLESS_SPACE_CHARS
        return "it is nothing but white space" if is_endless else "it is empty"
    return "it ends before it is complete" if is_cut(body) else str(error)


def _truncated(text: str) -> TruncatedAnswerError:
    if len(text) - len(text.rstrip(_SPACE)) >= _ENDLESS_SPACE_CHARS:
        return TruncatedAnswerError(
            "The model wrote white space until max_tokens: tell it in the prompt to answer in "
            "JSON, or set guided_whitespace_pattern to ''."
        )
    return TruncatedAnswerError(
        "max_tokens cut the answer before its JSON was complete: raise max_tokens and ask again."
    )


def is_cut(body: str) -> bool:
    """Return whether a text is JSON that only lacks its end.

    Args:
        body: The text, without white space around it.
    """
    if not body or body[0] not in '{["-0123456789tfn':
        return False
    try:
        JSONDecoder().raw_decode(body)
    except JSONDecodeError as error:
        left = body[error.pos :]
        # the decoder stops at the start of a token that the end of the text cuts in two
        return error.msg.startswith("Unterminated string") or left in "-\\" or _begins_word(left)
    except (ValueError, RecursionError):  # too many digits, or nested too deeply
        return False
    return False


def _begins_word(left: str) -> bool:
    return any(word.startswith(left) for word in _WORDS)


def parse_partial_json(text: str) -> Any:
    """Return the value of the beginning of a JSON text, None if it is not one.

    The last string may be incomplete; a number or a word counts once it is complete.

    Args:
        text: The text so far.
    """
    number = None
    if text.endswith(_NUMBER_ENDINGS):
        number = _TRAILING_NUMBER.search(text, max(0, len(text) - _MAX_NUMBER_CHARS))
    whole = text[: number.start()] if number else text
    try:
        return from_json(whole, allow_partial="trailing-strings", allow_inf_nan=False)
    except ValueError:
        return None


# pydantic_core would show the 1 of a 10 that has not arrived as a whole
_TRAILING_NUMBER = re.compile(r"(?<=[\[:,\s])-?[0-9][0-9.eE+-]*\Z")
_NUMBER_ENDINGS = tuple("0123456789.eE+-")
_MAX_NUMBER_CHARS = 5000


class PartialJson:
    """Parse a JSON text again and again while it grows.

    Parsing starts from the beginning each time, so the time for a whole text would grow with the
    square of its length. From 1,024 characters on the text is therefore parsed only when it has
    grown by 1/1024: a text of 80,000 characters at every 20th token or so.
    """

    __slots__ = ("_length", "_parsed_length", "_pieces", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self._pieces: list[str] = []
        self._length = 0
        self._parsed_length = 0

    def feed(self, piece: str) -> bool:
        """Add the next piece of the text.

        Args:
            piece: The piece.

        Returns:
            Whether ``value`` is new; it shares no list or dict with an earlier one.
        """
        if not piece:
            return False
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length - self._parsed_length <= self._length // _PARSES_PER_LENGTH:
            return False
        self._pieces = ["".join(self._pieces)]
        self._parsed_length = self._length
        value = parse_partial_json(self._pieces[0])
        if value is None:
            return False
        self.value = value
        return True


_PARSES_PER_LENGTH = 1024
