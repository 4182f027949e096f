"""Relax a concrete node until the server compiles it in time, where the least is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .cost import Costs
from .emit import ANYTHING, SCALAR
from .ir import (
    Anything,
    Array,
    Boolean,
    Literal,
    Map,
    Node,
    Null,
    Numeric,
    Object,
    Regex,
    Tuple,
    Union,
    copies_of_items,
    parts_of,
    paths_of,
    union,
    with_parts,
)
from .patterns import any_text

_STAGES = 3  # in which an array goes: its highest number, its lowest, and what its items are
_MAIN_SHARE = 0.7
_MAX_PASSES = 12  # a place can be relaxed again, to the next form


_SECONDS_PER_PART = 1.4e-5  # of a schema that an engine only reads


class _Sizes:
    """Estimate nodes, each once, for an engine that only reads them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Node, float]] = {}

    def seconds(self, node: Node) -> float:
        """Return the seconds of one core in which the server reads a node."""
        known = self._known.get(id(node))
        if known is None:
            seconds = sum(map(self.seconds, parts_of(node)), _SECONDS_PER_PART)
            known = self._known[id(node)] = (node, seconds)
        return known[1]


@dataclass(frozen=True, slots=True)
class _Relaxation:
    """One place at which a node can be replaced by a relaxed one."""

    place: tuple[int, ...]
    path: str
    node: Node
    relaxed: Node
    gain: float  # seconds
    loss: int  # named properties and other demands that are no longer enforced


def _time_for_demand(one: _Relaxation) -> float:
    return one.gain / one.loss


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether one place lies inside the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


class Relaxer:
    """Relax nodes until the server compiles them in time.

    Args:
        limit: Seconds of one core that compiling may take.
        note: Called with a path and a sentence for everything that the server will not enforce.
        compiles: Whether the engine compiles a node, or only reads it.
    """

    def __init__(
        self, limit: float, note: Callable[[str, str], None], *, compiles: bool = True
    ) -> None:
        self.limit = limit
        self._note = note
        self._costs = Costs() if compiles else _Sizes()
        self._demands: dict[int, tuple[Node, int]] = {}
        self._leasts: dict[int, tuple[Node, Node]] = {}

    def seconds(self, node: Node) -> float:
        """Estimate how long the server compiles a node, or reads it."""
        return self._costs.seconds(node)

    def can_relax(self, node: Node) -> bool:
        """Return whether a node, all relaxed, is one that the server compiles in time."""
        return self.seconds(self._least(node)) <= self.limit

    def relax(self, node: Node) -> Node:
        """Return a node that the server compiles in time, relaxed in as few places as possible.

        The places are taken in one fixed order: first those where the most time is saved for
        each demand that is given up. A place where that is not enough is relaxed further in the
        next pass. A node that stays too large in any form is returned as it is.
        """
        if self.seconds(node) <= self.limit or not self.can_relax(node):
            return node
        for _ in range(_MAX_PASSES):
            taken: list[tuple[int, ...]] = []
            for one in sorted(self._relaxations(node), key=_time_for_demand, reverse=True):
                if self.seconds(node) <= self.limit:
                    return node
                if any(_overlap(one.place, other) for other in taken):
                    continue
                # alternatives that were relaxed to the same one have moved those after them
                if _at(node, one.place) is one.node:
                    taken.append(one.place)
                    self._note(one.path, relaxation_sentence(one.node))
                    node = _replaced(node, one.place, one.relaxed)
        return node

    def _relaxations(self, root: Node) -> Iterator[_Relaxation]:
        pending: list[tuple[tuple[int, ...], str, Node, int]] = [((), "$", root, 1)]
        while pending:
            place, path, node, copies = pending.pop()
            relaxed = relaxed_form(node)
            gain = (self.seconds(node) - self.seconds(relaxed)) * copies
            # without the names of the whole, guiding would be worth nothing
            is_whole = path == "$" and isinstance(node, Object | Union)
            if relaxed is not node and gain > 0 and not is_whole:
                demands = self._demands_of(node) - self._demands_of(relaxed)
                yield _Relaxation(place, path, node, relaxed, gain, max(demands, 1))
            inner = copies * copies_of_items(node) if isinstance(node, Array) else copies
            for index, part in enumerate(parts_of(node)):
                if not is_scalar(part):
                    pending.append(((*place, index), paths_of(node, path)[index], part, inner))

    def _demands_of(self, node: Node) -> int:
        known = self._demands.get(id(node))
        if known is None:
            own = len(parts_of(node)) if isinstance(node, Object | Tuple) else 0
            count = own + sum(map(self._demands_of, parts_of(node)))
            known = self._demands[id(node)] = (node, count)
        return known[1]

    def _least(self, node: Node) -> Node:
        """Relax everything that costs less when it is relaxed."""
        known = self._leasts.get(id(node))
        if known is None:
            parts = parts_of(node)
            least = with_parts(node, [self._least(part) for part in parts]) if parts else node
            for _ in range(_STAGES):
                looser = relaxed_form(least)
                least = looser if self.seconds(looser) < self.seconds(least) else least
            known = self._leasts[id(node)] = (node, least)
        return known[1]

    def largest(self, node: Node) -> str:
        """Find the path of the part to which a node owes most of its cost."""
        path = "$"
        while parts := parts_of(node):
            costs = [self.seconds(part) for part in parts]
            heaviest = max(range(len(parts)), key=costs.__getitem__)
            if costs[heaviest] < _MAIN_SHARE * sum(costs):
                break
            node, path = parts[heaviest], paths_of(node, path)[heaviest]
        return path


