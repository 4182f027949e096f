"""Estimate how long a vLLM 0.5 server compiles a concrete node.

outlines 0.0.44 writes a schema as one regular expression, builds a finite automaton of it (over
bytes, least), and holds each state against the whole vocabulary (``create_states_mapping`` in its
``fsm/guide.py``). A wide state, out of which most characters lead as inside a free string, takes
longer: every token is followed to its end there. The figures are seconds of one core, with a
vocabulary of 128,000 tokens (Llama 3's); ``benchmarks/schema_costs`` measures them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from math import sqrt
from typing import Any, NamedTuple

from .emit import ANYTHING, encoded
from .ir import (
    Anything,
    Array,
    Boolean,
    Field,
    Literal,
    Map,
    Never,
    Node,
    Null,
    Numeric,
    Object,
    Regex,
    Tuple,
    Union,
    parts_of,
)

_SECONDS_PER_STATE = 0.0165
_SECONDS_PER_WIDE_STATE = 0.105
_SECONDS_TO_BUILD = 2e-5  # for an expression of one state; grows with the power of 1.5
_SECONDS_PER_PART = 1.4e-5  # of a schema that lm-format-enforcer reads
_MAX_STATES = 10**9  # what doubles at every step stays a number that a float can hold


class Cost(NamedTuple):
    """Hold the states of the automaton, how many are wide, and those of the expression."""

    states: int = 0
    wide: int = 0
    raw: int = 0

    @property
    def seconds(self) -> float:
        """The seconds of one core that the server compiles."""
        to_index = self.states * _SECONDS_PER_STATE + self.wide * _SECONDS_PER_WIDE_STATE
        return to_index + _SECONDS_TO_BUILD * self.raw * sqrt(self.raw)


class Costs:
    """Estimate nodes, each once, for an engine that compiles them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Node, Cost]] = {}

    def seconds(self, node: Node) -> float:
        """Return the seconds of one core that the server compiles a node."""
        return self.of(node).seconds

    def of(self, node: Node) -> Cost:
        """Return the cost of one node."""
        known = self._known.get(id(node))
        if known is None:
            cost = Cost(*(min(count, _MAX_STATES) for count in self._estimate(node)))
            known = self._known[id(node)] = (node, cost)
        return known[1]

    def _estimate(self, node: Node) -> Cost:
        match node:
            case Anything():
                return self.of(ANYTHING)
            case Regex(_, states, wide):
                return Cost(states + 4, wide, states + 2)
            case Literal(values):
                return _literal(values)
            case Union(options):
                objects = [option for option in options if isinstance(option, Object)]
                others = (self.of(option) for option in options if not isinstance(option, Object))
                return _sum(self._objects(objects), *others)
            case Object():
                return self._objects([node])
            case Array(items):
                final, raw = copies_of_items(node), max(copies_of_items(node), 2)
                return _sum(Cost(4, 0, 4), _times(self.of(items), final, raw, around=3))
            case Tuple(items):
                return _sum(Cost(4, 0, 4), *map(self.of, items), *[Cost(3, 0, 3)] * len(items))
            case Map(values) if not isinstance(values, Never):
                return _sum(Cost(12, 1, 8), _times(self.of(values), 1, 2, around=8))
            case Boolean() | Numeric():
                return Cost(4 if node == Numeric(whole=True) else 9, 0, 10)
        return Cost(4, 0, 4) if isinstance(node, Null | Map) else Cost()

    def _objects(self, objects: Iterable[Object]) -> Cost:
        """Estimate alternatives; what they begin or end with alike is built, but then merged."""
        rows = [[self._member(field) for field in node.fields] for node in objects]
        edges, _ = _minimized(rows)
        merged = _sum(Cost(3 if rows else 0), *(cost for (_, _, cost), _ in edges))
        return merged._replace(raw=sum(cost.raw for row in rows for _, _, cost in row) + 3)

    def _member(self, field: Field) -> tuple[str, Node | None, Cost]:
        """Return a property's name, its node as far as members are told apart by it, its cost."""
        name = encoded(field.name)
        around = len(name.encode()) + 7  # quotation marks, colon, comma and white space
        cost = _sum(self.of(field.node), Cost(around, 0, around))
        return name, None if parts_of(field.node) else field.node, cost


class Sizes:
    """Estimate nodes, each once, for an engine that only reads them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Node, float]] = {}

    def seconds(self, node: Node) -> float:
        """Return the seconds of one core in which the server reads a node."""
        known = self._known.get(id(node))
        if known is None:
            parts = sum(map(self.seconds, parts_of(node)), _SECONDS_PER_PART)
            known = self._known[id(node)] = (node, min(parts, _MAX_STATES))
        return known[1]


def copies_of_items(node: Array) -> int:
    """Return how many items of an array the automaton counts."""
    return 0 if node.high == 0 else max(node.low, node.high or 0, 1)


def _sum(*costs: Cost) -> Cost:
    return Cost(*map(sum, zip(*costs, strict=True)))


def _times(cost: Cost, final: int, raw: int, *, around: int) -> Cost:
    return Cost(final * (cost.states + 3), final * cost.wide, raw * (cost.raw + around))


def _literal(values: tuple[str | int | float, ...]) -> Cost:
    texts = [f'"{encoded(v)}"' if isinstance(v, str) else str(v) for v in values]
    _, states = _minimized(text.encode() for text in texts)
    return Cost(states, 0, sum(map(len, texts)) // 4)  # listed values are built quickly


class _State(dict[Any, "_State"]):
    """Hold what leads out of a state, and where to."""


def _minimized(sequences: Iterable[Sequence[Hashable]]) -> tuple[set[tuple[Any, int]], int]:
    """Return the distinct edges of the least automaton for some sequences, and its states.

    An edge is an item of a sequence and the number of the state it leads to.
    """
    root = _State()
    for sequence in sequences:
        state = root
        for item in sequence:
            state = state.setdefault(item, _State())
        state.setdefault(None, _State())  # the end
    states = [root]
    for state in states:  # the tree, from its root to its leaves
        states += state.values()
    numbers: dict[int, int] = {}
    kinds: dict[frozenset[tuple[Any, int]], int] = {}
    for state in reversed(states):
        outward = frozenset((item, numbers[id(inner)]) for item, inner in state.items())
        numbers[id(state)] = kinds.setdefault(outward, len(kinds))
    return {edge for edges in kinds for edge in edges if edge[0] is not None}, len(kinds)
