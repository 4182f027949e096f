"""The parts of a regular expression, with characters as sets of code points, and their measures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

LAST = 0x10FFFF


class UnsupportedPattern(ValueError):
    """Report a regular expression that has no counterpart on the server."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of sorted, disjoint, inclusive ranges of code points."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after another."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several parts."""

    options: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part several times; without a highest number when it is None."""

    part: Part
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The start of the text, or its end."""

    end: bool


Part: TypeAlias = Chars | Sequence | Choice | Repeat | Anchor


def chars(ranges: Iterable[tuple[int, int]], negated: bool = False) -> Chars:
    """Build a character set: sorted, merged, and complemented when negated."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return Chars(_complement(merged) if negated else tuple(merged))


def _complement(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    gaps, start = [], 0
    for low, high in ranges:
        if low > start:
            gaps.append((start, low - 1))
        start = high + 1
    return (*gaps, (start, LAST)) if start <= LAST else tuple(gaps)


def one(character: str) -> Chars:
    """Build the set of a single character."""
    return Chars(((ord(character), ord(character)),))


DIGIT = chars([(0x30, 0x39)])
WORD = chars([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
SPACE = chars([(9, 13), (32, 32)])
DOT = chars([(10, 10), (13, 13)], negated=True)
ANY = chars([(0, LAST)])
ANY_TEXT = Repeat(ANY, 0, None)
EMPTY = Sequence(())

_MIN_WIDE_CHARS = 30


def shortest(part: Part) -> int:
    """Count the characters of the shortest text that matches."""
    match part:
        case Sequence(parts):
            return sum(map(shortest, parts))
        case Choice(options):
            return min(map(shortest, options))
        case Repeat(inner, low):
            return low * shortest(inner)
    return 1 if isinstance(part, Chars) else 0


def varies(part: Part) -> bool:
    """Return whether any place in the text may hold different characters."""
    match part:
        case Sequence(parts) | Choice(parts):
            return any(map(varies, parts))
        case Repeat(inner):
            return varies(inner)
        case Chars(ranges):
            return ranges[0][0] != ranges[-1][1] if ranges else False
    return False


def is_bound_to_start(part: Part) -> bool:
    """Return whether a parsed expression is bound to the start of the text, or says nothing."""
    match part:
        case Choice(options):
            return all(map(is_bound_to_start, options))
        case Sequence(()):
            return True
        case Sequence(parts):
            return is_bound_to_start(parts[0])
    return part == Anchor(end=False)


def has_anchor(part: Part) -> bool:
    """Return whether an anchor stands anywhere in an expression."""
    match part:
        case Anchor():
            return True
        case Sequence(parts) | Choice(parts):
            return any(map(has_anchor, parts))
        case Repeat(inner):
            return has_anchor(inner)
    return False


def states_of(part: Part) -> int:
    """Estimate the states of the automaton; a character beyond ASCII is several bytes."""
    match part:
        case Sequence(parts) | Choice(parts):
            return sum(map(states_of, parts))
        case Repeat(inner, low, high):
            return states_of(inner) * max(low, high or 0, 1)
        case Chars(ranges):
            return 1 if not ranges or ranges[-1][1] < 0x80 else 4
    return 0


def wide_states_of(part: Part) -> int:
    """Estimate the states that many characters lead out of."""
    match part:
        case Sequence(parts) | Choice(parts):
            return sum(map(wide_states_of, parts))
        case Repeat(inner, low, high):
            return wide_states_of(inner) * max(low, high or 0, 1)
        case Chars(ranges):
            return int(
                sum(min(high, 0x7F) - low + 1 for low, high in ranges if low < 0x80)
                > _MIN_WIDE_CHARS
            )
    return 0
