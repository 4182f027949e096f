"""Whether the client of a request is still there."""

from __future__ import annotations

import asyncio

from starlette.types import Receive


class Client:
    """The client of one request, watched for as long as it stays.

    Args:
        receive: The request's ASGI channel, its body already read.
    """

    def __init__(self, receive: Receive) -> None:
        self._gone = asyncio.ensure_future(self._disconnect(receive))

    async def stays(self, seconds: float) -> bool:
        """Wait, though no longer than the client does.

        Args:
            seconds: How long.

        Returns:
            Whether the client is still there.
        """
        if seconds:
            await asyncio.wait({self._gone}, timeout=seconds)
        else:
            await asyncio.sleep(0)
        return not self._gone.done()

    def dismiss(self) -> None:
        """Treat the client as gone."""
        self._gone.cancel()

    @staticmethod
    async def _disconnect(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
