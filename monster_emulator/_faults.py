"""The faults: of what is answered, and of how a right answer is delivered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import format_datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

from starlette.types import Message

from ._dialects import Dialect
from ._errors import Refusal
from ._fault import (
    BODY,
    COUNT,
    HEADERS,
    MOMENT,
    PRINTABLE,
    REDIRECT,
    SECONDS,
    SIZE,
    STATUS,
    TEXT,
    Fault,
    FaultAtPlace,
    FaultError,
)
from ._faulty_response import FaultyResponse, is_token, without_length
from ._responses import DONE, error_event

_BODILESS = (204, 304)


@dataclass(frozen=True)
class Status(Fault):
    """Answer with a status instead of the endpoint; its name in a script is the number.

    Args:
        status: The HTTP status.
        body: Text, bytes or JSON; absent, the server's own shape of an error.
        headers: Further headers.
        retry_after: The header `Retry-After`: seconds, a datetime, or any text.
    """

    name = "status"

    status: Annotated[int, STATUS]
    body: Annotated[Any, BODY] = None
    headers: Annotated[dict[str, str] | None, HEADERS] = None
    retry_after: Annotated[float | str | datetime | None, MOMENT] = None

    async def act(self, response: FaultyResponse) -> None:
        """Send status, headers and body."""
        body, kind = self._content(response.dialect)
        headers = {"content-type": kind, **(self.headers or {})}
        if self.retry_after is not None:
            headers["retry-after"] = _header_of(self.retry_after)
        await response.replace(self.status, body, headers)

    def _content(self, dialect: Dialect) -> tuple[bytes, str]:
        if self.status in _BODILESS:
            return b"", "text/plain"
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/plain; charset=utf-8"
        body = _error_body(self.status, dialect) if self.body is None else self.body
        return json.dumps(body).encode(), "application/json"


@dataclass(frozen=True)
class Redirect(Fault):
    """Send the client elsewhere.

    Args:
        to: The address.
        status: 301, 302, 303, 307 or 308.
    """

    name = "redirect"

    to: Annotated[str, PRINTABLE]
    status: Annotated[int, REDIRECT] = 307

    async def act(self, response: FaultyResponse) -> None:
        """Send the redirect."""
        await response.replace(self.status, b"", {"location": self.to})


@dataclass(frozen=True)
class ErrorEvent(FaultAtPlace):
    """End a stream with an error, as the server does; a full answer is 200 with that error.

    Args:
        after_tokens: How many tokens of a stream come first.
        message: What the server says.
        code: Its code, which is a status.
    """

    name = "error_event"

    after_tokens: Annotated[int, COUNT] = 0
    message: Annotated[str, TEXT] = "The engine broke down."
    code: Annotated[int, STATUS] = 500

    def place_in(self, response: FaultyResponse) -> int:
        """Return after how many tokens; a full answer is nothing but the error."""
        return self.after_tokens if response.is_stream else 0

    async def happen(self, response: FaultyResponse) -> None:
        """Tell the error and end the response."""
        refusal = Refusal(self.message)
        refusal.status = self.code
        error = response.dialect.error(refusal)
        told = f"{error_event(error)}{DONE}" if response.is_stream else json.dumps({"error": error})
        await response.write(told.encode())
        await response.end()


@dataclass(frozen=True)
class MalformedEvent(FaultAtPlace):
    """Put an event that is not JSON into a stream; a full answer is half its JSON.

    Args:
        after_tokens: How many tokens of a stream come first.
    """

    name = "malformed_event"

    after_tokens: Annotated[int, COUNT] = 0

    def place_in(self, response: FaultyResponse) -> int:
        """Return after how many tokens; the place in a full answer is its middle."""
        return self.after_tokens if response.is_stream else 1

    async def happen(self, response: FaultyResponse) -> None:
        """Write the event, or end what is not a stream."""
        if response.is_stream:
            await response.write(b'data: {"id": "cmpl-\n\n')
        else:
            await response.end()


@dataclass(frozen=True)
class HugeLine(Fault):
    """Put a long comment before a stream's first event; white space before a full answer.

    Args:
        size: How many bytes.
    """

    name = "huge_line"

    size: Annotated[int, SIZE] = 1_000_000

    async def deliver(self, response: FaultyResponse, message: Message) -> None:
        """Pass a message on, and the line after the head."""
        await response.pass_on(without_length(message))
        if message["type"] == "http.response.start":
            is_stream = response.is_stream
            await response.write(b":" * self.size + b"\n\n" if is_stream else b" " * self.size)


@dataclass(frozen=True)
class Slow(Fault):
    """Answer rightly, but late.

    Args:
        first_token: Seconds between the head and the first token; the body of a full answer.
        each_token: Seconds before each further token.
    """

    name = "slow"

    first_token: Annotated[float, SECONDS] = 0
    each_token: Annotated[float, SECONDS] = 0

    async def deliver(self, response: FaultyResponse, message: Message) -> None:
        """Pass a message on after a pause, if it carries content."""
        is_body = message["type"] == "http.response.body"
        if is_token(message) if response.is_stream else is_body:
            pause = self.each_token if response.tokens else self.first_token
            response.is_over = not await response.exchange.stays(pause)
        await response.pass_on(message)


@dataclass(frozen=True)
class Cut(FaultAtPlace):
    """Close the connection in the middle of the response; without a place, before it.

    Args:
        after_tokens: How many tokens of a stream come first; 0 for the head alone.
        after_bytes: How many bytes of the response come first, counted with the head.
    """

    name = "cut"
    _resets: ClassVar[bool] = False

    after_bytes: Annotated[int | None, COUNT] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.after_tokens is not None and self.after_bytes is not None:
            raise FaultError(
                f"The fault {self.name!r} takes after_tokens or after_bytes, not both."
            )

    async def act(self, response: FaultyResponse) -> None:
        """Hang up at once, or while the endpoint answers."""
        if self.after_bytes is None:
            await super().act(response)
        else:
            response.wire.cut_after(self.after_bytes, reset=self._resets)
            await response.ask_endpoint(FaultyResponse.pass_on)

    async def happen(self, response: FaultyResponse) -> None:
        """Hang up."""
        response.wire.cut(reset=self._resets)
        await response.break_off()


@dataclass(frozen=True)
class Reset(Cut):
    """Do the same with RST instead of FIN, as a crashed server or a firewall does."""

    name = "reset"
    _resets: ClassVar[bool] = True


@dataclass(frozen=True)
class Stall(FaultAtPlace):
    """Send nothing more, and keep the connection open; without a place, nothing at all.

    Args:
        after_tokens: How many tokens of a stream come first; 0 for the head alone.
    """

    name = "stall"

    async def happen(self, response: FaultyResponse) -> None:
        """Wait for the client to give up."""
        await response.break_off()


@dataclass(frozen=True)
class Pings(FaultAtPlace):
    """Send only comments from some place on: bytes flow, content does not.

    Args:
        after_tokens: How many tokens of a stream come first.
        every: Seconds between two comments. A full answer gets white space instead.
    """

    name = "pings"

    after_tokens: Annotated[int, COUNT] = 0
    every: Annotated[float, SECONDS] = 0.05

    async def happen(self, response: FaultyResponse) -> None:
        """Ping until the client gives up."""
        while await response.exchange.stays(self.every):
            await response.write(b": ping\n\n" if response.is_stream else b" ")
        response.is_over = True


@dataclass(frozen=True)
class Segments(Fault):
    """Answer rightly, in TCP segments so small that they split characters, lines and chunks.

    Args:
        size: How many bytes each has.
    """

    name = "segments"

    size: Annotated[int, SIZE] = 1

    async def deliver(self, response: FaultyResponse, message: Message) -> None:
        """Pass a message on in small pieces."""
        response.wire.hold()
        await response.pass_on(message)
        await response.wire.release(self.size)


@dataclass(frozen=True)
class HangUp(Fault):
    """Answer rightly, then close the connection that the client keeps for its next request."""

    name = "hang_up"

    async def deliver(self, response: FaultyResponse, message: Message) -> None:
        """Pass a message on, and hang up unannounced after the last one."""
        await response.pass_on(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            response.wire.cut()


FAULTS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        *(Redirect, ErrorEvent, MalformedEvent, HugeLine),
        *(Slow, Cut, Reset, Stall, Pings, Segments, HangUp),
    )
}
"""Every fault by its name, but for a status, whose name is its number."""


def _error_body(status: int, dialect: Dialect) -> dict[str, Any]:
    refusal = Refusal(_phrase(status))
    refusal.status, refusal.type = status, "InjectedError"
    return dialect.error_body(refusal)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _header_of(moment: float | str | datetime) -> str:
    if isinstance(moment, datetime):
        return format_datetime(moment.astimezone(timezone.utc), usegmt=True)
    return moment if isinstance(moment, str) else f"{moment:g}"
