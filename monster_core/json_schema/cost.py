"""Estimate how long a vLLM 0.5 server compiles a concrete node.

outlines 0.0.44 writes a schema as one regular expression, builds the least automaton of it over
bytes, and holds each state against the whole vocabulary (``create_states_mapping`` in ``fsm/``).
A wide state, out of which most characters lead as inside a free string, takes longer: there every
token is followed to its end. ``benchmarks/schema_costs`` measures it (128,000 tokens, one core).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeAlias

from . import ir
from .emit import ANYTHING, encoded

_PER_STATE = 0.0165  # seconds
_PER_WIDE_STATE = 0.105
_TO_BUILD = 2e-5  # for an expression of one state; grows with the power of 1.5
_MAX_STATES = 10**9  # what doubles at every step stays a number that a float can hold
_Cost: TypeAlias = tuple[int, int, int]  # states, how many are wide, those of the expression


class Costs:
    """Estimate nodes, each once, whose numbers have at most so many digits; 0 for any number."""

    def __init__(self, max_digits: int = 0) -> None:
        self._known: dict[int, tuple[ir.Node, _Cost]] = {}
        self._max_digits = max_digits

    def seconds(self, node: ir.Node) -> float:
        """Return the seconds of one core that the server compiles a node."""
        states, wide, raw = self._of(node)
        return float(states * _PER_STATE + wide * _PER_WIDE_STATE + _TO_BUILD * raw**1.5)

    def _of(self, node: ir.Node) -> _Cost:
        known = self._known.get(id(node))
        if known is None:
            states, wide, raw = (min(count, _MAX_STATES) for count in self._estimate(node))
            known = self._known[id(node)] = (node, (states, wide, raw))
        return known[1]

    def _estimate(self, node: ir.Node) -> _Cost:
        match node:
            case ir.Anything():
                return self._of(ANYTHING)
            case ir.Regex(_, states, wide):
                return states + 4, wide, states + 2
            case ir.Literal(values):
                texts = [f'"{encoded(v)}"' if isinstance(v, str) else str(v) for v in values]
                states, _ = _least([text.encode() for text in texts])
                return states, 0, sum(map(len, texts)) // 4  # listed values are built quickly
            case ir.Union(options):
                objects = [option for option in options if isinstance(option, ir.Object)]
                others = [self._of(one) for one in options if not isinstance(one, ir.Object)]
                return _sum([self._objects(objects), *others]) if objects else _sum(others)
            case ir.Object():
                return self._objects([node])
            case ir.Array(items):
                (states, wide, raw), copies = self._of(items), ir.copies_of_items(node)
                return 4 + copies * (states + 3), copies * wide, 4 + max(copies, 2) * (raw + 3)
            case ir.Tuple(items):
                return _sum([(4, 0, 4), *map(self._of, items), *[(3, 0, 3)] * len(items)])
            case ir.Map(values) if not isinstance(values, ir.Never):
                return _sum([(15, 1, 24), self._of(values), (0, 0, self._of(values)[2])])
            case ir.Numeric(whole):
                digits = self._max_digits if whole else 2 * self._max_digits
                return (4 if whole else 9) + digits, 0, 10 + 2 * digits
        small: dict[type, _Cost] = {ir.Boolean: (9, 0, 10), ir.Null: (4, 0, 4), ir.Map: (4, 0, 4)}
        return small.get(type(node), (0, 0, 0))

    def _objects(self, objects: list[ir.Object]) -> _Cost:
        """Estimate alternatives; what they begin or end with alike is built, but then merged."""
        rows = [tuple(map(self._member, node.fields)) for node in objects]
        merged = _least(rows)[1] if len(rows) > 1 else rows[0]
        states, wide, _ = _sum([(3, 0, 0), *(member[-1] for member in merged)])
        return states, wide, 3 + sum(member[-1][2] for row in rows for member in row)

    def _member(self, field: ir.Field) -> tuple[str, ir.Node | None, _Cost]:
        """Return a property's name, its node if that tells it from another, and its cost."""
        around = len(encoded(field.name).encode()) + 7  # quotation marks, colon, comma, white space
        cost = _sum([self._of(field.node), (around, 0, around)])
        return field.name, None if ir.parts_of(field.node) else field.node, cost


def _sum(costs: Iterable[_Cost]) -> _Cost:
    states, wide, raw = map(sum, zip(*costs, strict=True))
    return states, wide, raw


def _least(rows: Iterable[Sequence[Hashable]]) -> tuple[int, list[Any]]:
    """Return the states of the least automaton for some sequences, and the items on its edges."""
    following: dict[Hashable, set[Any]] = {}  # what may follow a beginning
    for row in rows:
        for end in range(len(row) + 1):
            following.setdefault(row[:end], set()).add(row[end:])
    kinds = set(map(frozenset, following.values()))
    return len(kinds) + 1, [one for kind in kinds for one in {rest[0] for rest in kind if rest}]
