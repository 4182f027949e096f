"""The least a correct client does: httpx, JSON, and the stream's lines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

import httpx

from speed.clients import AT_END, OVER_AIOHTTP, PROMPT, Address
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

    def call(self) -> str:
        """Ask for a whole answer."""
        response = _client().post(self._url, json=_BODY)
        return _text(response)

    async def acall(self) -> str:
        """Ask for a whole answer."""
        response = await _async_client(self._is_over_aiohttp).post(self._url, json=_BODY)
        return _text(response)

    def stream(self) -> Iterator[Any]:
        """Ask for a stream."""
        with _client().stream("POST", self._url, json=_STREAMED) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield json.loads(line[6:])

    async def astream(self) -> AsyncIterator[Any]:
        """Ask for a stream."""
        async with _async_client(self._is_over_aiohttp).stream(
            "POST", self._url, json=_STREAMED
        ) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield json.loads(line[6:])

    def text(self, chunk: Any) -> str:
        """Return the piece of text that a chunk brings."""
        choices = chunk["choices"]
        return (choices[0]["delta"].get("content") or "") if choices else ""


@cache
def _client() -> httpx.Client:
    return httpx.Client(**_OPTIONS)


@cache
def _async_client(is_over_aiohttp: bool) -> httpx.AsyncClient:
    client = httpx.AsyncClient(**_OPTIONS, transport=_aiohttp() if is_over_aiohttp else None)
    AT_END.append(client.aclose)
    return client


def _aiohttp() -> httpx.AsyncBaseTransport:
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    return AiohttpTransport(client=session)


def _text(response: httpx.Response) -> str:
    return str(response.raise_for_status().json()["choices"][0]["message"]["content"])
