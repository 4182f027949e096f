"""Loosens a settled shape until the server compiles it in time, where that costs the least."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .cost import Costs, kinds_of_characters
from .emit import SCALAR
from .ir import Node, Object, Tuple, Union
from .looser_forms import is_scalar, loosened, sentence_of
from .traverse import parts_of, paths_of, with_parts

_STAGES = 3  # in which an array goes: its highest number, its lowest, and what its items are
_MAIN_SHARE = 0.7
TOLERANCE = 1.6
"""How many times the limit is borne where nothing more can be loosened."""

_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class _Cut:
    """One shape that can be replaced by a looser one."""

    place: tuple[int, ...]
    path: str
    node: Node
    loose: Node
    gain: float  # seconds
    loss: int  # named properties and other demands that are no longer enforced


class Fitter:
    """Fits one shape into a time.

    Args:
        limit: Seconds of one core that compiling may take.
        note: Called with a path and a sentence for everything that is loosened.
    """

    def __init__(self, limit: float, note: Callable[[str, str], None]) -> None:
        self._limit = limit
        self._note = note
        self._costs = Costs()
        self._demands: dict[int, tuple[Node, int]] = {}
        self._leasts: dict[int, tuple[Node, Node]] = {}
        self._kinds = 1

    def seconds(self, node: Node) -> float:
        """Estimate how long the server compiles a shape."""
        self._kinds = kinds_of_characters(node)
        return self._seconds(node)

    def fit(self, node: Node) -> Node:
        """Loosen as little of a shape as it takes."""
        if self.seconds(node) <= self._limit:
            return node
        # the loose forms bring characters of their own
        self._kinds = kinds_of_characters(Union((node, SCALAR)))
        reachable = self._seconds(self._least(node))
        if reachable > TOLERANCE * self._limit:
            return node
        goal = self._limit if reachable <= self._limit else TOLERANCE * self._limit
        for _ in range(_ROUNDS):
            excess = self._seconds(node) - goal
            cut = self._cheapest(node, excess) if excess > 0 else None
            if cut is None:
                break
            self._note(cut.path, sentence_of(cut.node))
            node = _replaced(node, cut.place, cut.loose)
        return node

    def _seconds(self, node: Node) -> float:
        return self._costs.of(node).seconds(self._kinds)

    def _cheapest(self, node: Node, excess: float) -> _Cut | None:
        """Choose what to loosen next: what suffices and loses least, or gains most for its loss."""
        cuts = list(self._cuts(node))
        if not cuts:
            return None
        best = max(cuts, key=lambda cut: cut.gain / cut.loss)
        enough = [cut for cut in cuts if cut.gain >= excess and cut.loss <= 2 * best.loss]
        return min(enough, key=lambda cut: cut.loss, default=best)

    def _cuts(self, root: Node) -> Iterator[_Cut]:
        pending: list[tuple[tuple[int, ...], str, Node, float]] = [((), "$", root, 1.0)]
        while pending:
            place, path, node, weight = pending.pop()
            needed = self._seconds(node)
            loose = loosened(node)
            gain = (needed - self._seconds(loose)) * weight
            # without the names of the whole, guiding would be worth nothing
            whole = path == "$" and isinstance(node, Object | Union)
            if loose is not node and gain > 0 and not whole:
                demands = self._demands_of(node) - self._demands_of(loose)
                yield _Cut(place, path, node, loose, gain, max(demands, 1))
            parts = parts_of(node)
            inside = sum(map(self._seconds, parts))
            # a part counts as often as what surrounds it repeats and walks over it
            inner = weight * (1 if isinstance(node, Object) or not inside else needed / inside)
            for index, part in enumerate(parts):
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
        """Loosen everything that costs less when loosened."""
        known = self._leasts.get(id(node))
        if known is None:
            parts = parts_of(node)
            least = with_parts(node, [self._least(part) for part in parts]) if parts else node
            for _ in range(_STAGES):
                loose = loosened(least)
                least = loose if self._seconds(loose) < self._seconds(least) else least
            known = self._leasts[id(node)] = (node, least)
        return known[1]

    def largest(self, node: Node) -> str:
        """Find the path of the part to which a shape owes most of its cost."""
        path = "$"
        while parts := parts_of(node):
            costs = [self._seconds(part) for part in parts]
            heaviest = max(range(len(parts)), key=costs.__getitem__)
            if costs[heaviest] < _MAIN_SHARE * sum(costs):
                break
            node, path = parts[heaviest], paths_of(node, path)[heaviest]
        return path


def _replaced(node: Node, place: tuple[int, ...], loose: Node) -> Node:
    if not place:
        return loose
    parts = list(parts_of(node))
    parts[place[0]] = _replaced(parts[place[0]], place[1:], loose)
    return with_parts(node, parts)
