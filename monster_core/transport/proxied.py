"""Send through httpx's own clients: where a proxy is set, or a loop cannot watch sockets."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncGenerator

import httpx

from monster_core.transport.endpoint import tls_context
from monster_core.transport.pool import MOST_CONNECTIONS

__all__ = ["LoopClients", "can_watch", "has_proxy", "proxied_client"]


def has_proxy() -> bool:
    """Whether the environment names a proxy, which httpx knows how to use."""
    return not urllib.request.getproxies().keys().isdisjoint(("http", "https", "all"))


def can_watch(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a loop watches sockets; the one that Windows has by default does not.

    Args:
        loop: The running loop.
    """
    return type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader


def proxied_client() -> httpx.Client:
    """Make the client that serves threads."""
    return httpx.Client(verify=tls_context(), limits=_limits())


class LoopClients:
    """Make one client for each event loop; it is closed when its loop shuts down."""

    def __init__(self) -> None:
        self._of_loop: dict[asyncio.AbstractEventLoop, _Guarded] = {}

    async def get(self) -> httpx.AsyncClient:
        """Return the running loop's client."""
        loop = asyncio.get_running_loop()
        guarded = self._of_loop.get(loop)
        if guarded is None:
            for other in list(self._of_loop):  # other threads come and go with loops of their own
                if other.is_closed():
                    self._of_loop.pop(other, None)
            guarded = self._of_loop[loop] = _Guarded()
            await anext(guarded.guard)
        return guarded.client

    async def aclose(self) -> None:
        """Close the running loop's client."""
        guarded = self._of_loop.pop(asyncio.get_running_loop(), None)
        if guarded is not None:
            await guarded.guard.aclose()


class _Guarded:
    """Tie a client to its event loop: the loop closes the guard, the guard closes the client."""

    __slots__ = ("client", "guard")

    def __init__(self) -> None:
        self.client = httpx.AsyncClient(verify=tls_context(), limits=_limits())
        self.guard = _close_at_end(self.client)


async def _close_at_end(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose()


def _limits() -> httpx.Limits:
    return httpx.Limits(
        max_connections=MOST_CONNECTIONS, max_keepalive_connections=100, keepalive_expiry=30
    )
