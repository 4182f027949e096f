"""Regular expressions: from the dialect that the server compiles to the one that runs here.

The server's compiler (interegular) takes Python's syntax without anchors, boundaries and
back-references; its classes are ASCII. Here llguidance runs them, whose syntax is Rust's.
"""

from __future__ import annotations

import re

from ._errors import Crash, NotEmulated, Refusal
from ._guide import compiled

_CLASSES = {
    "d": "[0-9]",
    "D": "[^0-9]",
    "s": r"[ \t\n\r\f\v]",
    "S": r"[^ \t\n\r\f\v]",
    "w": "[0-9A-Z_a-z]",
    "W": "[^0-9A-Z_a-z]",
}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_CODE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_QUANTIFIER = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")
_LOOK_AHEAD = re.compile(r"\(\?[=!]")
_LOOK_BEHIND = re.compile(r"\(\?<[=!]")


def translate(pattern: str) -> str:
    """Write a pattern in Rust's syntax."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Crash("the pattern is none") from error
    return _Translation(pattern).whole()


def fits(pattern: str, text: str) -> bool:
    """Return whether a whole text matches a pattern; false if the pattern cannot be compiled."""
    try:
        return compiled(f"start: /{translate(pattern)}/").accepts(text.encode())
    except (Crash, NotEmulated, Refusal):
        return False


class _Translation:
    """Walks through one pattern, which is known to be valid in Python."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._place = 0
        self._written: list[str] = []

    def whole(self) -> str:
        while self._place < len(self._pattern):
            self._written.append(self._next())
        return "".join(self._written)

    def _next(self) -> str:
        character = self._pattern[self._place]
        if character in "^$" or _LOOK_BEHIND.match(self._pattern, self._place):
            raise Crash("the server compiles neither anchors nor look-behinds")
        if _LOOK_AHEAD.match(self._pattern, self._place):
            raise NotEmulated(
                "This emulator compiles no look-ahead, and the server only some: "
                "use a pattern without one."
            )
        if character == "\\":
            return self._escape()
        if character == "[":
            return self._class()
        if character == "{" and (found := _QUANTIFIER.match(self._pattern, self._place)):
            self._place = found.end()
            return _quantifier(found)
        self._place += 1
        return character if character in "()|*+?." else _literal(character)

    def _class(self) -> str:
        self._place += 1
        written = "["
        if self._pattern.startswith("^", self._place):
            self._place += 1
            written += "^"
        first = self._place
        while (character := self._pattern[self._place]) != "]" or self._place == first:
            if character == "\\":
                written += self._escape()
            else:
                self._place += 1
                written += "-" if character == "-" else _literal(character)
        self._place += 1
        return f"{written}]"

    def _escape(self) -> str:
        if found := _CODE.match(self._pattern, self._place):
            self._place = found.end()
            return _literal(chr(int(next(filter(None, found.groups())), 16)))
        character = self._pattern[self._place + 1]
        self._place += 2
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _CONTROLS:
            return _literal(_CONTROLS[character])
        if character.isalnum():
            raise Crash("the server compiles neither boundaries nor back-references")
        return _literal(character)


def _quantifier(found: re.Match[str]) -> str:
    least, comma, most = found.groups()
    if not comma:
        return found[0] if least else _literal("{") + _literal("}")
    return f"{{{least or 0},{most}}}"


def _literal(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return f"\\x{{{ord(character):x}}}"
