"""Read what follows an answer that is complete, so that its connection can serve again."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

__all__ = ["read_end"]

_WATCH_SECONDS = 0.1  # between two looks at the responses that are being read to their end


def read_end(response: httpx.Response, pieces: Iterable[bytes], seconds: float) -> None:
    """Read the end of a body from which no more content is expected.

    As a rule it ends at once. Where a server leaves it open, the connection is cut, and by another
    thread: httpx lets nobody change the timeout of a body that is being read.

    Args:
        response: The response.
        pieces: What is left of its body.
        seconds: About how long the end may take.
    """
    stream = response.extensions.get("network_stream")
    connection = stream and stream.get_extra_info("socket")
    if connection is None:  # a mock, or a transport of the caller's: there is nothing to save
        return
    guarded = _Guarded(connection, seconds)
    if not _watch.add(guarded):
        return
    try:
        for _ in pieces:
            pass
    finally:
        guarded.release()


class _Guarded:
    """Cut a connection, unless it has been released for another request."""

    __slots__ = ("_connection", "_lock", "end")

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self._connection: socket.socket | None = connection
        self._lock = threading.Lock()

    def is_settled(self) -> bool:
        """Whether nothing is left to watch; a connection whose time is over is cut."""
        with self._lock:
            if self._connection is None:
                return True
            if time.monotonic() < self.end:
                return False
            with contextlib.suppress(OSError):  # the server has closed it
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)  # TLS says no goodbye
            return True

    def release(self) -> None:
        with self._lock:
            self._connection = None


class _Watch:
    """Watch connections from one thread, which lives while there are any.

    To start a thread for each would cost a third of a short stream.
    """

    def __init__(self) -> None:
        self._guarded: deque[_Guarded] = deque()
        self._is_running = False
        self._lock = threading.Lock()

    def add(self, guarded: _Guarded) -> bool:
        """Watch a connection; return whether there is a thread for it."""
        self._guarded.append(guarded)
        with self._lock:
            if not self._is_running:
                thread = threading.Thread(target=self._run, name="monster-watch", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the process ends, or has too many threads
                    return False
                self._is_running = True
        return True

    def _run(self) -> None:
        while True:
            time.sleep(_WATCH_SECONDS)
            while self._guarded and self._guarded[0].is_settled():
                self._guarded.popleft()
            with self._lock:
                if not self._guarded:
                    self._is_running = False
                    return


_watch = _Watch()


def _after_fork() -> None:
    global _watch
    _watch = _Watch()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
