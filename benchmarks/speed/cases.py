"""Say what is measured of which client, in which order and how often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speed.clients import CLIENTS, OVER_AIOHTTP

__all__ = ["EVERY", "GROUPS", "Case", "cases"]


@dataclass(frozen=True)
class Case:
    """Name one measurement.

    Args:
        part: One of measure's parts.
        client: One of CLIENTS.
        mode: "sync" or "async".
    """

    part: str
    client: str
    mode: str

    @property
    def is_alone(self) -> bool:
        """Whether each of its turns needs a process in which nothing else was done."""
        return self.part in _ALONE


EVERY = 3
"""Of how many rounds one holds what takes minutes: what is alone, and imports."""

GROUPS = {
    "chunk": ["chunk"],
    "call": ["call"],
    "own": ["own work"],
    "concurrent": ["64 at once", "512 calls"],
    "memory": ["512 streams"],
    "construction": ["construction"],
    "growth": ["length", "history"],
}
"""The parts of what can be chosen, beside "import"."""

_ALONE = ["512 calls", "512 streams", "length", "history"]
_MODES = {
    "512 calls": ["async"],
    "512 streams": ["async"],
    "construction": ["sync"],
    "own work": ["sync"],
    "length": ["sync"],
    "history": ["sync"],
}


def cases(groups: Sequence[str], clients: Sequence[str], number: int) -> list[Case]:
    """Return one round of cases: what is compared takes turns.

    Args:
        groups: Which of GROUPS.
        clients: Which of CLIENTS.
        number: Which round it is, from 0.
    """
    return [
        Case(part, client, mode)
        for group in groups
        for part in GROUPS.get(group, ())
        if part not in _ALONE or number % EVERY == 0
        for mode in _MODES.get(part, ["sync", "async"])
        for client in _measured(part, clients)
        if mode == "async" or not client.endswith(OVER_AIOHTTP)
    ]


_LEFT_OUT: dict[str, set[str]] = {
    "chunk": set(),
    "own work": {"peer", "raw", "floor", "ready-made"},
    "length": {"peer", "raw", "ready-made", "least"},
    "history": {"peer", "raw", "ready-made", "least"},
    "construction": {"raw", "floor", "ready-made", "least"},
}
"""What nobody compares, by role."""


def _measured(part: str, clients: Sequence[str]) -> Iterator[str]:
    left_out = _LEFT_OUT.get(part, {"ready-made"})
    for name in CLIENTS:
        if name in clients and CLIENTS[name].role not in left_out:
            yield name
