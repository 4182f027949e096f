"""Models of both frameworks that hold a planted key and header, and every way to call them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from tests.core.scripted_server import ScriptedServer
from tests.security.canaries import HEADER, KEY

Model = ChatMonster | MonsterLLM
Make = Callable[..., Model]


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers that give scripted replies."""
    with ExitStack() as servers:
        yield lambda *replies: servers.enter_context(ScriptedServer(*replies))


@pytest.fixture(params=["langchain", "llama_index"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make a model, of either framework, that holds the planted secrets."""
    with ExitStack() as opened:

        def model(base_url: str, **given: Any) -> Model:
            told: dict[str, Any] = {
                "model": "m",
                "api_key": KEY,
                "default_headers": {"x-gateway": HEADER},
                "max_retries": 0,
                "timeout": 5,
                **given,
            }
            made: Model = (
                ChatMonster(base_url=base_url, **told)
                if request.param == "langchain"
                else MonsterLLM(api_base=base_url, **told)
            )
            opened.callback(made.close)
            return made

        yield model


def answer(llm: Model, **given: Any) -> Any:
    if isinstance(llm, ChatMonster):
        return llm.invoke("Hi", **given)
    return llm.chat([ChatMessage("Hi")], **given)


def answer_async(llm: Model, **given: Any) -> Any:
    async def ask() -> Any:
        async with llm:
            if isinstance(llm, ChatMonster):
                return await llm.ainvoke("Hi", **given)
            return await llm.achat([ChatMessage("Hi")], **given)

    return asyncio.run(ask())


def stream(llm: Model, **given: Any) -> list[Any]:
    if isinstance(llm, ChatMonster):
        return list(llm.stream("Hi", **given))
    return list(llm.stream_chat([ChatMessage("Hi")], **given))


def stream_async(llm: Model, **given: Any) -> list[Any]:
    async def ask() -> list[Any]:
        async with llm:
            if isinstance(llm, ChatMonster):
                return [chunk async for chunk in llm.astream("Hi", **given)]
            chunks = await llm.astream_chat([ChatMessage("Hi")], **given)
            return [chunk async for chunk in chunks]

    return asyncio.run(ask())


@pytest.fixture(params=[answer, answer_async, stream, stream_async], ids=lambda way: way.__name__)
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Call a model: whole and streamed, sync and async."""
    way: Callable[..., Any] = request.param
    return way
