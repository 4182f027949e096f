"""Read the body of a response: undo its compression, and refuse one that is too large."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, cast

from monster_core.errors import ResponseError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx

__all__ = ["ACCEPTED_ENCODING", "Body", "araw_bytes", "raw_bytes", "read_beginning"]

ACCEPTED_ENCODING = "gzip"
"""The only compression that is asked for: every one more is one more way to send a bomb."""


class Body:
    """Count the bytes of a response's body against the most it may have, decompressed.

    Args:
        response: The response, its body not read yet.
        max_bytes: The most bytes that it may have, decompressed.

    Raises:
        ResponseError: The response is compressed in a way that was not asked for.
    """

    __slots__ = ("_inflater", "_left", "_max_bytes")

    def __init__(self, response: httpx.Response, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._left = min(max_bytes, sys.maxsize - 1)  # one more must still be a C integer
        self._inflater = _inflater(response)

    @classmethod
    def begin(cls, response: httpx.Response, max_bytes: int) -> Body:
        """Begin to read a response, unless it says itself that it is too large.

        Args:
            response: The response, its body not read yet.
            max_bytes: The most bytes that it may have, decompressed.

        Raises:
            ResponseError: It does, or it is compressed in a way that was not asked for.
        """
        body = cls(response, max_bytes)
        length = "" if response.is_stream_consumed else response.headers.get("content-length", "")
        if length.isdecimal() and (len(length) > 19 or int(length) > max_bytes):
            raise body._too_large()
        return body

    def take(self, received: bytes) -> bytes:
        """Return what the next bytes are, decompressed.

        Args:
            received: The bytes as they came.

        Raises:
            ResponseError: There are too many, or they cannot be decompressed.
        """
        if self._inflater is not None:
            received = self.decompressed(received)
        self._left -= len(received)
        if self._left < 0:
            raise self._too_large()
        return received

    def decompressed(self, received: bytes) -> bytes:
        """Return what the next bytes are, cut after the first byte that is too many.

        Args:
            received: The bytes as they came.

        Raises:
            ResponseError: They cannot be decompressed.
        """
        if self._inflater is None:
            return received
        try:
            return self._inflater.decompress(received, self._left + 1)
        except zlib.error as error:
            raise ResponseError(f"The response's compression cannot be undone: {error}.") from error

    def _too_large(self) -> ResponseError:
        return ResponseError(
            f"The server's response is larger than {self._max_bytes:,} bytes: raise "
            "max_response_bytes if answers may be so large."
        )


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


def read_beginning(response: httpx.Response, enough: int, into: bytearray) -> None:
    """Read the beginning of a body, and close the response.

    Args:
        response: The response, its body not read yet.
        enough: The number of bytes, decompressed, after which no more are received.
        into: Takes the bytes; those before an error too.

    Raises:
        ResponseError: The body cannot be decompressed.
    """
    try:
        body = Body(response, enough)
        for received in raw_bytes(response):
            into += body.decompressed(received)
            if len(into) >= enough:
                break
    finally:
        response.close()


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
