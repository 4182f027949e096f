"""Write an HTTP/1.1 request and take its reply apart; does no I/O.

Follows RFC 9112: a body ends by its length, by its last chunk, or with the connection. Broken
framing is httpx's ``RemoteProtocolError``, as it is from httpx's own transport.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

__all__ = ["RawHeaders", "ReplyHead", "ReplyReader", "RequestBytes", "write_head"]


class RequestBytes(bytes):
    """Hold a request, or its head, as it is sent, and show nothing of it in a traceback."""

    def __repr__(self) -> str:
        return f"<a request of {len(self)} bytes>"


class RawHeaders(list[tuple[bytes, bytes]]):
    """Hold the names and values of a request's headers, and show no value in a traceback."""

    def __repr__(self) -> str:
        return f"<the headers {b', '.join(name for name, _ in self).decode('latin-1')}>"


def write_head(method: bytes, target: bytes, headers: RawHeaders) -> RequestBytes:
    """Return the head of a request, up to the blank line that ends it.

    Args:
        method: The method.
        target: The path with its query.
        headers: Names and values.

    Raises:
        httpx.LocalProtocolError: The name or value of a header holds a line break.
    """
    written = _write_head(method, target, headers)
    if written is None:
        raise httpx.LocalProtocolError("a header holds a line break")
    return written


@dataclass(slots=True)
class ReplyHead:
    """Hold the head of a reply.

    Args:
        status: The HTTP status.
        reason: The words beside it.
        headers: Names and values as they came.
        version: ``HTTP/1.1`` or ``HTTP/1.0``.
        values: Values by names in small letters; those of one name with commas between.
    """

    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]
    version: bytes
    values: dict[bytes, bytes]


class ReplyReader:
    """Collect a reply as it arrives: its head first, then the body without its frames.

    Attributes:
        is_complete: Whether the body has come to its end.
        is_reusable: Whether the connection may carry another request after this reply.
    """

    __slots__ = ("_after_chunk", "_is_chunked", "_left", "_rest", "is_complete", "is_reusable")

    def __init__(self) -> None:
        self.is_complete = False
        self.is_reusable = True
        self._rest = b""  # what is not yet understood
        self._is_chunked = False
        self._left: int | None = 0  # of the body, or of the chunk; None: until the end
        self._after_chunk = False

    def read_head(self, received: bytes) -> ReplyHead | None:
        """Take the next bytes of the head.

        Args:
            received: What arrived.

        Returns:
            The head, or None while it is incomplete; informational ones are skipped. What came
            of the body already is what the first :meth:`read_body` returns.

        Raises:
            httpx.RemoteProtocolError: It is no HTTP/1 reply.
        """
        data = self._rest + received if self._rest else received
        while True:
            end = _END_OF_HEAD.search(data)
            if end is None:
                if len(data) > _LONGEST_HEAD or not data.startswith(b"HTTP/1."[: len(data)]):
                    raise _broken("the reply does not begin as an HTTP/1.1 reply does")
                self._rest = data
                return None
            head = _read_head(data[: end.start()])
            data = data[end.end() :]
            if head.status >= 200:
                break
            if head.status == 101:
                raise _broken("the server switches to another protocol")
        self._rest = data
        self._frame(head)
        return head

    def read_body(self, received: bytes) -> bytes:
        """Take the next bytes of the body.

        Args:
            received: What arrived; may be empty.

        Returns:
            What they add to the content.

        Raises:
            httpx.RemoteProtocolError: The framing is broken.
        """
        data = self._rest + received if self._rest else received
        self._rest = b""
        if self._is_chunked:
            return self._unchunk(data)
        if self._left is not None:
            self._left -= len(data)
            if self._left <= 0:
                self.is_complete = True
                if self._left:
                    data, self.is_reusable = data[: self._left], False
        return data

    def end(self) -> None:
        """Take the end of the connection.

        Raises:
            httpx.RemoteProtocolError: The reply was not complete.
        """
        self.is_reusable = False
        if self._left is None and not self._is_chunked:
            self.is_complete = True
        if not self.is_complete:
            kind = "incomplete chunked read" if self._is_chunked else "incomplete body"
            raise _broken(f"the server closed the connection in the middle of its reply ({kind})")

    def _frame(self, head: ReplyHead) -> None:
        """Find out how the body ends, and whether the connection goes on after it."""
        connection = head.values.get(b"connection", b"").lower()
        coding = head.values.get(b"transfer-encoding", b"").strip().lower()
        length = head.values.get(b"content-length", b"")
        if head.version == b"HTTP/1.0" and b"keep-alive" not in connection:
            self.is_reusable = False
        if b"close" in connection or (coding and length):
            self.is_reusable = False
        if head.status in (204, 304):
            self.is_complete = True
        elif coding:
            if coding != b"chunked":
                raise _broken(f"the reply's transfer-encoding is {_shown(coding)}")
            self._is_chunked = True
        elif length:
            self._left = _content_length(length)
            self.is_complete = not self._left
        else:
            self._left, self.is_reusable = None, False
        if self.is_complete and self._rest:
            self.is_reusable = False

    def _unchunk(self, data: bytes) -> bytes:
        content: list[bytes] = []
        at, end = 0, len(data)
        while not self.is_complete:
            if self._left:
                piece = data[at : at + self._left]
                content.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left:
                    break
                self._after_chunk = True
            frame = (_NEXT_CHUNK if self._after_chunk else _FIRST_CHUNK).match(data, at)
            if frame is None:
                self._rest = _unfinished_frame(data[at:])
                break
            self._left = int(frame[1], 16)
            if not self._left:
                trailer = _TRAILER.match(data, frame.end())
                if trailer is None:
                    self._left, self._rest = 0, _unfinished_trailer(data[at:])
                    break
                self.is_complete = True
                self.is_reusable = self.is_reusable and trailer.end() == end
                break
            at = frame.end()
        return content[0] if len(content) == 1 else b"".join(content)


