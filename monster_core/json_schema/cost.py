"""Estimate what a concrete node costs the server to compile.

The server builds a finite automaton in Python: each group, repetition and alternative of the
regular expression walks over all the states inside it, once for every kind of character that the
whole expression tells apart, and looks each state up in a list of those it has seen. So the time
grows with states times nesting times alphabet, and with their square. Then every state is held
against the whole vocabulary. The weights are fitted to vLLM 0.5.0 on one core of 2024.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import add

from .emit import ANYTHING, encoded
from .ir import (
    Anything,
    Array,
    Literal,
    Map,
    Node,
    Null,
    Object,
    Presence,
    Regex,
    Tuple,
    Union,
    nodes_of,
)
from .patterns import any_text

_STEP = 5.5e-7  # seconds to follow one kind of character out of one state
_LOOK = 4.5e-7  # seconds to compare two states
_STATE = 2.3e-4  # seconds to index one state
_SPREAD = 7e-9  # seconds to look up where one character leads, for each state there is
_FOLLOW = 5e-7  # seconds to follow one character out of one state backwards
_FREE_NAME = 110_000  # comparisons, for what the server's own notion of a string costs
_BEYOND = 10**12
_NAME = 9  # states of quotation marks, colon, comma and white space around a name and its value


@dataclass(frozen=True, slots=True)
class Cost:
    """Estimate one node in numbers of what the server does.

    Attributes:
        raw: States before minimisation.
        final: States after it.
        walked: States walked over on the way.
        compared: Comparisons of states.
        wide: States that many characters lead out of.
        spread: Comparisons that these cost for every character.
        vague: States that have to be followed at once when minimising, all taken together.
    """

    raw: int = 0
    final: int = 0
    walked: int = 0
    compared: int = 0
    wide: int = 0
    spread: int = 0
    vague: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.raw + other.raw,
            self.final + other.final,
            self.walked + other.walked,
            self.compared + other.compared,
            self.wide + other.wide,
            self.spread + other.spread,
            self.vague + other.vague,
        )

    def clamped(self) -> Cost:
        """Limit the figures to what a float can hold."""
        if self.raw < _BEYOND:
            return self
        return Cost(_BEYOND, _BEYOND, _BEYOND, _BEYOND, _BEYOND, _BEYOND, _BEYOND)

    def times(self, copies: int) -> Cost:
        """Repeat the states; the way to them is walked only twice."""
        return Cost(
            copies * self.raw,
            copies * self.final,
            2 * self.walked,
            2 * self.compared,
            copies * self.wide,
            2 * self.spread,
            copies * self.vague,
        )

    def crossed(self, times: float) -> Cost:
        """Walk over all the states so many times more."""
        return self + self.crossing(times)

    def crossing(self, times: float) -> Cost:
        """Return what it takes to walk over all the states so many times."""
        return Cost(
            walked=round(times * self.raw),
            compared=round(times * self.raw * self.raw / 16),
            spread=round(times * self.raw * self.wide),
        )

    def seconds(self, kinds: int) -> float:
        """Convert to seconds of one core, given the kinds of characters that are distinguished."""
        whole = self.crossed(4)
        return (
            (whole.walked * _STEP + whole.spread * _SPREAD + self.vague * _FOLLOW) * kinds
            + whole.compared * _LOOK
            + self.final * _STATE
        )


class Costs:
    """The costs of nodes, each worked out once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Node, Cost]] = {}

    def of(self, node: Node) -> Cost:
        """Estimate one node."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = (node, self._estimate(node).clamped())
        return known[1]

    def _estimate(self, node: Node) -> Cost:
        match node:
            case Anything():
                return self.of(ANYTHING)
            case Regex(_, states, wide):
                return Cost(states + 2, states + 3, 5 * states + 12, 0, wide, 0, wide * wide)
            case Literal(values):
                return _literal(values)
            case Union(options):
                return self._union(options)
            case Array(items, _, low, high):
                return self._array(self.of(items), low, high)
            case Tuple(items):
                around = 4 + 3 * len(items)
                return self._sum(items) + Cost(around, around, 20 * len(items))
            case Object():
                return self._object(node)
            case Map(values):
                return self._map(self.of(values))
        return Cost(4, 4, 8) if isinstance(node, Null) else Cost(9, 8, 30)

    def _sum(self, nodes: Iterable[Node]) -> Cost:
        return reduce(add, map(self.of, nodes), Cost())

    def _union(self, options: tuple[Node, ...]) -> Cost:
        objects = [self.of(option) for option in options if isinstance(option, Object)]
        others = reduce(add, sorted(objects, key=lambda cost: cost.raw)[:-1], Cost())
        # objects begin alike, and once minimised they end alike
        alike = Cost(-others.raw // 4, -others.final * 2 // 3)
        return (self._sum(options) + alike).crossed(2 + 0.04 * len(options))

    def _array(self, inner: Cost, low: int, high: int | None) -> Cost:
        if high == 0:
            return Cost(3, 3, 10)
        copies = max(low, high or 0, 2)
        items = inner.crossed(3).times(copies) + Cost(2 * copies)
        final = max(low, high or 0, 1) * (inner.final + 2)
        # seen from the end, every item may be any of those a highest number counts
        vague = items.vague if high is None else copies * (items.vague + items.raw)
        return replace(items.crossed(7) + Cost(4), final=final + 4, vague=vague)

    def _map(self, inner: Cost) -> Cost:
        entries = (inner.times(2) + Cost(20, compared=_FREE_NAME)).crossed(10)
        return replace(entries + Cost(4), final=inner.final + 12)

    def _object(self, node: Object) -> Cost:
        names = sum(len(encoded(field.name)) + _NAME for field in node.fields)
        inside = self._sum(field.node for field in node.fields)
        optional = [field for field in node.fields if field.presence is Presence.OPTIONAL]
        # each optional property is a group of its own, and skips to every later one
        for field in optional:
            member = self.of(field.node) + Cost(len(field.name) + _NAME)
            inside += member.crossing(4) + Cost(vague=member.raw * len(optional) // 2)
        return inside + Cost(names + 3, names + 3, 4 * names + len(optional) * len(node.fields))


def _literal(values: tuple[str | int | float, ...]) -> Cost:
    written = sorted(f'"{encoded(v)}"' if isinstance(v, str) else str(v) for v in values)
    length = sum(map(len, written))
    shared = sum(_alike(one, other) for one, other in pairwise(written))
    raw = length - shared
    return Cost(raw, raw // 3 + len(written[0]), round(length * (3.6 + 0.003 * len(values))))


def _alike(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def kinds_of_characters(node: Node) -> int:
    """Count the characters that the regular expression of a node distinguishes."""
    seen = set('"{}[]:, \\')
    for part in nodes_of(node):
        seen.update(_characters(part))
    return len(seen) + 2


def _characters(node: Node) -> set[str]:
    match node:
        case Object(fields):
            return set().union(*(encoded(field.name) for field in fields))
        case Literal(values):
            return set().union(*(str(value) for value in values))
        case Regex(source):
            return set("b") if node == any_text() else set(source) - set("()[]|*+?{}")
        case Array() | Tuple() | Union() | Map():
            return set()
    return set("truefalsn.+-01")
