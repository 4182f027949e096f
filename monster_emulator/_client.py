"""Whether the client of a request is still there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Message, Receive

# without a pace, an answer gives the event loop a turn after so many tokens
_TOKENS_PER_TURN = 4  # asyncio complains of five writes to a connection that was lost


class Client:
    """The client of one request, watched for as long as it stays."""

    def __init__(self, receive: Receive) -> None:
        self._tokens = 0
        self._gone = asyncio.ensure_future(self._disconnect(receive))

    async def stays(self, seconds: float) -> bool:
        """Wait, though no longer than the client does, and return whether it is still there."""
        self._tokens += 1
        if seconds:
            await asyncio.wait({self._gone}, timeout=seconds)
        elif self._tokens % _TOKENS_PER_TURN == 0:
            await asyncio.sleep(0)
        return not self._gone.done()

    async def leaves(self) -> Message:
        """Wait until the client is gone."""
        await asyncio.wait({self._gone})
        return {"type": "http.disconnect"}

    def dismiss(self) -> None:
        """Treat the client as gone."""
        self._gone.cancel()

    @staticmethod
    async def _disconnect(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


class Clients:
    """Every client that is being answered."""

    def __init__(self) -> None:
        self._present: set[Client] = set()

    @asynccontextmanager
    async def watch(self, receive: Receive) -> AsyncIterator[Client]:
        """Watch the client of a request while a block runs."""
        client = Client(receive)
        self._present.add(client)
        try:
            yield client
        finally:
            self._present.discard(client)
            client.dismiss()

    def dismiss(self) -> None:
        """Treat every client as gone, so that the server can stop."""
        for client in self._present:
            client.dismiss()
