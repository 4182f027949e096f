"""Every request and its response: what came, how it ended, whether its client is still there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# without a pace, an answer gives the event loop a turn after so many tokens
_TOKENS_PER_TURN = 4  # asyncio complains of five writes to a connection that was lost
_STATE_KEY = "emulator_exchange"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that the emulator got.

    Attributes:
        method: The HTTP method.
        path: The path.
        headers: The headers, their names in lower case, without `authorization`.
        body: The parsed JSON body; None if there was none, or if it was not JSON.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class Recorder:
    """Remembers every request, and counts how each one ended.

    Attributes:
        requests: The requests, in the order in which they came.
        served: How many were answered to the end, refusals included.
        aborted: How many were not: the client left, or the connection was cut.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.requests: list[ReceivedRequest] = []
        self.served = 0
        self.aborted = 0
        self._app = app
        self._open: set[Exchange] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content = await _content(receive)
        headers = {k: v for k, v in Headers(scope=scope).items() if k != "authorization"}
        request = ReceivedRequest(scope["method"], scope["path"], headers, _parsed(content))
        self.requests.append(request)
        exchange = Exchange(self, content, receive, send)
        scope["state"][_STATE_KEY] = exchange
        self._open.add(exchange)
        try:
            await self._app(scope, receive, exchange.send)
        finally:
            exchange.dismiss()
            self.end(exchange, served=False)

    @property
    def in_progress(self) -> int:
        """How many requests are being answered."""
        return len(self._open)

    def end(self, exchange: Exchange, *, served: bool) -> None:
        """Count an exchange, unless it is counted already."""
        if exchange in self._open:
            self._open.remove(exchange)
            self.served += served
            self.aborted += not served

    def dismiss(self) -> None:
        """Treat every client as gone, so that the server can stop."""
        for exchange in self._open:
            exchange.dismiss()


class Exchange:
    """One request and its response, while the client waits for it.

    Attributes:
        content: The request's body.
    """

    def __init__(self, recorder: Recorder, content: bytes, receive: Receive, send: Send) -> None:
        self.content = content
        self._recorder = recorder
        self._receive = receive
        self._send = send
        self._tokens = 0
        self._gone = asyncio.ensure_future(self._disconnect())

    async def send(self, message: Message) -> None:
        """Pass a part of the response on; the last one ends the exchange."""
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._recorder.end(self, served=True)
        await self._send(message)

    async def stays(self, seconds: float) -> bool:
        """Wait, though no longer than the client does, and return whether it is still there."""
        self._tokens += 1
        if seconds:
            await asyncio.wait({self._gone}, timeout=seconds)
        elif self._tokens % _TOKENS_PER_TURN == 0:
            await asyncio.sleep(0)
        return not self._gone.done()

    async def leaves(self) -> None:
        """Wait until the client is gone."""
        await asyncio.wait({self._gone})

    def dismiss(self) -> None:
        """Treat the client as gone."""
        self._gone.cancel()

    async def _disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._recorder.end(self, served=False)


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange that a request belongs to."""
    exchange: Exchange = scope["state"][_STATE_KEY]
    return exchange


async def _content(receive: Receive) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
