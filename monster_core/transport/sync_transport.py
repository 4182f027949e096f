"""Send requests over blocking sockets, in the place of httpx's client and transport."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import cast

import httpcore
import httpx

from monster_core.transport.http1 import ReplyHead, ReplyReader, RequestBytes
from monster_core.transport.pool import ConnectionPool, Origin, SilenceError, is_stale, share_of
from monster_core.transport.reply import (
    OutgoingRequest,
    Reply,
    RequestWriter,
    as_hooked,
    is_hooked,
    write_hooked,
)

__all__ = ["OriginClient", "OriginTransport", "SyncReply"]

_Timeouts = Mapping[str, "float | None"]
_READ_SIZE = 65_536


class OriginClient:
    """Send requests to one origin as an httpx.Client does, with nothing added on the way.

    Cookies, authentication, redirects and their hooks are what most of a call's time in a client
    goes into; an endpoint needs none of them.

    Args:
        origin: Where every request goes.
    """

    def __init__(self, origin: Origin) -> None:
        self._connections = _Connections(origin)
        self._transport = OriginTransport(self._connections)
        self._writer = RequestWriter()

    def send(self, request: OutgoingRequest) -> httpx.Response | SyncReply:
        """Send a request and return its reply once it begins; redirects are never followed."""
        if is_hooked(httpx.HTTPTransport.handle_request):
            made = request.made_by(httpx.Request)
            response = self._transport.handle_request(made)
            response.request = made
            return response
        sent = self._writer.write(request)
        return self._connections.send(sent, request.timeouts)

    def close(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()


class OriginTransport(httpx.HTTPTransport):
    """Be httpx's transport over connections to a single origin.

    What hooks into httpx's transport (recorders, tracers) sees these requests as any other.

    Args:
        connections: The connections.
    """

    def __init__(self, connections: _Connections) -> None:
        self._pool = cast("httpcore.ConnectionPool", _Hooked(connections))


class _Hooked:
    """Serve requests as httpcore's pool does."""

    def __init__(self, connections: _Connections) -> None:
        self._connections = connections

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        sent = write_hooked(request)
        reply = self._connections.send(sent, request.extensions["timeout"])
        return as_hooked(reply.head, reply)

    def close(self) -> None:
        self._connections.close()


class _Connections:
    """Send requests over a pool of connections, and over new ones."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._pool = ConnectionPool()

    def send(self, sent: RequestBytes, timeouts: _Timeouts) -> SyncReply:
        _enter(self._pool, timeouts["pool"])
        try:
            return self._exchange(sent, timeouts)
        except BaseException:
            self._pool.leave()
            raise

    def close(self) -> None:
        self._pool.close()

    def _exchange(self, sent: RequestBytes, timeouts: _Timeouts) -> SyncReply:
        while True:
            connection = self._pool.take()
            kept_since = time.monotonic() if connection else None
            if connection is None:
                connection = _connect(self._origin, timeouts["connect"])
                self._pool.add(connection)
            reader = ReplyReader()
            try:
                head = _ask(connection, sent, reader, timeouts)
            except BaseException as error:
                self._pool.drop(connection)
                if is_stale(error, kept_since):
                    continue
                raise
            return SyncReply(head, self._pool, connection, reader, timeouts)


class SyncReply(Reply):
    """Read the body of a reply; hand the connection on at its end."""

    __slots__ = ("_connection", "_pool", "_reader", "_timeouts")

    def __init__(
        self,
        head: ReplyHead,
        pool: ConnectionPool,
        connection: socket.socket,
        reader: ReplyReader,
        timeouts: _Timeouts,
    ) -> None:
        super().__init__(head)
        self._pool: ConnectionPool | None = pool
        self._connection = connection
        self._reader = reader
        self._timeouts = timeouts

    def __iter__(self) -> Iterator[bytes]:
        connection, reader, timeouts = self._connection, self._reader, self._timeouts
        received = b""
        while not reader.is_complete:
            content = reader.read_body(received)
            if content:
                yield content
            if reader.is_complete:
                break
            received = _receive(connection, timeouts["read"])
            if not received:
                reader.end()

    def close(self) -> None:
        """Give the connection up; what is left of the body is not read."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        is_usable = self._reader.is_complete and self._reader.is_reusable
        pool.release(self._connection, is_usable=is_usable)


def _ask(
    connection: socket.socket, sent: RequestBytes, reader: ReplyReader, timeouts: _Timeouts
) -> ReplyHead:
    with suppress(httpx.WriteError):  # the server may have refused it before its end
        _send(connection, sent, timeouts["write"])
    try:
        received = _receive(connection, timeouts["read"])
    except httpx.ReadError as error:
        raise SilenceError(str(error)) from error
    if not received:
        raise SilenceError("the server closed the connection without an answer")
    while (head := reader.read_head(received)) is None:
        received = _receive(connection, timeouts["read"])
        if not received:
            reader.end()
    return head


def _send(connection: socket.socket, data: bytes, timeout: float | None) -> None:
    try:
        if connection.gettimeout() != timeout:
            connection.settimeout(timeout)
        connection.sendall(data)
    except TimeoutError as error:
        raise httpx.WriteTimeout(str(error)) from error
    except OSError as error:
        raise httpx.WriteError(str(error)) from error


def _receive(connection: socket.socket, timeout: float | None) -> bytes:
    try:
        if connection.gettimeout() != timeout:  # setting lets another thread run in between
            connection.settimeout(timeout)
        return connection.recv(_READ_SIZE)
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except OSError as error:
        raise httpx.ReadError(str(error)) from error


def _connect(origin: Origin, timeout: float | None) -> socket.socket:
    try:
        return _open(origin, timeout)
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error


def _open(origin: Origin, timeout: float | None) -> socket.socket:
    end = None if timeout is None else time.monotonic() + timeout
    found = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    for place, (family, kind, protocol, _, address) in enumerate(found):
        connection = socket.socket(family, kind, protocol)
        try:
            # an address that does not answer leaves the others their share of the time
            connection.settimeout(share_of(end, len(found) - place))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if origin.tls is not None:
                connection.settimeout(share_of(end, 1))
                connection = origin.tls.wrap_socket(connection, server_hostname=origin.host)
        except OSError:
            connection.close()
            if place == len(found) - 1:
                raise
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise OSError(f"{origin.host} has no address")


def _enter(pool: ConnectionPool, timeout: float | None) -> None:
    if pool.enter():
        return
    has_place = threading.Event()
    wake = has_place.set
    if pool.queue(wake):
        return
    try:
        if has_place.wait(timeout):
            return
    except BaseException:
        if not pool.give_up(wake):
            pool.leave()
        raise
    if pool.give_up(wake):
        raise httpx.PoolTimeout("no free connection")
