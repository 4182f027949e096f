"""The grammars of constrained answers, in the dialect of Lark that llguidance runs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ._patterns import translate

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


def of_pattern(pattern: str) -> str:
    """Write a regular expression as a grammar."""
    return f"start: /{translate(pattern)}/"


def of_choices(choices: Sequence[str]) -> str:
    """Write a choice as a grammar."""
    return of_pattern(f"({'|'.join(map(re.escape, choices))})")


def of_lark(grammar: str) -> str:
    """Write a request's grammar with the terminals that llguidance does not have."""
    return _IMPORT.sub(_defined, grammar)


def _defined(found: re.Match[str]) -> str:
    terminal, alias = found[1], found[2] or found[1]
    return f"{alias}: {_TERMINALS[terminal]}" if terminal in _TERMINALS else found[0]
