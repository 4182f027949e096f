"""Tools, shapes and scripted endpoints that several test modules share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import httpx
import orjson
from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, Field

from llama_index_monster import MonsterLLM

__all__ = ["MULTIPLY", "WEATHER", "Box", "Song", "answered", "blocks_of", "scripted", "streamed"]

T = TypeVar("T")


class Song(BaseModel):
    """A song."""

    title: str
    seconds: int = Field(ge=0)


class Box(BaseModel, Generic[T]):
    """A box of something."""

    content: T
    width: int


def _multiply(a: int, b: int) -> int:
    """Multiply two integers."""
    return a * b


def _get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It is sunny in {city}."


MULTIPLY = FunctionTool.from_defaults(_multiply, name="multiply")
WEATHER = FunctionTool.from_defaults(_get_weather, name="get_weather")


def answered(is_async: bool, llm: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call a method, or its twin in an event loop of its own."""
    if not is_async:
        return getattr(llm, name)(*args, **kwargs)

    async def call() -> Any:
        return await getattr(llm, f"a{name}")(*args, **kwargs)

    return asyncio.run(call())


def streamed(is_async: bool, llm: Any, name: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Collect what a streaming method, or its twin, yields."""
    if not is_async:
        return list(getattr(llm, name)(*args, **kwargs))

    async def collect() -> list[Any]:
        return [item async for item in await getattr(llm, f"a{name}")(*args, **kwargs)]

    return asyncio.run(collect())


def blocks_of(response: ChatResponse) -> list[tuple[str, Any]]:
    """Return name and arguments of a response's calls."""
    blocks = response.message.blocks
    return [(b.tool_name, b.tool_kwargs) for b in blocks if isinstance(b, ToolCallBlock)]


def scripted(
    message: dict[str, Any] | None = None,
    deltas: Sequence[dict[str, Any]] = (),
    finish_reason: str = "stop",
    **kwargs: Any,
) -> MonsterLLM:
    """Make an LLM whose server gives one answer, whole and as these deltas."""

    def handle(request: httpx.Request) -> httpx.Response:
        if not orjson.loads(request.content).get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": finish_reason}
            return httpx.Response(200, json={"id": "cmpl-1", "choices": [choice]})
        choices: list[dict[str, Any]] = [{"index": 0, "delta": delta} for delta in deltas]
        choices.append({"index": 0, "delta": {}, "finish_reason": finish_reason})
        events = [orjson.dumps({"id": "cmpl-1", "choices": [choice]}) for choice in choices]
        body = b"".join(b"data: " + event + b"\n\n" for event in (*events, b"[DONE]"))
        return httpx.Response(200, content=body)

    transport = httpx.MockTransport(handle)
    return MonsterLLM(
        **{"model": "some-model", "api_base": "http://127.0.0.1:9/v1", "api_key": "k", **kwargs},
        http_client=httpx.Client(transport=transport),
        async_http_client=httpx.AsyncClient(transport=transport),
    )
