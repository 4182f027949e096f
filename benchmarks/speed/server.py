"""Completion chat completions from bytes written beforehand, so cheaply that a client never waits.

The address says what is answered: /KIND/COUNT/INTERVAL/v1/chat/completions, with the interval
between two chunks in microseconds. With an interval every chunk travels in a segment of its own, as
from a model at work; with 0 eight chunks share one, and all are sent at once.
"""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from speed.wire import events, full_answer

__all__ = ["running_server"]

CHUNKS_IN_A_SEGMENT = 8

_PATH = re.compile(rb"POST /([a-z-]+)/(\d+)/(\d+)/v1/chat/completions ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def running_server() -> Iterator[str]:
    """Run the server in a process of its own and give its origin."""
    command = [sys.executable, "-m", "speed.server"]
    directory = Path(__file__).parent.parent
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Connection(asyncio.Protocol):
    """Serves one client's requests, one after another."""

    def __init__(self) -> None:
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send every write at once."""
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop a stream whose reader has gone."""
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = _LENGTH.search(head)
        if len(body) >= (int(length[1]) if length else 0):
            self._received = b""
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        asked = _PATH.match(head)
        if asked is None:
            self._transport.write(_NOT_FOUND)
            return
        kind, count, interval = asked[1].decode(), int(asked[2]), int(asked[3])
        if not _STREAM.search(body):
            self._transport.write(_whole(kind, count))
        elif interval:
            self._send(iter(_segments(kind, count, 1)), interval / 1e6)
        else:
            for segment in _segments(kind, count, CHUNKS_IN_A_SEGMENT):
                self._transport.write(segment)

    def _send(self, segments: Iterator[bytes], interval: float) -> None:
        segment = next(segments, None)
        if segment is not None:
            self._transport.write(segment)
            self._timer = self._loop.call_later(interval, self._send, segments, interval)


@cache
def _whole(kind: str, count: int) -> bytes:
    body = full_answer(kind, count)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


@cache
def _segments(kind: str, count: int, size: int) -> tuple[bytes, ...]:
    pieces = events(kind, count)
    joined = [b"".join(pieces[at : at + size]) for at in range(0, len(pieces), size)]
    chunked = [b"%x\r\n%b\r\n" % (len(one), one) for one in joined]
    chunked[0] = _STREAM_HEAD + chunked[0]
    chunked[-1] += b"0\r\n\r\n"
    return tuple(chunked)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(
        Connection, "127.0.0.1", 0, backlog=2048
    )
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
