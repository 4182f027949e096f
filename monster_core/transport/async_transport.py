"""Send requests over sockets that an event loop watches, in the place of httpx's async client."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import cast

import httpcore
import httpx

from monster_core.transport.http1 import ReplyHead, ReplyReader, RequestBytes
from monster_core.transport.loop_socket import Address, LoopSocket
from monster_core.transport.pool import ConnectionPool, Origin, SilenceError, is_stale, share_of
from monster_core.transport.reply import (
    OutgoingRequest,
    Reply,
    RequestWriter,
    as_hooked,
    is_hooked,
    write_hooked,
)

__all__ = ["AsyncOriginClient", "AsyncOriginTransport", "AsyncReply"]

_Timeouts = Mapping[str, "float | None"]


class AsyncOriginClient:
    """Send requests to one origin; see :class:`monster_core.transport.sync_transport.OriginClient`.

    Args:
        origin: Where every request goes.
    """

    def __init__(self, origin: Origin) -> None:
        self._connections = _Connections(origin)
        self._transport = AsyncOriginTransport(self._connections)
        self._writer = RequestWriter()

    async def send(self, request: OutgoingRequest) -> httpx.Response | AsyncReply:
        """Send a request and return its reply once it begins; redirects are never followed."""
        if is_hooked(httpx.AsyncHTTPTransport.handle_async_request):
            made = request.made_by(httpx.Request)
            response = await self._transport.handle_async_request(made)
            response.request = made
            return response
        sent = self._writer.write(request)
        return await self._connections.send(sent, request.timeouts)

    async def aclose(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()


class AsyncOriginTransport(httpx.AsyncHTTPTransport):
    """Be httpx's async transport over connections to a single origin.

    See :class:`monster_core.transport.sync_transport.OriginTransport`.

    Args:
        connections: The connections.
    """

    def __init__(self, connections: _Connections) -> None:
        self._pool = cast("httpcore.AsyncConnectionPool", _Hooked(connections))


class _Hooked:
    """Serve requests as httpcore's pool does."""

    def __init__(self, connections: _Connections) -> None:
        self._connections = connections

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        sent = write_hooked(request)
        reply = await self._connections.send(sent, request.extensions["timeout"])
        return as_hooked(reply.head, reply)

    async def aclose(self) -> None:
        self._connections.close()


