"""Choose the one regular expression that stands for all a schema asks of a string.

Every string is sent with a pattern, even one without demands: with the server's own
(``STRING_INNER`` in outlines 0.0.44) a model can escape only the backslash, and write neither a
quotation mark nor a line break.
"""

from __future__ import annotations

import re

from monster_core.json_schema.ir import Regex, Text

from .ast import UnsupportedPattern
from .translate import any_text, translate

_MAX_LENGTH_CHARS = 24  # of maxLength: each character is a state
_MAX_LEAST_CHARS = 24  # of minLength
_MAX_EXACT_CHARS = 64
_HTTP = r"^https?://\S+$"
_HTTP_MAX_CHARS = 2083  # pydantic's mark of an HttpUrl, which JSON schema has no format for
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
    not_enforced: list[str] = []
    regex = _of_patterns(text, not_enforced) or _of_formats(text, not_enforced)
    if regex is None:
        return _of_length(text, not_enforced), not_enforced
    # one character at least: the expression itself mostly sees to that
    low = None if text.low <= 1 and not re.fullmatch(regex.source, "") else text.low
    not_enforced += [
        f"{keyword} {bound} is not enforced by the server"
        for keyword, bound in (("minLength", low), ("maxLength", text.high))
        if bound
    ]
    return regex, not_enforced


def _of_patterns(text: Text, not_enforced: list[str]) -> Regex | None:
    chosen: Regex | None = None
    for pattern in text.patterns:
        try:
            regex, exact = translate(pattern)
        except UnsupportedPattern as error:
            not_enforced.append(f"pattern {pattern!r} is not enforced by the server ({error})")
            continue
        if chosen is not None:
            not_enforced.append(f"pattern {pattern!r} is not enforced by the server beside another")
        elif not exact:
            not_enforced.append(f"pattern {pattern!r} is enforced by the server only in outline")
        chosen = chosen or regex
    return chosen


def _of_formats(text: Text, not_enforced: list[str]) -> Regex | None:
    """Choose the expression of the first format that has one."""
    chosen: Regex | None = None
    for name in text.formats:
        known = _FORMATS.get(name)
        if name == "uri" and text.high == _HTTP_MAX_CHARS:
            known = _HTTP
        if known is None:
            if name not in _UNCHECKED:
                not_enforced.append(f"format {name!r} is not enforced by the server")
            continue
        if chosen is None:
            chosen = translate(known, is_bounded=False)[0]
            if name not in _EXACT:
                not_enforced.append(f"format {name!r} is enforced by the server only in outline")
    return chosen


def _of_length(text: Text, not_enforced: list[str]) -> Regex:
    low, high = text.low, text.high
    if low == high and low <= _MAX_EXACT_CHARS:
        return any_text(low, high)
    if high is not None and high > _MAX_LENGTH_CHARS:
        not_enforced.append(f"maxLength {high} is not enforced by the server")
        high = None
    if low > _MAX_LEAST_CHARS and low != high:
        not_enforced.append(
            f"minLength {low} is enforced by the server only up to {_MAX_LEAST_CHARS}"
        )
        low = _MAX_LEAST_CHARS
    return any_text(low, high)
