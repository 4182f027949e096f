"""The least a correct client does: httpx, JSON, and the stream's lines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from functools import cached_property
from typing import Any

import httpx

from speed.clients import OVER_AIOHTTP, PROMPT, Address
from speed.wire import MODEL

__all__ = ["RawClient", "make_client"]

_BODY = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]}
_STREAMED = {**_BODY, "stream": True, "stream_options": {"include_usage": True}}
_OPTIONS: dict[str, Any] = {
    "headers": {"authorization": "Bearer key"},
    "timeout": 120,
    "limits": httpx.Limits(max_connections=1000, max_keepalive_connections=1000),
}


def make_client(name: str, address: Address) -> RawClient:
    return RawClient(address, is_over_aiohttp=name.endswith(OVER_AIOHTTP))


class RawClient:
    """Asks with httpx and no framework.

    Args:
        address: What it asks.
        is_over_aiohttp: Whether async requests are sent with aiohttp.
    """

    def __init__(self, address: Address, *, is_over_aiohttp: bool = False) -> None:
        self._is_over_aiohttp = is_over_aiohttp
        self._url = f"{address.url}/chat/completions"

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(**_OPTIONS)

    @cached_property
    def _async_client(self) -> httpx.AsyncClient:
        if not self._is_over_aiohttp:
            return httpx.AsyncClient(**_OPTIONS)
        import aiohttp
        from httpx_aiohttp import AiohttpTransport

        def session() -> aiohttp.ClientSession:
            return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

        return httpx.AsyncClient(**_OPTIONS, transport=AiohttpTransport(client=session))

    def call(self) -> object:
        """Ask for a whole answer."""
        response = self._client.post(self._url, json=_BODY)
        return response.raise_for_status().json()["choices"][0]["message"]["content"]

    async def acall(self) -> object:
        """Ask for a whole answer."""
        response = await self._async_client.post(self._url, json=_BODY)
        return response.raise_for_status().json()["choices"][0]["message"]["content"]

    def stream(self) -> Iterator[Any]:
        """Ask for a stream."""
        with self._client.stream("POST", self._url, json=_STREAMED) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield json.loads(line[6:])

    async def astream(self) -> AsyncIterator[Any]:
        """Ask for a stream."""
        async with self._async_client.stream("POST", self._url, json=_STREAMED) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield json.loads(line[6:])

    def text(self, chunk: Any) -> str:
        """Return the piece of text that a chunk brings."""
        choices = chunk["choices"]
        return (choices[0]["delta"].get("content") or "") if choices else ""