class _Connections:
    """Send requests over a pool of connections, and over new ones.

    An idle connection belongs to no event loop: one loop's serve the next.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._pool = ConnectionPool()

    async def send(self, sent: RequestBytes, timeouts: _Timeouts) -> AsyncReply:
        if not self._pool.enter():
            await _enter(self._pool, timeouts["pool"])
        try:
            return await self._exchange(sent, timeouts)
        except BaseException:
            self._pool.leave()
            raise

    def close(self) -> None:
        self._pool.close()

    async def _exchange(self, sent: RequestBytes, timeouts: _Timeouts) -> AsyncReply:
        while True:
            kept = self._pool.take()
            kept_since = time.monotonic() if kept else None
            if kept is None:
                kept = await _connect(self._origin, timeouts["connect"])
                self._pool.add(kept)
            connection, reader = LoopSocket(kept), ReplyReader()
            try:
                head = await _ask(connection, sent, reader, timeouts)
            except BaseException as error:
                self._pool.drop(connection.detach())
                if is_stale(error, kept_since):
                    continue
                raise
            return AsyncReply(head, self._pool, connection, reader, timeouts)


class AsyncReply(Reply):
    """Read the body of a reply; hand the connection on at its end."""

    __slots__ = ("_connection", "_pool", "_reader", "_timeouts")

    def __init__(
        self,
        head: ReplyHead,
        pool: ConnectionPool,
        connection: LoopSocket,
        reader: ReplyReader,
        timeouts: _Timeouts,
    ) -> None:
        super().__init__(head)
        self._pool: ConnectionPool | None = pool
        self._connection = connection
        self._reader = reader
        self._timeouts = timeouts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection, reader, timeouts = self._connection, self._reader, self._timeouts
        received = b""
        while not reader.is_complete:
            content = reader.read_body(received)
            if content:
                yield content
            if reader.is_complete:
                break
            received = await connection.receive(timeouts["read"])
            if not received:
                reader.end()

    async def aclose(self) -> None:
        """Give the connection up; what is left of the body is not read."""
        self._close()

    def __del__(self) -> None:
        if self._pool is not None:  # its event loop ended before it
            self._connection.on_loop(self._close)

    def _close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        is_usable = self._reader.is_complete and self._reader.is_reusable
        pool.release(self._connection.detach(), is_usable=is_usable)


async def _ask(
    connection: LoopSocket, sent: RequestBytes, reader: ReplyReader, timeouts: _Timeouts
) -> ReplyHead:
    with suppress(httpx.WriteError):  # the server may have refused it before its end
        await connection.send(sent, timeouts["write"])
    try:
        received = await connection.receive(timeouts["read"])
    except httpx.ReadError as error:
        raise SilenceError(str(error)) from error
    if not received:
        raise SilenceError("the server closed the connection without an answer")
    while (head := reader.read_head(received)) is None:
        received = await connection.receive(timeouts["read"])
        if not received:
            reader.end()
    return head


async def _connect(origin: Origin, timeout: float | None) -> socket.socket:
    try:
        return await _open(origin, timeout)
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error


async def _open(origin: Origin, timeout: float | None) -> socket.socket:
    end = None if timeout is None else time.monotonic() + timeout
    found = await _addresses(origin, timeout)
    for place, (family, kind, protocol, _, address) in enumerate(found):
        connection = LoopSocket(socket.socket(family, kind, protocol))
        try:
            # an address that does not answer leaves the others their share of the time
            await connection.connect(address, share_of(end, len(found) - place))
            if origin.tls is not None:
                connection.wrap(origin.tls, origin.host)
                await connection.shake_hands(share_of(end, 1))
        except (OSError, httpx.ConnectTimeout):
            connection.detach().close()
            if place == len(found) - 1:
                raise
        except BaseException:
            connection.detach().close()
            raise
        else:
            return connection.detach()
    raise OSError(f"{origin.host} has no address")


_Addresses = list[tuple[int, int, int, str, Address]]


async def _addresses(origin: Origin, timeout: float | None) -> _Addresses:
    host, port, kind = origin.host, origin.port, socket.SOCK_STREAM
    known = _in_figures(host, port)
    if known:
        return known
    loop = asyncio.get_running_loop()
    looking = asyncio.ensure_future(loop.getaddrinfo(host, port, type=kind))
    try:
        done, _ = await asyncio.wait({looking}, timeout=timeout)
    finally:
        looking.cancel()
    if not done:
        raise httpx.ConnectTimeout(f"no address of {host} in time")
    return cast("_Addresses", looking.result())


@lru_cache(maxsize=64)
def _in_figures(host: str, port: int) -> _Addresses:
    """Return the address that a host in figures is: nobody need be asked, nor a thread wait."""
    with suppress(socket.gaierror):
        numeric = socket.AI_NUMERICHOST
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric)
        return cast("_Addresses", found)
    return []


async def _enter(pool: ConnectionPool, timeout: float | None) -> None:
    loop = asyncio.get_running_loop()
    place: asyncio.Future[bool] = loop.create_future()

    def wake() -> None:
        loop.call_soon_threadsafe(_resolve, place, True)

    if pool.queue(wake):
        return
    timer = None if timeout is None else loop.call_later(timeout, _resolve, place, False)
    try:
        has_place = await place
    except BaseException:
        if not pool.give_up(wake):
            pool.leave()
        raise
    finally:
        if timer is not None:
            timer.cancel()
    if not has_place and pool.give_up(wake):
        raise httpx.PoolTimeout("no free connection")


def _resolve(place: asyncio.Future[bool], has_place: bool) -> None:
    if not place.done():
        place.set_result(has_place)
