"""Decide how long the next step of a request may take."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monster_core.errors import RequestTimeoutError

if TYPE_CHECKING:
    import httpx

__all__ = ["Deadline", "Timeouts", "time_limit"]

_MIN_SECONDS = 0.001  # 0 would mean "do not wait at all" to a socket

if sys.version_info >= (3, 11):
    time_limit = asyncio.timeout
    """An async context manager that raises TimeoutError after some seconds, or never if None."""
else:
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    import anyio

    @asynccontextmanager
    async def time_limit(seconds: float | None) -> AsyncIterator[None]:
        """Raise TimeoutError after some seconds, or never if None."""
        with anyio.fail_after(seconds):
            yield


@dataclass(frozen=True)
class Timeouts:
    """Hold the timeouts of a request, in seconds; None means no limit.

    Args:
        connect: To open a connection.
        read: Between two pieces of a response.
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

    __slots__ = ("_idle_end", "_phases", "_total_end", "timeouts")

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self._total_end = None if timeouts.total is None else time.monotonic() + timeouts.total
        self._idle_end: float | None = None
        self._phases: dict[str, float | None] = {}

    def begin_attempt(self) -> dict[str, float | None]:
        """Return the timeout of each phase of an attempt that begins now, by httpx's names."""
        timeouts = self.timeouts
        self._phases = {
            "connect": timeouts.connect,
            "read": timeouts.read,
            "write": timeouts.write,
            "pool": timeouts.pool,
        }
        if self._total_end is not None:
            for name, timeout in self._phases.items():
                self._phases[name] = self._limit(timeout)
        return self._phases

    def begin_stream(self) -> None:
        """Note that a stream has begun: its content must come within the time between chunks.

        httpx looks up the read timeout of a body when it begins to read it.
        """
        self.content_arrived()
        self._phases["read"] = self._limit(self.timeouts.read)

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

    def left(self) -> float | None:
        """Return the seconds until the next deadline that no read timeout of httpx keeps.

        None if there is none: right after content came, a read timeout may be as short.
        """
        now, total_end, idle_end = time.monotonic(), self._total_end, self._idle_end
        left = None if total_end is None else total_end - now
        if idle_end is None:
            return left
        idle, read = idle_end - now, self.timeouts.read
        if read is not None and idle >= read - _MIN_SECONDS:
            return left
        return idle if left is None else min(left, idle)

    def allows(self, delay: float) -> bool:
        """Whether a retry after this many seconds would still begin in time.

        Args:
            delay: Seconds to wait first.
        """
        return self._total_end is None or time.monotonic() + delay < self._total_end

    def total_passed(self) -> RequestTimeoutError | None:
        """Return the error for a whole call that took too long, or None."""
        if self._total_end is None or time.monotonic() + _MIN_SECONDS < self._total_end:
            return None
        return RequestTimeoutError(
            f"The call took longer than total_timeout, {self.timeouts.total:g} seconds."
        )

    def passed(self) -> RequestTimeoutError | None:
        """Return the error for a deadline that has passed, or None."""
        passed = self.total_passed()
        if passed is not None or self._idle_end is None:
            return passed
        if time.monotonic() + _MIN_SECONDS < self._idle_end:
            return None
        return RequestTimeoutError(
            f"No content came for {self.timeouts.idle:g} seconds (stream_idle_timeout)."
        )

    def _limit(self, timeout: float | None) -> float | None:
        """Return the shorter of a timeout and what is left until the next deadline."""
        ends = [end for end in (self._total_end, self._idle_end) if end is not None]
        if not ends:
            return timeout
        left = max(min(ends) - time.monotonic(), _MIN_SECONDS)
        return left if timeout is None else min(timeout, left)
