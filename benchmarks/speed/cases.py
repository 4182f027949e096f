"""Say what is measured of which client, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speed.clients import CLIENTS

__all__ = ["GROUPS", "Case", "cases"]


@dataclass(frozen=True)
class Case:
    """Name one measurement, which a process of its own makes.

    Args:
        part: One of measure's parts, or "import".
        client: One of CLIENTS.
        mode: "sync" or "async".
        origin: Where the server listens.
        scale: What part of the usual tries is made: 1 for all of them.
    """

    part: str
    client: str
    mode: str
    origin: str = ""
    scale: float = 1

    def tries(self, usual: int) -> int:
        """Return how many tries are made, at least one."""
        return max(1, round(usual * self.scale))


GROUPS = {
    "chunk": ["chunk"],
    "call": ["call"],
    "concurrent": ["64 at once", "512 calls"],
    "memory": ["512 streams"],
    "construction": ["construction"],
    "growth": ["length", "history"],
}
"""The parts of what can be chosen, beside "import"."""

_MODES = {
    "512 calls": ["async"],
    "512 streams": ["async"],
    "construction": ["sync"],
    "length": ["sync"],
    "history": ["sync"],
}


def cases(groups: Sequence[str], clients: Sequence[str], origin: str, scale: float) -> list[Case]:
    """Return one round of cases: what is compared takes turns.

    Args:
        groups: Which of GROUPS.
        clients: Which of CLIENTS.
        origin: Where the server listens.
        scale: What part of the usual tries is made.
    """
    return [
        Case(part, client, mode, origin, scale)
        for group in groups
        for part in GROUPS.get(group, ())
        for mode in _MODES.get(part, ["sync", "async"])
        for client in _measured(part, clients)
    ]


_LEFT_OUT: dict[str, set[str]] = {
    "chunk": set(),
    "length": {"peer", "ready-made"},
    "history": {"peer", "ready-made"},
    "construction": {"raw", "floor", "ready-made"},
}
"""What nobody compares, by role."""


def _measured(part: str, clients: Sequence[str]) -> Iterator[str]:
    left_out = _LEFT_OUT.get(part, {"ready-made"})
    for name in CLIENTS:
        if name in clients and CLIENTS[name].role not in left_out:
            yield name