def _at(node: Node, place: tuple[int, ...]) -> Node | None:
    for index in place:
        parts = parts_of(node)
        if index >= len(parts):
            return None
        node = parts[index]
    return node


def _replaced(node: Node, place: tuple[int, ...], relaxed: Node) -> Node:
    if not place:
        return relaxed
    parts = list(parts_of(node))
    parts[place[0]] = _replaced(parts[place[0]], place[1:], relaxed)
    return with_parts(node, parts)


_FEW_VALUES = 12  # which distinguish alternatives, and cost next to nothing
_SENTENCES = {
    Object: "the object is too large for the server: its names and their order are not enforced",
    Map: "the values are too large for the server: only their types are enforced",
    Tuple: "the positions are too many for the server: only that there are items is enforced",
    Regex: "the pattern is too large for the server",
    Literal: "the listed values are too many for the server",
    Anything: "a value of any type is generated by the server without nesting",
    Union: "the alternatives are too many for the server: only their types are enforced",
}


def is_scalar(node: Node) -> bool:
    """Return whether a node has no looser form at all."""
    return isinstance(node, Null | Boolean | Numeric) or node == any_text()


def relaxed_form(node: Node) -> Node:
    """Return the next looser form of a node, or the node itself if there is none."""
    match node:
        case Object():
            free = _free(parts_of(node))
            return node if free is None else Map(free)
        case Map(values):
            looser_values = relaxed_form(values)
            return node if looser_values is values else replace(node, values=looser_values)
        case Array():
            return _array(node)
        case Tuple(items):
            free = _free(items)
            return node if free is None else Array(free, (), len(items) and 1)
        case Union(options):
            looser = tuple(map(relaxed_form, options))
            changed = any(a is not b for a, b in zip(looser, options, strict=True))
            return union(looser) if changed else node
        case Regex():
            return any_text()
        case Anything():
            return SCALAR
        case Literal(values) if len(values) > _FEW_VALUES:
            return _literal(values)
    return node


def _free(values: Sequence[Node]) -> Node | None:
    """Choose the arbitrary value that covers all these, if there is one."""
    if all(_is_within(value, 0) for value in values):
        return union(_kind(value) for value in values)
    return ANYTHING if all(_is_within(value, 1) for value in values) else None


def _kind(node: Node) -> Node:
    """Return the simple type, or types, of a node without nesting."""
    match node:
        case Regex():
            return any_text()
        case Literal(values):
            return _literal(values)
        case Union(options):
            return union(map(_kind, options))
    return node


def _is_within(node: Node, depth: int) -> bool:
    """Return whether the values of a node nest no deeper than this."""
    if isinstance(node, Anything):
        return depth > 0
    if isinstance(node, Object | Map | Array | Tuple):
        depth -= 1
    return depth >= 0 and all(_is_within(part, depth) for part in parts_of(node))


def _array(node: Array) -> Node:
    """Give up the highest count first, then the lowest, and only then what the items are."""
    if node.high is not None and node.high > 1:
        return replace(node, high=None)
    if node.low > 1:
        return replace(node, low=1)
    looser = relaxed_form(node.items)
    return node if looser is node.items else replace(node, items=looser)


def _literal(values: tuple[str | int | float, ...]) -> Node:
    numbers = [value for value in values if not isinstance(value, str)]
    kinds: list[Node] = [] if len(numbers) == len(values) else [any_text()]
    return union([*kinds, Numeric()] if numbers else kinds)


def relaxation_sentence(node: Node) -> str:
    """Say what relaxing a node gives up."""
    if not isinstance(node, Array):
        return _SENTENCES[type(node)]
    if node.high is not None and node.high > 1:
        return "the highest number of items is too large for the server"
    if node.low > 1:
        return f"at least {node.low} items are too many for the server: one is enforced"
    return "the items are too large for the server: only their types are enforced"
