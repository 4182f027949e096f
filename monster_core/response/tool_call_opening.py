"""Judge whether text may go on to open a tool call: a mark, a fence, a bracket, a brace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CLOSING_MARKS", "OPENERS", "Opening", "find_opening"]

OPENERS = "{[`<"
"""Every sign that an opening may begin with."""

CLOSING_MARKS = ("</tool_call>", "<|eom_id|>", "```")
"""What may stand behind a call and means nothing by itself."""

_MARKS = ("<tool_call>", "[TOOL_CALLS]", "<|python_tag|>")
_LANGUAGES = ("", "json", "tool_call", "tool_code")
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Opening:
    """Hold what is known of a text that begins with an opener.

    Args:
        kind: "open": an object begins; "refused": it opens nothing; "undecided": more must come.
        brace_at: Where the object begins, for "open".
        is_marked: Whether a mark says that a call follows.
        length: How long the sign or mark is that turned out to open nothing, for "refused".
    """

    kind: Literal["open", "refused", "undecided"]
    brace_at: int = 0
    is_marked: bool = False
    length: int = 1


_UNDECIDED = Opening("undecided")


def find_opening(text: str) -> Opening:
    """Judge the beginning of a text; equal for any cut of the same text.

    Args:
        text: Text whose first sign is one of OPENERS.
    """
    mark = next((mark for mark in _MARKS if text.startswith(mark)), "")
    if not mark and any(mark.startswith(text) for mark in _MARKS):
        return _UNDECIDED
    refused = Opening("refused", length=len(mark) or 1)
    position = _skip_space(text, len(mark))
    if text.startswith("`", position):
        after_fence = _skip_fence(text, position)
        if after_fence is None:
            return refused
        position = _skip_space(text, after_fence)
    if text.startswith("[", position):
        position = _skip_space(text, position + 1)
    if position >= len(text):
        return _UNDECIDED
    return Opening("open", position, bool(mark)) if text[position] == "{" else refused


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _skip_fence(text: str, position: int) -> int | None:
    """Return where a fence and its language end, the text's end if more may come, else None."""
    rest = text[position:]
    if "```".startswith(rest):
        return len(text)
    if not rest.startswith("```"):
        return None
    end = position + 3
    while end < len(text) and (text[end].isalpha() or text[end] == "_"):
        end += 1
    word = text[position + 3 : end]
    if end == len(text):
        return end if any(language.startswith(word) for language in _LANGUAGES) else None
    return end if word in _LANGUAGES else None
