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
_ESCAPE = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)"
_TOKEN = re.compile(
    rf"(?P<refused>[\^$]|\(\?<[=!])|(?P<look_ahead>\(\?[=!])|(?P<escape>{_ESCAPE})"
    rf"|\[(?P<negated>\^?)(?P<class>\]?(?:{_ESCAPE}|[^\]])*)\]"
    r"|\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\}|(?P<operator>[()|*+?.])|(?P<literal>.)",
    re.DOTALL,
)
_TOKEN_IN_CLASS = re.compile(rf"(?P<escape>{_ESCAPE})|(?P<operator>-)|(?P<literal>.)", re.DOTALL)


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
    return _TOKEN.sub(_translated, pattern)


def _translated(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "refused":
            raise Crash("the server compiles neither anchors nor look-behinds")
        case "look_ahead":
            raise NotEmulated(
                "This emulator compiles no look-ahead, and the server only some: "
                "use a pattern without one."
            )
        case "escape":
            return _unescaped(found[0][1], found[0][2:])
        case "class":
            return f"[{found['negated']}{_TOKEN_IN_CLASS.sub(_translated, found['class'])}]"
        case "most" if found["comma"]:
            return f"{{{found['least'] or 0},{found['most']}}}"
        case "most" if not found["least"]:
            return _literal("{") + _literal("}")
        case "literal":
            return _literal(found[0])
    return found[0]


def _unescaped(character: str, code: str) -> str:
    if code:
        return _literal(chr(int(code, 16)))
    if character in _CLASSES:
        return _CLASSES[character]
    if character.isalnum() and character not in _CONTROLS:
        raise Crash("the server compiles neither boundaries nor back-references")
    return _literal(_CONTROLS.get(character, character))


def _literal(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return f"\\x{{{ord(character):x}}}"
