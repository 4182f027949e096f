"""Ask a client many times, without and with async, one at a time and at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Protocol

from speed.clients import AT_END, Client

__all__ = ["MODES", "Mode", "cpu_of"]


def cpu_of(work: Callable[[], object]) -> float:
    """Return the microseconds, user's and system's, that this process works.

    Args:
        work: What it does.
    """
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1000


class Mode(Protocol):
    """Ask a client, either without or with async."""

    def calls(self, client: Client, times: int) -> None:
        """Ask for whole answers, one after another."""

    def streams(self, client: Client, times: int) -> None:
        """Read streams to their ends, one after another."""

    def calls_at_once(self, client: Client, width: int) -> None:
        """Ask for whole answers at the same time."""

    def streams_at_once(self, client: Client, width: int) -> None:
        """Read streams at the same time."""

    def first_text(self, client: Client) -> float:
        """Read a stream and return the microseconds that passed until its first piece of text."""

    def close(self) -> None:
        """Leave nothing open."""


class Threads:
    """Asks without async, at once in threads."""

    def close(self) -> None:
        """Leave nothing open."""

    def calls(self, client: Client, times: int) -> None:
        """Ask for whole answers, one after another."""
        for _ in range(times):
            client.call()

    def streams(self, client: Client, times: int) -> None:
        """Read streams to their ends, one after another."""
        for _ in range(times):
            for _chunk in client.stream():
                pass

    def calls_at_once(self, client: Client, width: int) -> None:
        """Ask for whole answers at the same time."""
        self._at_once(lambda: self.calls(client, 1), width)

    def streams_at_once(self, client: Client, width: int) -> None:
        """Read streams at the same time."""
        self._at_once(lambda: self.streams(client, 1), width)

    def first_text(self, client: Client) -> float:
        """Read a stream and return the microseconds that passed until its first piece of text."""
        start = time.perf_counter_ns()
        end = 0
        for chunk in client.stream():
            if not end and client.text(chunk):
                end = time.perf_counter_ns()
        return (end - start) / 1000

    def _at_once(self, ask: Callable[[], None], width: int) -> None:
        pool = self._pool
        for asked in [pool.submit(ask) for _ in range(width)]:
            asked.result()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=512)


class EventLoop:
    """Asks with async, in one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._run = self._loop.run_until_complete

    def close(self) -> None:
        """Leave nothing open."""
        for close in AT_END:
            self._run(close())
        self._run(self._loop.shutdown_asyncgens())
        self._loop.close()

    def calls(self, client: Client, times: int) -> None:
        """Ask for whole answers, one after another."""

        async def ask() -> None:
            for _ in range(times):
                await client.acall()

        self._run(ask())

    def streams(self, client: Client, times: int) -> None:
        """Read streams to their ends, one after another."""

        async def read() -> None:
            for _ in range(times):
                await _drain(client)

        self._run(read())

    def calls_at_once(self, client: Client, width: int) -> None:
        """Ask for whole answers at the same time."""

        async def ask() -> None:
            await asyncio.gather(*(client.acall() for _ in range(width)))

        self._run(ask())

    def streams_at_once(self, client: Client, width: int) -> None:
        """Read streams at the same time."""

        async def read() -> None:
            await asyncio.gather(*(_drain(client) for _ in range(width)))

        self._run(read())

    def first_text(self, client: Client) -> float:
        """Read a stream and return the microseconds that passed until its first piece of text."""

        async def read() -> float:
            start = time.perf_counter_ns()
            end = 0
            async for chunk in client.astream():
                if not end and client.text(chunk):
                    end = time.perf_counter_ns()
            return (end - start) / 1000

        return self._run(read())


async def _drain(client: Client) -> None:
    async for _chunk in client.astream():
        pass


MODES: dict[str, Callable[[], Mode]] = {"sync": Threads, "async": EventLoop}
