"""The endpoint's response to one request, passed on piece by piece as a fault lets it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._connection import wire_of
from ._dialects import Dialect
from ._exchange import exchange_of

Deliver = Callable[["FaultyResponse", Message], Awaitable[None]]
"""Passes on a message of the endpoint's, or does something else with it."""


class FaultyResponse:
    """Stands between the endpoint and the connection.

    Attributes:
        exchange: The exchange that it belongs to.
        dialect: The rules of the release that answers.
        wire: The connection.
        is_stream: Whether the endpoint streams; known from its first message on.
        tokens: How many tokens of a stream were passed on.
        has_happened: Whether what goes wrong at some place has done so.
        is_over: Whether nothing more of the endpoint's is passed on.
    """

    def __init__(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, dialect: Dialect
    ) -> None:
        self.exchange = exchange_of(scope)
        self.dialect = dialect
        self.wire = wire_of(scope)
        self.is_stream = False
        self.tokens = 0
        self.has_happened = False
        self.is_over = False
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send

    async def ask_endpoint(self, deliver: Deliver) -> None:
        """Let the endpoint answer, and each of its messages be delivered."""

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                kind = dict(message["headers"]).get(b"content-type", b"")
                self.is_stream = kind.startswith(b"text/event-stream")
            if not self.is_over:
                await deliver(self, message)

        await self._app(self._scope, self._receive, send)

    async def pass_on(self, message: Message) -> None:
        """Send a message of the endpoint's."""
        if not self.is_over:
            await self._send(message)
            self.tokens += is_token(message)

    async def write(self, content: bytes) -> None:
        """Send a piece of a body that the endpoint did not write."""
        await self._send({"type": "http.response.body", "body": content, "more_body": True})

    async def end(self) -> None:
        """End the body here."""
        self.is_over = True
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def break_off(self) -> None:
        """Send nothing more, and wait until the client is gone."""
        self.is_over = True
        await self.exchange.leaves()

    async def replace(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Answer in the endpoint's place."""
        response = Response(body, status, dict(headers))
        await response(self._scope, self._receive, self._send)


def without_length(message: Message) -> Message:
    """Return a message without the length of the body, which may then be cut or added to."""
    if "headers" not in message:
        return message
    headers = [pair for pair in message["headers"] if pair[0] != b"content-length"]
    return {**message, "headers": headers}


def is_token(message: Message) -> bool:
    """Whether a message of a response carries a token of a stream."""
    body: bytes = message.get("body", b"")
    if not body.startswith(b"data: {"):
        return False
    choices: list[dict[str, Any]] = json.loads(body.removeprefix(b"data: ")).get("choices", [])
    return any("role" not in choice["delta"] for choice in choices)
