"""Decide how many connections to one origin may be open, and which idle one serves again.

Holds sockets and no event loop, so that threads, one loop after another and what a loop left
behind are all the same to it. Sync and async transports share it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from monster_core.transport.readiness import is_readable

__all__ = ["ConnectionPool", "Origin", "SilenceError", "is_stale", "share_of"]

MOST_CONNECTIONS = 1000
"""How many calls may be under way at a time; further ones wait for their turn."""

_MOST_IDLE = 256
_IDLE_SECONDS = 30.0
_STALE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Name the server that a pool's connections lead to.

    Args:
        host: Its name or address.
        port: Its port.
        tls: What a TLS connection is made with; None for plain http.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None


class ConnectionPool:
    """Keep the idle connections to one origin, and count those in use.

    Args:
        most: How many may be in use at a time.
    """

    def __init__(self, most: int = MOST_CONNECTIONS) -> None:
        self._idle: deque[tuple[float, socket.socket]] = deque()
        self._used: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._free = self._most = most
        self._waiting: deque[Callable[[], None]] = deque()
        weakref.finalize(self, _close_all, self._idle)
        _POOLS.add(self)

    def enter(self) -> bool:
        """Take a place among the connections in use; return whether there was one."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return True
            return False

    def queue(self, wake: Callable[[], None]) -> bool:
        """Take a place, or wait for one.

        Args:
            wake: Called, from any thread, once a place is handed over.

        Returns:
            Whether there was one at once.
        """
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return True
            self._waiting.append(wake)
            return False

    def give_up(self, wake: Callable[[], None]) -> bool:
        """Wait no longer.

        Args:
            wake: What :meth:`queue` was given.

        Returns:
            Whether it still waited; if not, it has a place and must leave it.
        """
        with self._lock:
            try:
                self._waiting.remove(wake)
            except ValueError:
                return False
            return True

    def leave(self) -> None:
        """Hand the place over to who waits longest, or free it."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._free = min(self._free + 1, self._most)
                    return
                wake = self._waiting.popleft()
            try:
                wake()
            except RuntimeError:  # its event loop has been closed
                continue
            return

    def take(self) -> socket.socket | None:
        """Return the connection that was used last and is still open, if there is one."""
        while self._idle:
            try:
                since, connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            if time.monotonic() - since < _IDLE_SECONDS and not is_readable(connection):
                self._used.add(connection)
                return connection
            connection.close()
        return None

    def add(self, connection: socket.socket) -> None:
        """Count a new connection.

        Args:
            connection: The connection.
        """
        self._used.add(connection)

    def put_back(self, connection: socket.socket) -> None:
        """Keep a connection for the next request; close those idle for too long.

        Args:
            connection: The connection, its last reply read to the end.
        """
        now = time.monotonic()
        self._used.discard(connection)
        self._idle.append((now, connection))
        with contextlib.suppress(IndexError):  # another thread was faster
            while len(self._idle) > _MOST_IDLE or now - self._idle[0][0] >= _IDLE_SECONDS:
                self._idle.popleft()[1].close()

    def drop(self, connection: socket.socket) -> None:
        """Close a connection.

        Args:
            connection: The connection.
        """
        self._used.discard(connection)
        connection.close()

    def release(self, connection: socket.socket, *, is_usable: bool) -> None:
        """Give up a connection and its place, once its reply was read or left.

        Args:
            connection: The connection.
            is_usable: Whether it may carry another request.
        """
        (self.put_back if is_usable else self.drop)(connection)
        self.leave()

    def close(self) -> None:
        """Close the idle connections; those in use close when their reply is left."""
        _close_all(self._idle)

    def forget(self) -> None:
        """Leave a parent process its connections: a child must not read from them."""
        self._lock = threading.Lock()
        self._free, self._waiting = self._most, deque()
        used, self._used = self._used, set()
        for connection in used:
            connection.close()  # this process's end only: the parent's stays open
        _close_all(self._idle)


class SilenceError(httpx.ReadError):
    """Report a connection that ended before a single byte of the reply."""


def is_stale(error: BaseException, kept_since: float | None) -> bool:
    """Whether a kept connection failed because the server had closed it while it was idle.

    Its end and the request crossed on the way: what was sent reached nobody. A later failure is
    the request's own.

    Args:
        error: How the exchange failed.
        kept_since: When the kept connection was taken, by the monotonic clock; None for a new one.
    """
    if kept_since is None or not isinstance(error, SilenceError):
        return False
    return time.monotonic() - kept_since < _STALE_SECONDS


def share_of(end: float | None, parts: int) -> float | None:
    """Return the time for one of several steps, so that each gets its part of what is left.

    Args:
        end: When all must be done, by the monotonic clock; None for no limit.
        parts: How many steps there still are.
    """
    return None if end is None else max((end - time.monotonic()) / parts, 0.001)


def _close_all(connections: deque[tuple[float, socket.socket]]) -> None:
    with contextlib.suppress(IndexError):
        while True:
            connections.popleft()[1].close()


_POOLS: weakref.WeakSet[ConnectionPool] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in list(_POOLS):
        pool.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
