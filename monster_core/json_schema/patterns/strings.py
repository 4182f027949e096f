"""Decide which one regular expression stands for everything a schema asks of a string.

Every string is sent with a pattern, also one without demands: the server's own notion of a string
knows no escape but the backslash's, so that a model could write neither a quotation mark nor a
line break; and it takes ten times as long to compile.
"""

from __future__ import annotations

import re

from monster_core.json_schema.ir import Regex, Text

from .ast import UnsupportedPattern
from .translate import any_text, translate

_LONGEST = 24
_SHORTEST = 24
_MAX_EXACT_CHARS = 64
_HTTP = r"^https?://\S+$"
_HTTP_LENGTH = 2083  # pydantic's mark of an HttpUrl, which JSON schema has no format for
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?"
_DAY = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_BYTE = r"(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])"
_GROUP = r"[\da-fA-F]{1,4}"
_IPV6 = (
    rf"^({_GROUP}:){{7}}{_GROUP}$|"
    rf"^({_GROUP}(:{_GROUP}){{0,5}})?::({_GROUP}(:{_GROUP}){{0,5}})?$"
)
_FORMATS = {
    "date-time": f"^{_DAY}T{_CLOCK}$",
    "date": f"^{_DAY}$",
    "time": f"^{_CLOCK}$",
    "uuid": r"^[\da-fA-F]{8}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{12}$",
    # bounded where they begin: a model that has begun with anything else must come to an end
    "email": r"^[\w.!#$%&'*+/=?^`{|}~-]{1,32}@[^@\s]+$",
    "idn-email": r"^[^@\s]+@[^@\s]+$",
    "uri": r"^[A-Za-z][A-Za-z\d+.-]{0,15}:\S+$",
    "iri": r"^[A-Za-z][A-Za-z\d+.-]{0,15}:\S+$",
    "uri-reference": r"^\S*$",
    "ipv4": rf"^{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}$",
    "ipv6": _IPV6,
    "hostname": r"^[A-Za-z\d.-]+$",
    "duration": r"^-?P(\d+[YMWD])*(\d+[YMWD]|T(\d+[HM])*\d+(\.\d+)?[HMS])$",
}
_EXACT = frozenset({"uuid", "ipv4", "uri-reference"})
_UNCHECKED = frozenset({"password", "binary", "byte", "color"})


def regex_of(text: Text) -> tuple[Regex, list[str]]:
    """Choose the regular expression of a string.

    Args:
        text: What the schema asks of it.

    Returns:
        The expression, and a sentence for each demand it does not enforce.
    """
    loose: list[str] = []
    regex = _of_patterns(text, loose) or _of_formats(text, loose)
    if regex is None:
        return _of_length(text, loose), loose
    # one character at least: the expression itself mostly sees to that
    low = None if text.low <= 1 and not re.fullmatch(regex.source, "") else text.low
    loose += [
        f"{keyword} {bound} is not enforced by the server"
        for keyword, bound in (("minLength", low), ("maxLength", text.high))
        if bound
    ]
    return regex, loose


def _of_patterns(text: Text, loose: list[str]) -> Regex | None:
    chosen: Regex | None = None
    for pattern in text.patterns:
        try:
            regex, exact = translate(pattern)
        except UnsupportedPattern as error:
            loose.append(f"pattern {pattern!r} is not enforced by the server ({error})")
            continue
        if chosen is not None:
            loose.append(f"pattern {pattern!r} is not enforced by the server beside another")
        elif not exact:
            loose.append(f"pattern {pattern!r} is enforced by the server only in outline")
        chosen = chosen or regex
    return chosen


def _of_formats(text: Text, loose: list[str]) -> Regex | None:
    """Choose the format's expression; beside a pattern it has already lost."""
    chosen: Regex | None = None
    for name in text.formats:
        known = _FORMATS.get(name)
        if name == "uri" and text.high == _HTTP_LENGTH:
            known = _HTTP
        if known is None:
            if name not in _UNCHECKED:
                loose.append(f"format {name!r} is not enforced by the server")
            continue
        if chosen is None:
            chosen = translate(known, is_bounded=False)[0]
            if name not in _EXACT:
                loose.append(f"format {name!r} is enforced by the server only in outline")
    return chosen


def _of_length(text: Text, loose: list[str]) -> Regex:
    low, high = text.low, text.high
    if low == high and low <= _MAX_EXACT_CHARS:
        return any_text(low, high)
    if high is not None and high > _LONGEST:
        loose.append(f"maxLength {high} is not enforced by the server")
        high = None
    if low > _SHORTEST and low != high:
        loose.append(f"minLength {low} is enforced by the server only up to {_SHORTEST}")
        low = _SHORTEST
    return any_text(low, high)
