"""Translate a schema's regular expression into one over JSON text, as the server wants it.

The server matches a ``pattern`` against everything between the quotation marks, escapes and all,
and it must match whole. A schema's pattern matches anywhere in the value. So anchors turn into
nothing, their absence into arbitrary text, and characters that JSON escapes into their escapes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from monster_core.json_schema.ir import Regex

from .ast import (
    ANY,
    ANY_TEXT,
    LAST,
    Anchor,
    Chars,
    Choice,
    Part,
    Repeat,
    Sequence,
    UnsupportedPattern,
    chars,
    has_anchor,
    is_bound_to_start,
    shortest,
    states_of,
    varies,
    wide_states_of,
)
from .parser import parse

_MAX_STATES = 64
_MIN_FORM_CHARS = 4
_MAX_OPTIONAL_REPEATS = 16  # more of them are worth less than they cost
_MAX_SET_CHARS = 256
_ESCAPES = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\\\"}
_UNSAFE = chars([(0, 0x1F), (34, 34), (92, 92)])


@lru_cache(maxsize=512)
def translate(source: str, *, is_bounded: bool = True) -> tuple[Regex, bool]:
    """Translate a pattern; counts that are too large for the server are widened.

    Args:
        source: The pattern as it stands in the schema.
        is_bounded: Whether large counts are widened.

    Returns:
        The server's regular expression, and whether it means exactly the same.

    Raises:
        UnsupportedPattern: There is no counterpart.
    """
    parsed = parse(source)
    part = whole = _unanchored(parsed)
    if is_bounded:
        part = _bounded(whole)
    exact = part == whole and "(?" not in source and is_bound_to_start(parsed)
    text = _grouped(part) if isinstance(part, Choice) else _written(part)
    return Regex(text, states_of(part), wide_states_of(part)), exact


def _bounded(part: Part) -> Part:
    part, ceiling = _widened(part, _MAX_STATES), _MAX_STATES
    while states_of(part) > _MAX_STATES and ceiling > 1:
        ceiling //= 4
        part = _widened(part, ceiling)
    if states_of(part) > _MAX_STATES:
        raise UnsupportedPattern("more states than the server can bear")
    return part


@lru_cache(maxsize=256)
def any_text(low: int = 0, high: int | None = None) -> Regex:
    """Write the pattern of arbitrary text between two lengths."""
    part = Repeat(ANY, low, high)
    return Regex(_written(part), states_of(part), wide_states_of(part))


def _unanchored(part: Part) -> Part:
    """Turn a search into a match of the whole text."""
    if isinstance(part, Choice):
        return Choice(tuple(_unanchored(option) for option in part.options))
    parts = list(part.parts) if isinstance(part, Sequence) else [part]
    starts = ends = False
    while parts and parts[0] == Anchor(end=False):
        starts, parts = True, parts[1:]
    while parts and parts[-1] == Anchor(end=True):
        ends, parts = True, parts[:-1]
    if starts and ends and len(parts) == 1 and has_anchor(parts[0]):
        return _unanchored(parts[0])
    if any(has_anchor(inner) for inner in parts):
        raise UnsupportedPattern("an anchor inside the expression")
    if not parts and not (starts and ends):
        return ANY_TEXT
    if not starts and (ends or not _is_whole(Sequence(tuple(parts)))):
        raise UnsupportedPattern("it may stand anywhere in the text")
    return Sequence((*parts, *([] if ends else [ANY_TEXT])))


def _is_whole(part: Part) -> bool:
    """Return whether an expression without anchors describes a value from its start.

    By the specification it may stand after arbitrary text, but a model that has begun with
    anything else then never comes to an end. A word, or two characters, is meant to stand
    anywhere; a longer expression with classes of characters describes the whole value, and its
    author forgot the anchors.
    """
    return shortest(part) >= _MIN_FORM_CHARS and varies(part)


def _widened(part: Part, ceiling: int) -> Part:
    """Widen every count above the ceiling: fewer repeats at least, any number at most."""
    match part:
        case Sequence(parts):
            return Sequence(tuple(_widened(inner, ceiling) for inner in parts))
        case Choice(options):
            return Choice(tuple(_widened(inner, ceiling) for inner in options))
        case Repeat(inner, low, high):
            if high is not None and (high > ceiling or high - low > _MAX_OPTIONAL_REPEATS):
                high = None
            return Repeat(_widened(inner, ceiling), min(low, ceiling), high)
    return part


def _written(part: Part) -> str:
    match part:
        case Chars():
            return _set(part)
        case Sequence(parts):
            return "".join(_grouped(p) if isinstance(p, Choice) else _written(p) for p in parts)
        case Choice(options):
            return "|".join(map(_written, options))
        case Repeat(inner, low, high):
            return _grouped(inner) + _count(low, high)
    return ""


def _grouped(part: Part) -> str:
    text = _written(part)
    return text if isinstance(part, Chars) else f"({text})"


def _count(low: int, high: int | None) -> str:
    if high is None:
        return {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    if (low, high) == (0, 1):
        return "?"
    return f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def _set(part: Chars) -> str:
    """Write a set: the characters that stand in JSON as they are, and the escapes of the others."""
    escaped = [esc for code, esc in _ESCAPES.items() if _holds(part, code)]
    plain = _plain(part)
    if not escaped:
        if not plain:
            raise UnsupportedPattern("a character that JSON cannot write plainly")
        return plain
    after = f"[{''.join(escaped)}]" if len(escaped) > 1 else escaped[0]
    return f"({plain}|\\\\{after})" if plain else f"(\\\\{after})"


def _holds(part: Chars, code: int) -> bool:
    return any(low <= code <= high for low, high in part.ranges)


def _plain(part: Chars) -> str:
    ranges = _extended(part).ranges
    safe = chars([*chars(ranges, negated=True).ranges, *_UNSAFE.ranges], negated=True).ranges
    if not safe:
        return ""
    if safe[-1][1] == LAST:
        return f"[^{_ranges(chars(safe, negated=True).ranges)}]"
    if len(safe) == 1 and safe[0][0] == safe[0][1]:
        character = chr(safe[0][0])
        return character if character.isalnum() else re.escape(character)
    return f"[{_ranges(safe)}]"


def _extended(part: Chars) -> Chars:
    """Add all characters beyond ASCII to a set that holds many of them: each costs a state."""
    beyond = sum(high - max(low, 0x80) + 1 for low, high in part.ranges if high >= 0x80)
    if beyond <= _MAX_SET_CHARS:
        return part
    missing = chars([*part.ranges, (0, 0x7F)], negated=True)
    gaps = sum(high - low + 1 for low, high in missing.ranges)
    return part if gaps <= _MAX_SET_CHARS else chars([*part.ranges, (0x80, LAST)])


def _ranges(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(
        _member(low) if low == high else f"{_member(low)}-{_member(high)}" for low, high in ranges
    )


def _member(code: int) -> str:
    character = chr(code)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\{character}" if character in "^]\\-[" else character
