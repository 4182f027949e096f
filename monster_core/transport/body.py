"""Read the body of a response: undo its compression, and refuse one that is too large."""

from __future__ import annotations

import sys
import zlib
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, cast

from monster_core.errors import ResponseError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx

    from monster_core.transport.deadline import Deadline

__all__ = [
    "ACCEPTED_ENCODING",
    "Beginning",
    "Body",
    "araw_bytes",
    "aread_beginning",
    "raw_bytes",
    "read_beginning",
]

ACCEPTED_ENCODING = "gzip"
"""The only compression that is asked for: every one more is one more way to send a bomb."""


class Body:
    """Read a response's body, and refuse one that is too large or takes too long.

    Args:
        response: The response, its body not read yet.
        max_bytes: The most bytes that it may have, decompressed.
        deadline: The deadlines of the call.

    Raises:
        ResponseError: It says itself that it is too large, or it is compressed in a way that was
            not asked for.
    """

    __slots__ = ("_deadline", "_inflater", "_left", "_max_bytes")

    def __init__(self, response: httpx.Response, max_bytes: int, deadline: Deadline) -> None:
        self._max_bytes = max_bytes
        self._left = min(max_bytes, sys.maxsize - 1)  # one more must still be a C integer
        self._deadline = None if deadline.timeouts.total is None else deadline
        self._inflater = _inflater(response) if "content-encoding" in response.headers else None
        length = "" if response.is_stream_consumed else response.headers.get("content-length", "")
        if length.isdecimal() and (len(length) > 19 or int(length) > max_bytes):
            raise self._too_large()

    def take(self, received: bytes) -> bytes:
        """Return what the next bytes are, decompressed.

        Args:
            received: The bytes as they came.

        Raises:
            ResponseError: There are too many, or they cannot be decompressed.
            RequestTimeoutError: The whole call has taken too long.
        """
        if self._inflater is not None:
            received = _decompressed(self._inflater, received, self._left + 1)
        self._left -= len(received)
        if self._left < 0:
            raise self._too_large()
        if self._deadline is not None:
            passed = self._deadline.total_passed()
            if passed is not None:
                raise passed
        return received

    def _too_large(self) -> ResponseError:
        return ResponseError(
            f"The server's response is larger than {self._max_bytes:,} bytes: raise "
            "max_response_bytes if answers may be so large."
        )


class Beginning:
    """Collect the beginning of a body, of which the rest is not needed.

    Args:
        response: The response, its body not read yet.
        enough: The number of bytes, decompressed, after which no more are needed.
    """

    __slots__ = ("_enough", "_inflater", "problem", "text")

    def __init__(self, response: httpx.Response, enough: int) -> None:
        self._enough = enough
        self._inflater: zlib._Decompress | None = None
        self.text = b""
        self.problem: ResponseError | None = None
        """Why no more can be read than what ``text`` holds."""
        try:
            self._inflater = _inflater(response)
        except ResponseError as error:
            self.problem = error

    def is_enough_with(self, received: bytes) -> bool:
        """Add the next bytes; return whether no more are needed.

        Args:
            received: The bytes as they came.
        """
        if self.problem is None:
            try:
                if self._inflater is not None:
                    received = _decompressed(self._inflater, received, self._enough + 1)
                self.text += received
            except ResponseError as error:
                self.problem = error
        return self.problem is not None or len(self.text) >= self._enough


def raw_bytes(response: httpx.Response) -> Iterator[bytes]:
    """Return the body's bytes as they come; the connection is free once the response is closed.

    What was read before, by a mock or by a hook of the caller's client, comes decompressed.

    Args:
        response: The response.
    """
    if response.is_stream_consumed:
        return iter((response.content,))
    return iter(cast("httpx.SyncByteStream", response.stream))


def araw_bytes(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the body's bytes as they come; the async form of :func:`raw_bytes`.

    Args:
        response: The response.
    """
    if response.is_stream_consumed:
        return _content(response)
    return aiter(cast("httpx.AsyncByteStream", response.stream))


def read_beginning(response: httpx.Response, enough: int) -> Beginning:
    """Read the beginning of a body, and close the response.

    Args:
        response: The response, its body not read yet.
        enough: The number of bytes, decompressed, after which no more are received.
    """
    beginning = Beginning(response, enough)
    with closing(response):
        for received in raw_bytes(response):
            if beginning.is_enough_with(received):
                break
    return beginning


async def aread_beginning(response: httpx.Response, enough: int) -> Beginning:
    """Read the beginning of a body; the async form of :func:`read_beginning`.

    Args:
        response: The response, its body not read yet.
        enough: The number of bytes, decompressed, after which no more are received.
    """
    beginning = Beginning(response, enough)
    async with aclosing(response):
        async for received in araw_bytes(response):
            if beginning.is_enough_with(received):
                break
    return beginning


async def _content(response: httpx.Response) -> AsyncIterator[bytes]:
    yield response.content


def _inflater(response: httpx.Response) -> zlib._Decompress | None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("identity", "") or response.is_stream_consumed:
        return None
    if encoding not in ("gzip", "x-gzip"):
        raise ResponseError(
            f"The server compressed its response as {encoding[:50]!r}, though it was asked for "
            f"{ACCEPTED_ENCODING} or nothing."
        )
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def _decompressed(inflater: zlib._Decompress, received: bytes, max_bytes: int) -> bytes:
    try:
        return inflater.decompress(received, max_bytes)
    except zlib.error as error:
        raise ResponseError(f"The response's compression cannot be undone: {error}.") from error
