"""Decide which regular expressions the server can guide an answer by."""

from __future__ import annotations

import re

from monster_core.errors import InvalidRequestError

__all__ = ["guidable_pattern"]


def guidable_pattern(pattern: re.Pattern[str]) -> str:
    """Return a pattern as the server can compile it: it always matches the whole answer.

    Args:
        pattern: The compiled pattern.

    Raises:
        InvalidRequestError: It uses what the server cannot compile.
    """
    if pattern.flags & ~(re.UNICODE | re.DOTALL):
        raise InvalidRequestError("guided_regex takes no flags: write the pattern without them.")
    source = _ANCHORED_START.sub("", _ANCHORED_END.sub(r"\1", pattern.pattern))
    obstacle = next((found[1] for found in _PIECES.finditer(source) if found[1]), None)
    if obstacle:
        raise InvalidRequestError(
            f"guided_regex cannot use {obstacle!r}: the server compiles no look-around, "
            "back-reference, special group or anchor inside a pattern, and no \\u, \\N or \\0."
        )
    return source


_ANCHORED_START = re.compile(r"\A(?:\^|\\A)")
_ANCHORED_END = re.compile(r"(?<!\\)((?:\\\\)*)(?:\$|\\Z)\Z")
_PIECES = re.compile(
    r"\[\^?\]?(?:\\[^uUN]|[^\]\\])*\]"  # a class of characters: nothing in it is an anchor
    r"|(\(\?(?:[=!>#(]|<[=!]|P=)|\\(?:[1-9bBAZuUN]|0(?![0-7]))|[\^$])"
    r"|\\?.",
    re.DOTALL,
)
