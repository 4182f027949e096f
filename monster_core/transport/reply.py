"""Be what is read of an httpx.Response, and of an httpx.Request what is sent, for a tenth of it.

Making httpx's objects, and httpcore's below them, is a quarter of what a call costs.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, ClassVar, cast

import httpcore
import httpx

from monster_core.transport.http1 import RawHeaders, ReplyHead, RequestBytes, write_head

__all__ = [
    "OutgoingRequest",
    "Received",
    "Reply",
    "RequestWriter",
    "as_hooked",
    "header_of",
    "is_hooked",
    "write_hooked",
]


def is_hooked(handle: Callable[..., Any]) -> bool:
    """Whether somebody put a function of their own in the place of one of httpx's transport.

    Recorders and tracers do; what they replace is given httpx's own objects.

    Args:
        handle: The function as it is now.
    """
    return type(handle) is not FunctionType or handle.__globals__ is not _HTTPX_TRANSPORT


_HTTPX_TRANSPORT = vars(httpx._transports.default)


@dataclass(slots=True)
class OutgoingRequest:
    """Hold what an httpx.Request is made of.

    Args:
        method: The method.
        url: The address.
        headers: All headers but those that httpx adds.
        content: The body, None for none.
        timeouts: The seconds of each phase, by httpx's names.
    """

    method: str
    url: httpx.URL
    headers: httpx.Headers
    content: bytes | None
    timeouts: Mapping[str, float | None]

    def made_by(self, make: Callable[..., httpx.Request]) -> httpx.Request:
        """Return the request as httpx's.

        Args:
            make: httpx.Request, or a client's build_request, which adds its own headers below ours.
        """
        return make(
            self.method,
            self.url,
            headers=self.headers,
            content=self.content,
            extensions={"timeout": self.timeouts},
        )


class RequestWriter:
    """Write requests; the head of the last one of each method is kept for the next."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        self._heads: dict[str, tuple[httpx.URL, httpx.Headers, RequestBytes]] = {}

    def write(self, request: OutgoingRequest) -> RequestBytes:
        """Return the bytes of a request.

        Args:
            request: The request.

        Raises:
            httpx.LocalProtocolError: The name or value of a header holds a line break.
        """
        head, content = self._head(request), request.content
        if content is None:
            return RequestBytes(b"%b\r\n" % head)
        return RequestBytes(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(content), content))

    def _head(self, request: OutgoingRequest) -> RequestBytes:
        known = self._heads.get(request.method)
        if known is not None and known[0] is request.url and known[1] is request.headers:
            return known[2]
        bare = httpx.Request(request.method, request.url, headers=request.headers)
        given = RawHeaders(one for one in bare.headers.raw if one[0].lower() != b"content-length")
        head = write_head(request.method.encode("ascii"), request.url.raw_path, given)
        self._heads[request.method] = request.url, request.headers, head
        return head


class Reply:
    """Be a reply whose body is not read yet.

    Args:
        head: Its head.
    """

    __slots__ = ("_headers", "head")

    extensions: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, head: ReplyHead) -> None:
        self.head = head
        self._headers: httpx.Headers | None = None

    @property
    def stream(self) -> object:
        """The body: an iterable of bytes, or an async one."""
        return self

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.head.status

    @property
    def headers(self) -> httpx.Headers:
        """All of its headers."""
        if self._headers is None:
            self._headers = httpx.Headers(self.head.headers)
        return self._headers


Received = httpx.Response | Reply
"""A reply of a client of httpx's, or of ours."""


def header_of(reply: Received, name: str) -> str:
    """Return the value of a reply's header, empty if there is none.

    Args:
        reply: The reply.
        name: The header's name in small letters.
    """
    if isinstance(reply, Reply):
        return reply.head.values.get(name.encode("ascii"), b"").decode("latin-1")
    return str(reply.headers.get(name, ""))


def write_hooked(request: httpcore.Request) -> RequestBytes:
    """Return the bytes of a request that came through httpx's transport.

    Args:
        request: The request; its body is held in memory.

    Raises:
        httpx.LocalProtocolError: The name or value of a header holds a line break.
    """
    head = write_head(request.method, request.url.target, RawHeaders(request.headers))
    return RequestBytes(b"%b\r\n%b" % (head, b"".join(cast("Iterable[bytes]", request.stream))))


def as_hooked(head: ReplyHead, body: Iterable[bytes] | AsyncIterable[bytes]) -> httpcore.Response:
    """Return a reply as httpx's transport expects it.

    Args:
        head: The reply's head.
        body: Its body.
    """
    known = {"http_version": head.version, "reason_phrase": head.reason}
    return httpcore.Response(head.status, headers=head.headers, content=body, extensions=known)
