"""Faults of what is answered: another status, an error, an event or a line that is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import format_datetime
from http import HTTPStatus
from typing import Annotated, Any

from ._dialects import Dialect
from ._errors import Refusal
from ._fault import Fault
from ._fault_arguments import BODY, COUNT, HEADERS, MOMENT, PRINTABLE, REDIRECT, SIZE, STATUS, TEXT
from ._held_response import HeldResponse
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

    async def act(self, response: HeldResponse) -> None:
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

    async def act(self, response: HeldResponse) -> None:
        """Send the redirect."""
        await response.replace(self.status, b"", {"location": self.to})


@dataclass(frozen=True)
class ErrorEvent(Fault):
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

    async def act(self, response: HeldResponse) -> None:
        """Pass the beginning on and tell the error."""
        refusal = Refusal(self.message)
        refusal.status = self.code
        error = response.dialect.error(refusal)
        await response.until(0)
        if response.is_stream:
            await response.until(self.after_tokens)
            await response.write(f"{error_event(error)}{DONE}".encode())
        else:
            await response.write(json.dumps({"error": error}).encode())
        await response.end()


@dataclass(frozen=True)
class MalformedEvent(Fault):
    """Put an event that is not JSON into a stream; a full answer is half its JSON.

    Args:
        after_tokens: How many tokens of a stream come first.
    """

    name = "malformed_event"

    after_tokens: Annotated[int, COUNT] = 0

    async def act(self, response: HeldResponse) -> None:
        """Pass the beginning on, then the event, then the rest."""
        await response.until(0)
        if response.is_stream:
            await response.until(self.after_tokens)
            await response.write(b'data: {"id": "cmpl-\n\n')
            await response.rest()
        else:
            await response.until(1)
            await response.end()


@dataclass(frozen=True)
class HugeLine(Fault):
    """Put a long comment before a stream's first event; white space before a full answer.

    Args:
        size: How many bytes.
    """

    name = "huge_line"

    size: Annotated[int, SIZE] = 1_000_000

    async def act(self, response: HeldResponse) -> None:
        """Pass the head on, then the line, then the rest."""
        await response.until(0)
        line = b":" * self.size + b"\n\n" if response.is_stream else b" " * self.size
        await response.write(line)
        await response.rest()


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
