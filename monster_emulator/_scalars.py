"""What the server makes of scalar JSON schemas: the patterns of texts, numbers and constants.

They are those of outlines/fsm/json_schema.py:13 and :297.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ._errors import Crash, NotEmulated

MOST_CHARACTERS = 1000

_CHARACTER = r'([^"\\\x00-\x1f\x7f-\x9f]|\\\\)'
_INTEGER = "(-)?(0|[1-9][0-9]*)"
SCALARS = {
    "string": f'"{_CHARACTER}*"',
    "integer": _INTEGER,
    "number": rf"({_INTEGER})(\.[0-9]+)?([eE][+-][0-9]+)?",
    "boolean": "(true|false)",
    "null": "null",
}
_HOUR = "(2[0-3]|[01][0-9])"
_MONTH_AND_DAY = "(1[0-2]|0[1-9])-(3[01]|0[1-9]|[12][0-9])"
_SECOND = f"{_HOUR}:([0-5][0-9]):([0-5][0-9])"
_FORMATS = {
    "date": rf"[0-9]{{4}}-{_MONTH_AND_DAY}",
    "time": rf"{_SECOND}(\\.[0-9]+)?(Z)?",
    "date-time": rf"(-?([1-9][0-9]*)?[0-9]{{4}})-{_MONTH_AND_DAY}T{_SECOND}(\.[0-9]{{3}})?(Z)?",
    "uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


def text_pattern(schema: Mapping[str, Any]) -> str:
    """Write a schema of type string: its lengths count, else its pattern, else its format."""
    if "minLength" in schema or "maxLength" in schema:
        least, most = schema.get("minLength", ""), schema.get("maxLength", "")
        if not isinstance(least or 0, int) or not isinstance(most or 0, int):
            raise Crash("a length is not a number")
        if most and most > MOST_CHARACTERS:
            raise never_ends(f"a text of up to {most} characters")
        return f'"{_CHARACTER}{{{least},{most}}}"'
    if "pattern" in schema:
        pattern = schema["pattern"]
        if pattern[0] == "^" and pattern[-1] == "$":
            raise Crash("the server compiles no anchors")
        return f'("{pattern}")'
    if "format" in schema:
        if schema["format"] not in _FORMATS:
            raise Crash("the server knows no such format")
        return f'"{_FORMATS[schema["format"]]}"'
    return SCALARS["string"]


def constant_pattern(value: Any) -> str | None:
    """Write a constant as Python does (true becomes True); None for null, a list or an object."""
    if isinstance(value, str):
        return f'"{re.escape(value)}"'
    return re.escape(str(value)) if isinstance(value, int | float) else None


def never_ends(what: str) -> NotEmulated:
    """Return the refusal of a schema that would take the server minutes to compile."""
    return NotEmulated(
        f"The server would stand still for minutes to compile this schema ({what}). "
        "This emulator refuses it at once."
    )
