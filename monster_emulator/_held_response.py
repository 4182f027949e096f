"""The endpoint's response to one request, passed on piece by piece under a fault's control."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import anyio
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._connection import Wire, wire_of
from ._dialects import Dialect
from ._exchange import exchange_of

# a body of unknown length may be cut or added to
_LENGTH = b"content-length"


class HeldResponse:
    """What the endpoint answers, held back until a fault lets it pass.

    Use it in an `async with` statement. The endpoint is not asked before the first piece is.
    """

    def __init__(
        self,
        app: ASGIApp,
        scope: Scope,
        receive: Receive,
        send: Send,
        dialect: Dialect,
    ) -> None:
        self.exchange = exchange_of(scope)
        self.dialect = dialect
        self.wire: Wire = wire_of(scope)
        self.is_stream = False
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._from_endpoint, self._messages = anyio.create_memory_object_stream[Message](0)
        self._endpoint: asyncio.Task[None] | None = None
        self._has_begun = False
        self._unsent: bytes | None = None  # of a full body that was read to its end

    async def __aenter__(self) -> HeldResponse:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._endpoint and not self._endpoint.done():
            self._endpoint.cancel()
            await asyncio.wait({self._endpoint})
        self._from_endpoint.close()
        self._messages.close()

    async def until(self, tokens: int | None) -> None:
        """Send the head and that many tokens of a stream; None for nothing, not even the head.

        Of a full answer, any number but 0 is half of the body.
        """
        if tokens is None:
            return
        if not self._has_begun:
            await self._begin()
        if not self.is_stream:
            await self._halve(tokens)
            return
        while tokens and (message := await self.next()):
            await self._send(message)
            tokens -= is_token(message)

    async def rest(self) -> None:
        """Pass on all that is left."""
        if self._unsent is not None:
            await self.write(self._unsent)
            await self.end()
            return
        while message := await self.next():
            await self._send(message)

    async def next(self) -> Message | None:
        """Return the next message, the head first, without sending it; None after the last one."""
        if self._endpoint is None:
            self._endpoint = asyncio.ensure_future(self._ask())
        try:
            message = await self._messages.receive()
        except anyio.EndOfStream:
            await self._endpoint  # raises what the endpoint raised
            return None
        if message["type"] == "http.response.start":
            kind = dict(message["headers"]).get(b"content-type", b"")
            self.is_stream = kind.startswith(b"text/event-stream")
        return message

    async def send(self, message: Message) -> None:
        """Send a message that :meth:`next` returned."""
        await self._send(message)

    async def write(self, content: bytes) -> None:
        """Send a piece of a body that the endpoint did not write."""
        await self._send({"type": "http.response.body", "body": content, "more_body": True})

    async def end(self) -> None:
        """End the body here."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def replace(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Answer in the endpoint's place."""
        response = Response(body, status, dict(headers))
        await response(self._scope, self._receive, self._send)

    async def _begin(self) -> None:
        self._has_begun = True
        head = await self.next()
        if head:
            headers = [(name, value) for name, value in head["headers"] if name != _LENGTH]
            await self._send({**head, "headers": headers})

    async def _halve(self, tokens: int) -> None:
        if self._unsent is None:
            self._unsent = b""
            while message := await self.next():
                self._unsent += message.get("body", b"")
        if tokens:
            half = len(self._unsent) // 2
            first, self._unsent = self._unsent[:half], self._unsent[half:]
            await self.write(first)

    async def _ask(self) -> None:
        with self._from_endpoint:
            await self._app(self._scope, self._receive, self._from_endpoint.send)


def is_token(message: Message) -> bool:
    """Whether a message of a response carries a token of a stream."""
    body: bytes = message.get("body", b"")
    if not body.startswith(b"data: {"):
        return False
    choices: list[dict[str, Any]] = json.loads(body.removeprefix(b"data: ")).get("choices", [])
    return any("role" not in choice["delta"] for choice in choices)
