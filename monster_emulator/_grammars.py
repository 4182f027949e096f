"""The grammars of constrained answers, in the dialect of Lark that llguidance runs.

The compiler of the server (interegular) takes the syntax of Python without anchors, boundaries and
back-references; its classes are ASCII. The syntax of llguidance is that of Rust.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ._errors import Crash, NotEmulated

# any object or array, as the server's grammar for `response_format` has it: no scalar at the top
ANY_JSON = r"""
start: object | array
value: object | array | STRING | NUMBER | "true" | "false" | "null"
array: "[" [value ("," value)*] "]"
object: "{" [STRING ":" value ("," STRING ":" value)*] "}"
STRING: /"([^"\\\x00-\x1f]|\\["\\\/bfnrt])*"/
NUMBER: /-?(0|[1-9][0-9]*)(\.[0-9]+)?/
%ignore /[ \t\n\r]+/
"""

# terminals that the server's library knows beyond llguidance's
_TERMINALS = {
    "UNESCAPED_STRING": r'/"[^"]*"/',
}
_IMPORT = re.compile(r"^\s*%import\s+common\.(\w+)(?:\s*->\s*(\w+))?\s*$", re.MULTILINE)

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


def of_pattern(pattern: str) -> str:
    """Write a regular expression as a grammar."""
    return f"start: /{_translate(pattern)}/"


def of_choices(choices: Sequence[str]) -> str:
    """Write a choice as a grammar."""
    return of_pattern(f"({'|'.join(map(re.escape, choices))})")


def of_lark(grammar: str) -> str:
    """Write a request's grammar with the terminals that llguidance does not have."""
    return _IMPORT.sub(_defined, grammar)


def _defined(found: re.Match[str]) -> str:
    terminal, alias = found[1], found[2] or found[1]
    return f"{alias}: {_TERMINALS[terminal]}" if terminal in _TERMINALS else found[0]


def _translate(pattern: str) -> str:
    """Write a pattern in Rust's syntax."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Crash("the pattern is none") from error
    return _Translation(pattern).whole()


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
