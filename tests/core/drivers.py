"""Drive the sync and the async client alike, so that one test body checks both."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import httpx
from pydantic import SecretStr

from monster_core.models_endpoint import ServedModel
from monster_core.request.builder import ChatRequest, build_request
from monster_core.request.messages import Message
from monster_core.response.types import Chunk, Completion
from monster_core.transport.client import AsyncMonsterClient, MonsterClient
from monster_core.transport.deadline import Timeouts
from monster_core.transport.endpoint import Endpoint

__all__ = ["AsyncDriver", "Driver", "SyncDriver", "call", "endpoint"]


def endpoint(base_url: str, **changes: Any) -> Endpoint:
    """Return an endpoint that gives up after 5 seconds and never retries.

    Args:
        base_url: Where it is.
        changes: Other values for the fields of :class:`Endpoint`.
    """
    given: dict[str, Any] = {
        "base_url": base_url,
        "api_key": SecretStr("open-sesame"),
        "timeouts": Timeouts.of(5, idle=None, total=None),
        "max_retries": 0,
        "async_transport": os.environ.get("MONSTER_ASYNC_TRANSPORT", "httpx"),
    }
    return Endpoint(**{**given, **changes})


def call(*, stream: bool = False) -> ChatRequest:
    """Return a call that says hello."""
    return build_request([Message("user", "Hello")], {"model": "m"}, stream=stream)


class SyncDriver:
    """Drive :class:`MonsterClient`."""

    def __init__(self, target: Endpoint, http_client: httpx.Client | None = None) -> None:
        self._client = MonsterClient(target, http_client)

    def answer(self) -> Completion:
        """Send a call, return its answer."""
        return self._client.complete(call())

    def stream(self) -> Iterator[Chunk]:
        """Send a call, yield its chunks; closing the iterator leaves the stream."""
        return self._client.stream(call(stream=True))

    def models(self) -> list[ServedModel]:
        """Ask which models are served."""
        return self._client.models()

    def context_window(self, model: str, **kwargs: Any) -> int | None:
        """Ask how much a model can read."""
        return self._client.context_window(model, **kwargs)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class AsyncDriver:
    """Drive :class:`AsyncMonsterClient` on an event loop of its own."""

    def __init__(self, target: Endpoint, http_client: httpx.AsyncClient | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = AsyncMonsterClient(target, http_client)

    def answer(self) -> Completion:
        """Send a call, return its answer."""
        return self._loop.run_until_complete(self._client.complete(call()))

    def stream(self) -> Iterator[Chunk]:
        """Send a call, yield its chunks; closing the iterator leaves the stream."""
        chunks = self._client.stream(call(stream=True))
        try:
            while True:
                try:
                    yield self._loop.run_until_complete(anext(chunks))
                except StopAsyncIteration:
                    return
        finally:
            self._loop.run_until_complete(chunks.aclose())

    def models(self) -> list[ServedModel]:
        """Ask which models are served."""
        return self._loop.run_until_complete(self._client.models())

    def context_window(self, model: str, **kwargs: Any) -> int | None:
        """Ask how much a model can read."""
        return self._loop.run_until_complete(self._client.context_window(model, **kwargs))

    def close(self) -> None:
        """Close the client and its loop."""
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


Driver = SyncDriver | AsyncDriver
