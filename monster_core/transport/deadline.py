"""Decide how long the next step of a request may take."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monster_core.errors import RequestTimeoutError

if TYPE_CHECKING:
    import httpx

__all__ = ["Deadline", "PhaseTimeouts", "Timeouts"]

_SHORTEST = 0.001  # 0 would mean "do not wait at all" to a socket


@dataclass(frozen=True)
class Timeouts:
    """Hold the timeouts of a request, in seconds; None means no limit.

    Args:
        connect: To open a connection.
        read: Between two pieces of a reply.
        write: To send a piece of the request.
        pool: To get a connection from the pool.
        idle: Between two content chunks of a stream; comments do not count.
        total: For the whole call, its retries included.
    """

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None
    idle: float | None
    total: float | None

    @classmethod
    def of(
        cls, timeout: float | httpx.Timeout, *, idle: float | None, total: float | None
    ) -> Timeouts:
        """Spread one number over the phases: connecting and the pool get 10 seconds at most.

        Args:
            timeout: Seconds for every phase, or httpx's own timeouts.
            idle: Seconds between content chunks; the read timeout if None.
            total: Seconds for the whole call, or None.
        """
        if isinstance(timeout, (int, float)):
            short = min(10.0, timeout)
            return cls(short, timeout, timeout, short, timeout if idle is None else idle, total)
        read = timeout.read
        idle = read if idle is None else idle
        return cls(timeout.connect, read, timeout.write, timeout.pool, idle, total)


class Deadline:
    """Watch the two deadlines of one call: the whole, and the next content of a stream."""

    __slots__ = ("_idle_end", "_total_end", "timeouts")

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self._total_end = None if timeouts.total is None else time.monotonic() + timeouts.total
        self._idle_end: float | None = None

    def content_arrived(self) -> None:
        """Give the next content chunk its full time."""
        if self.timeouts.idle is not None:
            self._idle_end = time.monotonic() + self.timeouts.idle

    def finish_within(self, seconds: float) -> None:
        """Allow only this long for what still comes after the answer is complete.

        Args:
            seconds: How long.
        """
        self._idle_end = time.monotonic() + seconds

    def disarm(self) -> None:
        """Stop limiting: the connection goes back to the pool."""
        self._total_end = self._idle_end = None

    def limit(self, timeout: float | None) -> float | None:
        """Return the shorter of a timeout and what is left.

        Args:
            timeout: Seconds, or None for no limit.
        """
        ends = [end for end in (self._total_end, self._idle_end) if end is not None]
        if not ends:
            return timeout
        left = max(min(ends) - time.monotonic(), _SHORTEST)
        return left if timeout is None else min(timeout, left)

    def allows(self, delay: float) -> bool:
        """Whether a retry after this many seconds would still begin in time.

        Args:
            delay: Seconds to wait first.
        """
        return self._total_end is None or time.monotonic() + delay < self._total_end

    def passed(self) -> RequestTimeoutError | None:
        """Return the error for a deadline that has passed, or None."""
        now = time.monotonic() + _SHORTEST
        if self._total_end is not None and now >= self._total_end:
            return RequestTimeoutError(
                f"The call took longer than total_timeout, {self.timeouts.total:g} seconds."
            )
        if self._idle_end is not None and now >= self._idle_end:
            return RequestTimeoutError(
                f"No content came for {self.timeouts.idle:g} seconds (stream_idle_timeout)."
            )
        return None


class PhaseTimeouts(Mapping[str, float | None]):
    """Hand httpx each phase's timeout at the moment the phase begins, within the deadline."""

    __slots__ = ("_deadline", "_phases")

    def __init__(self, deadline: Deadline) -> None:
        timeouts = deadline.timeouts
        self._deadline = deadline
        self._phases = {
            "connect": timeouts.connect,
            "read": timeouts.read,
            "write": timeouts.write,
            "pool": timeouts.pool,
        }

    def __getitem__(self, phase: str) -> float | None:
        return self._deadline.limit(self._phases[phase])

    def __iter__(self) -> Iterator[str]:
        return iter(self._phases)

    def __len__(self) -> int:
        return len(self._phases)
