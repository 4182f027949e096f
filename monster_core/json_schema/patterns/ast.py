"""The parts of a regular expression, with characters as sets of code points."""

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
