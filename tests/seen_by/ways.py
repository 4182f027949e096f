"""Every way to ask: both classes, without and with async, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from tests.recorded_endpoint import MODEL

__all__ = ["BASE_URL", "EVERY_WAY", "KEY", "TEXT", "Way", "reply"]

BASE_URL = "https://llm.example/v1"
KEY = "sk-of-the-test"
TEXT = "Paris."

Way = Callable[..., Awaitable[str]]


def reply(is_stream: bool) -> tuple[str, bytes]:
    """Return the content type and the body of an endpoint's reply."""
    if not is_stream:
        message = {"role": "assistant", "content": TEXT}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return "application/json", json.dumps({"id": "1", "choices": [choice]}).encode()
    events = [
        {"id": "1", "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": end}]}
        for piece, end in (("Par", None), ("is.", "stop"))
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return "text/event-stream", f"{body}data: [DONE]\n\n".encode()


def langchain(**arguments: Any) -> ChatMonster:
    given: dict[str, Any] = {"base_url": BASE_URL, "api_key": KEY, "max_retries": 0, **arguments}
    return ChatMonster(model=MODEL, **given)


def llama_index(**arguments: Any) -> MonsterLLM:
    given: dict[str, Any] = {"api_base": BASE_URL, "api_key": KEY, "max_retries": 0, **arguments}
    if "base_url" in given:
        given["api_base"] = given.pop("base_url")
    return MonsterLLM(model=MODEL, **given)


async def invoke(**arguments: Any) -> str:
    return langchain(**arguments).invoke("Hi").text


async def ainvoke(**arguments: Any) -> str:
    return (await langchain(**arguments).ainvoke("Hi")).text


async def stream(**arguments: Any) -> str:
    return "".join(chunk.text for chunk in langchain(**arguments).stream("Hi"))


async def astream(**arguments: Any) -> str:
    return "".join([chunk.text async for chunk in langchain(**arguments).astream("Hi")])


async def complete(**arguments: Any) -> str:
    return llama_index(**arguments).complete("Hi").text


async def acomplete(**arguments: Any) -> str:
    return (await llama_index(**arguments).acomplete("Hi")).text


async def stream_complete(**arguments: Any) -> str:
    return "".join(one.delta or "" for one in llama_index(**arguments).stream_complete("Hi"))


async def astream_complete(**arguments: Any) -> str:
    responses = await llama_index(**arguments).astream_complete("Hi")
    return "".join([one.delta or "" async for one in responses])


EVERY_WAY = pytest.mark.parametrize(
    "ask, is_stream",
    [
        (invoke, False),
        (ainvoke, False),
        (stream, True),
        (astream, True),
        (complete, False),
        (acomplete, False),
        (stream_complete, True),
        (astream_complete, True),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
