"""Use a socket from coroutines of one event loop, for as long as one exchange takes."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import httpx

from monster_core.transport.readiness import is_writable

__all__ = ["Address", "LoopSocket"]

Address = tuple[str, int] | tuple[str, int, int, int]

_READ_SIZE = 65_536
_MOST_UNREAD = 1_048_576  # bytes; a reader that is slower than the server holds it up
_NOT_YET = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class LoopSocket:
    """Read and write a socket while the running loop watches it.

    The loop knows the socket from the first read until :meth:`detach`, which may run on any loop
    or on none. What arrives is read at once and kept for the next :meth:`receive`.

    Args:
        connection: A connected socket; it is made non-blocking.
    """

    __slots__ = (
        "_connection",
        "_end",
        "_expires",
        "_fd",
        "_is_watched",
        "_loop",
        "_received",
        "_size",
        "_timer",
        "_waiter",
        "_wanted",
    )

    def __init__(self, connection: socket.socket) -> None:
        if connection.gettimeout() != 0:  # asking costs nothing, setting does
            connection.setblocking(False)
        self._connection = connection
        self._fd = connection.fileno()  # a loop that is given the socket spells it out in an error
        self._loop = asyncio.get_running_loop()
        self._received: list[bytes] = []
        self._size = 0
        self._end: BaseException | None = None  # nothing more can be read, because of this
        self._is_watched = False
        self._waiter: asyncio.Future[None] | None = None
        self._wanted: type[Exception] = httpx.ReadTimeout
        self._timer: asyncio.TimerHandle | None = None
        self._expires = 0.0

    async def connect(self, address: Address, timeout: float | None) -> None:
        """Connect the socket.

        Args:
            address: Where to.
            timeout: Seconds to wait at most.

        Raises:
            httpx.ConnectTimeout: Nobody answered in time.
            OSError: Nobody listens there.
        """
        try:
            self._connection.connect(address)
        except _NOT_YET:
            if not is_writable(self._connection):  # this machine and its neighbours are quick
                await self._writable(timeout, httpx.ConnectTimeout)
        reason = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if reason:
            raise OSError(reason, os.strerror(reason))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def receive(self, timeout: float | None) -> bytes:
        """Return what has arrived, or wait for it.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            At least one byte; none at the connection's end.

        Raises:
            httpx.ReadTimeout: Nothing came in time.
            httpx.ReadError: The connection broke.
        """
        received = self._received
        if not received:
            if self._end is None and not self._is_watched:
                self._watch()
            if self._end is None and not received:
                await self._wait(timeout, httpx.ReadTimeout)
            if not received:
                return self._at_end()
        data = received[0] if len(received) == 1 else b"".join(received)
        received.clear()
        self._size = 0
        return data

    async def send(self, data: bytes, timeout: float | None) -> None:
        """Send all of some bytes.

        Args:
            data: The bytes.
            timeout: Seconds to wait at most for the server to take the next of them.

        Raises:
            httpx.WriteTimeout: It took none in time.
            httpx.WriteError: The connection broke.
        """
        rest = memoryview(data)
        try:
            while True:
                with suppress(*_NOT_YET):
                    rest = rest[self._connection.send(rest) :]
                if not rest:
                    return
                await self._writable(timeout, httpx.WriteTimeout)
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    def wrap(self, tls: ssl.SSLContext, host: str) -> None:
        """Speak TLS from now on; :meth:`shake_hands` comes next.

        Args:
            tls: What the certificate is checked with.
            host: The name it must have.
        """
        self._connection = tls.wrap_socket(
            self._connection, server_hostname=host, do_handshake_on_connect=False
        )

    async def shake_hands(self, timeout: float | None) -> None:
        """Agree on TLS.

        Args:
            timeout: Seconds to wait at most for each of the server's steps.

        Raises:
            httpx.ConnectTimeout: The server did not answer in time.
            OSError: It has no certificate that can be trusted, or speaks no TLS.
        """
        assert isinstance(self._connection, ssl.SSLSocket)
        while True:
            try:
                return self._connection.do_handshake()
            except ssl.SSLWantReadError:
                self._loop.add_reader(self._fd, self._wake)
                self._is_watched = True
                try:
                    await self._wait(timeout, httpx.ConnectTimeout)
                finally:
                    self._unwatch()
            except ssl.SSLWantWriteError:
                await self._writable(timeout, httpx.ConnectTimeout)

    def on_loop(self, act: Callable[[], None]) -> None:
        """Act on the socket from a thread that may not be the loop's.

        Args:
            act: Called by the loop; at once if the loop is closed.
        """
        try:
            self._loop.call_soon_threadsafe(act)
        except RuntimeError:
            act()

    def detach(self) -> socket.socket:
        """Let the loop forget the socket, and return it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._unwatch()
        return self._connection

    def _watch(self) -> None:
        self._loop.add_reader(self._fd, self._read)
        self._is_watched = True
        if isinstance(self._connection, ssl.SSLSocket):
            self._read()  # what is decrypted already does not make the socket readable

    def _unwatch(self) -> None:
        if self._is_watched:
            self._is_watched = False
            with suppress(RuntimeError):  # the loop is closed: it knows no socket any more
                self._loop.remove_reader(self._fd)

    def _read(self) -> None:
        """Take what has arrived; the loop calls this whenever there is something."""
        connection = self._connection
        try:
            while True:
                data = connection.recv(_READ_SIZE)
                if not data:
                    self._stop(EOFError())
                    break
                self._received.append(data)
                self._size += len(data)
                if not (isinstance(connection, ssl.SSLSocket) and connection.pending()):
                    break
        except _NOT_YET:
            if not self._received:
                return
        except OSError as error:
            self._stop(error)
        if self._size > _MOST_UNREAD:
            self._unwatch()  # until the reader has caught up
        self._wake()

    def _stop(self, reason: BaseException) -> None:
        self._end = reason
        self._unwatch()

    def _at_end(self) -> bytes:
        if self._end is None or isinstance(self._end, EOFError):
            return b""
        raise httpx.ReadError(str(self._end)) from self._end

    async def _writable(self, timeout: float | None, expired: type[Exception]) -> None:
        self._loop.add_writer(self._fd, self._wake)
        try:
            await self._wait(timeout, expired)
        finally:
            self._loop.remove_writer(self._fd)

    async def _wait(self, timeout: float | None, expired: type[Exception]) -> None:
        loop = self._loop
        self._waiter, self._wanted = loop.create_future(), expired
        if timeout is None:
            self._expires = float("inf")
        else:
            # one timer serves many waits: it looks at the time when it goes off
            self._expires = expires = loop.time() + timeout
            if self._timer is None or self._timer.when() > expires:
                self._arm()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._expires, self._expire)

    def _expire(self) -> None:
        self._timer = None
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        if self._loop.time() < self._expires:
            if self._expires != float("inf"):
                self._arm()
        else:
            waiter.set_exception(self._wanted("timed out"))
