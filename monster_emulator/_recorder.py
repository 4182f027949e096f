"""What the emulator remembers: the requests it got, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
        in_progress: How many are being answered.
        served: How many were answered to the end, refusals included.
        aborted: How many were not: the client left, or the connection was cut.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.requests: list[ReceivedRequest] = []
        self.in_progress = 0
        self.served = 0
        self.aborted = 0
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content = await _content(receive)
        headers = {k: v for k, v in Headers(scope=scope).items() if k != "authorization"}
        body = _parsed(content)
        self.requests.append(ReceivedRequest(scope["method"], scope["path"], headers, body))
        exchange = _Exchange(self, content, receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            exchange.end(served=False)


class _Exchange:
    """One request and its answer, ended once: by the answer's last byte, or by a break."""

    def __init__(self, recorder: Recorder, content: bytes, receive: Receive, send: Send) -> None:
        self._recorder = recorder
        self._content: bytes | None = content
        self._receive = receive
        self._send = send
        self._ended = False
        recorder.in_progress += 1

    async def receive(self) -> Message:
        """Hand the body over, which was read already, then wait for the client to leave."""
        if self._content is not None:
            body, self._content = self._content, None
            return {"type": "http.request", "body": body, "more_body": False}
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.end(served=False)
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.end(served=True)
        await self._send(message)

    def end(self, *, served: bool) -> None:
        """Count the request, unless it is counted already."""
        if not self._ended:
            self._ended = True
            self._recorder.in_progress -= 1
            self._recorder.served += served
            self._recorder.aborted += not served


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
