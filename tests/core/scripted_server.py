"""A server that says exactly what a test tells it to, byte for byte and second for second."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

__all__ = ["Received", "Reply", "ScriptedServer", "answer", "events", "reply", "token"]


@dataclass(frozen=True)
class Reply:
    """Hold what is sent in return for one request.

    Args:
        parts: Bytes to send; between them, seconds to wait or an event to wait for.
        cut: Whether the connection is closed afterwards.
    """

    parts: Sequence[bytes | float | threading.Event]
    cut: bool = False


@dataclass(frozen=True)
class Received:
    """Hold a request that arrived.

    Args:
        line: Method and path.
        headers: Its headers, names in lower case.
        body: Its body.
        connection: Which connection brought it, from 0.
    """

    line: str
    headers: dict[str, str] = field(repr=False)
    body: bytes
    connection: int


class ScriptedServer:
    """Answer each request with the next reply of a list, the last one again and again.

    Args:
        replies: What to send, in the order of the requests.
        tls: What it speaks TLS with; plain http if None.
    """

    def __init__(self, *replies: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.clients_left = threading.Semaphore(0)
        """Released for each connection that the client closes."""
        self.accepted = 0
        """How many connections were opened, whatever came over them."""
        self._replies = list(replies)
        self._tls = tls
        self._ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def base_url(self) -> str:
        """The address, ending in ``/v1``."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    @property
    def connections(self) -> int:
        """How many connections brought requests."""
        return len({one.connection for one in self.received})

    def __enter__(self) -> ScriptedServer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for waiting in self._waited_for():
            waiting.set()
        with contextlib.suppress(OSError):  # wakes the thread that waits, whatever the system
            socket.create_connection(self._listener.getsockname(), timeout=1).close()
        self._listener.close()
        for connection in self._open:
            _hang_up(connection)
        for thread in self._threads:
            thread.join(timeout=5)

    def _waited_for(self) -> list[threading.Event]:
        parts = [part for one in self._replies for part in one.parts]
        return [part for part in parts if isinstance(part, threading.Event)]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._ending.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # 40 ms a stream
            self._open.append(connection)
            thread = threading.Thread(
                target=self._serve, args=(connection, self.accepted), daemon=True
            )
            self.accepted += 1
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:  # the client does not trust it
                self.clients_left.release()
                return
            self._open.append(connection)
        with connection, connection.makefile("rb") as stream:
            with contextlib.suppress(OSError):  # the client left in the middle
                while (request := _read_request(stream, number)) is not None:
                    self.received.append(request)
                    place = min(len(self.received), len(self._replies)) - 1
                    if not self._send(connection, self._replies[place]):
                        return
            self.clients_left.release()

    def _send(self, connection: socket.socket, sent: Reply) -> bool:
        """Send a reply; return whether the connection stays open."""
        for part in sent.parts:
            if isinstance(part, (int, float)):
                self._ending.wait(part)
            elif isinstance(part, threading.Event):
                part.wait(5)
            else:
                connection.sendall(part)
        if sent.cut:
            _hang_up(connection)
        return not sent.cut


def reply(
    status: int = 200,
    body: bytes | str | dict[str, Any] = b"",
    headers: dict[str, str] | None = None,
) -> Reply:
    """Return a whole reply; the connection stays open."""
    sent = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None
    content = json.dumps(body).encode() if sent is None else sent
    kind = "application/json" if sent is None else "text/plain"
    head = {"content-type": kind, "content-length": str(len(content)), **(headers or {})}
    return Reply([_head(status, head) + content])


def answer(text: str = "Hello") -> Reply:
    """Return a full answer of one choice."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "tool_calls": []},
        "logprobs": None,
        "finish_reason": "stop",
        "stop_reason": None,
    }
    usage = {"prompt_tokens": 3, "total_tokens": 5, "completion_tokens": 2}
    return reply(200, {"id": "cmpl-1", "model": "m", "choices": [choice], "usage": usage})


def events(
    *data: bytes | str | dict[str, Any] | float | threading.Event, cut: bool = False
) -> Reply:
    """Return a stream of events; numbers and events are pauses, bytes are sent as they are.

    Args:
        data: Each event's data.
        cut: Whether the connection breaks instead of the body ending.
    """
    parts: list[bytes | float | threading.Event] = [
        _head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
    ]
    parts += [one if isinstance(one, _PAUSES) else _chunk(one) for one in data]
    return Reply(parts if cut else [*parts, b"0\r\n\r\n"], cut)


def token(text: str, finish_reason: str | None = None) -> dict[str, Any]:
    """Return the data of an event that brings a piece of text."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    return {"id": "cmpl-1", "model": "m", "choices": [choice]}


_PAUSES = (int, float, threading.Event)


def _chunk(data: bytes | str | dict[str, Any]) -> bytes:
    if not isinstance(data, bytes):
        text = data if isinstance(data, str) else json.dumps(data)
        data = f"data: {text}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(status: int, headers: dict[str, str]) -> bytes:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {v}" for name, v in headers.items())]
    return "\r\n".join([*lines, "\r\n"]).encode()


def _read_request(stream: Any, number: int) -> Received | None:
    line = stream.readline().decode()
    if not line:
        return None
    headers: dict[str, str] = {}
    while (header := stream.readline().decode().strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(line.rpartition(" ")[0], headers, body, number)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client was faster
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
