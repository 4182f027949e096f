"""The ways to ask: without and with async, whole and streamed, of the two classes in turn.

What stands around httpx sees the core's clients, whichever class asks.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from tests.core.scripted_server import Reply, answer, events, token
from tests.recorded_endpoint import MODEL

__all__ = ["ASYNC_WAY", "BASE_URL", "EVERY_STREAM", "EVERY_WAY", "KEY", "TEXT", "Way", "pieces"]

BASE_URL = "https://llm.example/v1"
KEY = "sk-of-the-test"
TEXT = "Paris."


def _langchain(**arguments: Any) -> ChatMonster:
    return ChatMonster(model=MODEL, **_given(arguments))


def _llama_index(**arguments: Any) -> MonsterLLM:
    given = _given(arguments)
    return MonsterLLM(model=MODEL, api_base=given.pop("base_url"), context_window=8192, **given)


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"base_url": BASE_URL, "api_key": KEY, "max_retries": 0, **arguments}


async def _invoke(llm: ChatMonster) -> str:
    return llm.invoke("Hi").text


async def _astream(llm: ChatMonster) -> str:
    return "".join([chunk.text async for chunk in llm.astream("Hi")])


async def _acomplete(llm: MonsterLLM) -> str:
    return (await llm.acomplete("Hi")).text


async def _stream_complete(llm: MonsterLLM) -> str:
    return "".join(one.delta or "" for one in llm.stream_complete("Hi"))


@dataclass(frozen=True)
class Way:
    """Ask a model in one of the ways in which its framework asks it.

    Args:
        make: Makes the model.
        ask: Asks it, and returns the text of its response.
        is_stream: Whether the response comes as a stream.
        is_async: Whether the request is sent by a coroutine.
    """

    make: Callable[..., Any]
    ask: Callable[[Any], Awaitable[str]]
    is_stream: bool
    is_async: bool

    @property
    def async_client_argument(self) -> str:
        """The framework's name of the argument that takes an ``httpx.AsyncClient``."""
        return "http_async_client" if self.make is _langchain else "async_http_client"

    def reply(self) -> tuple[str, bytes]:
        """Return the content type and the body that an endpoint would send."""
        if self.is_stream:
            return "text/event-stream", _EVENTS
        message = {"role": "assistant", "content": TEXT}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return "application/json", json.dumps({"id": "1", "choices": [choice]}).encode()

    def served(self) -> Reply:
        """Return the same for a server of the tests."""
        return events(token(TEXT, "stop"), "[DONE]") if self.is_stream else answer(TEXT)


_EVENTS = b"".join(
    b"data: %b\n\n" % json.dumps({"id": "1", "choices": [choice]}).encode()
    for choice in (
        {"index": 0, "delta": {"content": "Par"}, "finish_reason": None},
        {"index": 0, "delta": {"content": "is."}, "finish_reason": "stop"},
    )
) + (b"data: [DONE]\n\n")

_WAYS = [
    Way(_langchain, _invoke, is_stream=False, is_async=False),
    Way(_langchain, _astream, is_stream=True, is_async=True),
    Way(_llama_index, _acomplete, is_stream=False, is_async=True),
    Way(_llama_index, _stream_complete, is_stream=True, is_async=False),
]


def _each(ways: list[Way]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", ways, ids=[one.ask.__name__[1:] for one in ways])


EVERY_WAY = _each(_WAYS)
EVERY_STREAM = _each([one for one in _WAYS if one.is_stream])
ASYNC_WAY = _each([one for one in _WAYS if one.is_async])


def pieces(body: bytes) -> list[bytes]:
    """Return a body in pieces that end anywhere, as they do on a network."""
    return [body[start : start + 7] for start in range(0, len(body), 7)]
