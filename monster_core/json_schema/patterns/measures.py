"""Measure parsed regular expressions: lengths, anchors, and states of the automaton."""

from __future__ import annotations

from .ast import Anchor, Chars, Choice, Part, Repeat, Sequence

_WIDE = 30  # characters


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
            return int(sum(min(high, 0x7F) - low + 1 for low, high in ranges if low < 0x80) > _WIDE)
    return 0