def _write_head(method: bytes, target: bytes, headers: RawHeaders) -> RequestBytes | None:
    lines = [b"%b %b HTTP/1.1\r\n" % (method, target)]
    lines += [b"%b: %b\r\n" % header for header in headers]
    head = b"".join(lines)
    breaks = len(lines)
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        return None
    return RequestBytes(head)


_LONGEST_HEAD = 1_000_000
_LONGEST_FRAME = 4_000
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([^\r\n]*))?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*)")
_FIRST_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_NEXT_CHUNK = re.compile(rb"\r\n([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_TRAILER = re.compile(rb"(?:[^\r\n]+\r\n)*\r\n")


def _read_head(head: bytes) -> ReplyHead:
    lines = head.split(b"\n")
    status = _STATUS_LINE.fullmatch(lines[0].rstrip(b"\r"))
    if status is None:
        raise _broken(f"the reply begins with {_shown(lines[0])}")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines[1:]:
        if line[:1] in (b" ", b"\t") and headers:  # a folded line, as old servers write them
            name, value = headers[-1]
            headers[-1] = name, value + b" " + line.strip()
            continue
        header = _HEADER.fullmatch(line.rstrip(b"\r"))
        if header is None:
            raise _broken(f"the reply holds the header line {_shown(line)}")
        headers.append((header[1], header[2].rstrip()))
    return ReplyHead(int(status[2]), status[3] or b"", headers, status[1], _by_name(headers))


def _by_name(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        lowered = name.lower()
        values[lowered] = b"%b,%b" % (values[lowered], value) if lowered in values else value
    return values


def _content_length(values: bytes) -> int:
    lengths = {value.strip() for value in values.split(b",")}
    length = lengths.pop()
    if lengths or not re.fullmatch(rb"[0-9]{1,18}", length):
        raise _broken(f"the reply's content-length is {_shown(values)}")
    return int(length)


def _unfinished_frame(rest: bytes) -> bytes:
    """Return what may still become the frame of a chunk."""
    line = rest[2:] if rest[:2] == b"\r\n" else rest
    if len(rest) > _LONGEST_FRAME or b"\n" in line or not _BEGINS_FRAME.match(line):
        raise _broken(f"a chunk of the reply begins with {_shown(rest)}")
    return rest


_BEGINS_FRAME = re.compile(rb"\r?\Z|[0-9a-fA-F]{1,15}[ \t]*(?:\r?\Z|;)")


def _unfinished_trailer(rest: bytes) -> bytes:
    if len(rest) > _LONGEST_HEAD:
        raise _broken("the reply's trailer does not end")
    return rest


def _shown(data: bytes) -> str:
    return repr(data[:60].decode("latin-1"))


def _broken(what: str) -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError(what)
