"""Tools, classes and scripted endpoints that several test modules share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import httpx
import orjson
from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, Field

from llama_index_monster import MonsterLLM

__all__ = [
    "MULTIPLY",
    "WEATHER",
    "Box",
    "Song",
    "Turn",
    "answered",
    "blocks_of",
    "scripted",
    "scripted_turns",
    "sent_call",
    "streamed",
]

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
    """Call a method, or its async version in an event loop of its own."""
    if not is_async:
        return getattr(llm, name)(*args, **kwargs)

    async def call() -> Any:
        return await getattr(llm, f"a{name}")(*args, **kwargs)

    return asyncio.run(call())


def streamed(is_async: bool, llm: Any, name: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Collect what a streaming method, or its async version, yields."""
    if not is_async:
        return list(getattr(llm, name)(*args, **kwargs))

    async def collect() -> list[Any]:
        return [item async for item in await getattr(llm, f"a{name}")(*args, **kwargs)]

    return asyncio.run(collect())


def blocks_of(response: ChatResponse) -> list[tuple[str, Any]]:
    """Return name and arguments of a response's calls."""
    blocks = response.message.blocks
    return [(b.tool_name, b.tool_kwargs) for b in blocks if isinstance(b, ToolCallBlock)]


class Turn(NamedTuple):
    """What the model says in one turn: text, calls as (name, arguments' text), and why it ends."""

    text: str = ""
    calls: Sequence[tuple[str, str]] = ()
    finish_reason: str = "stop"


def sent_call(place: int, name: str, arguments: str) -> dict[str, Any]:
    """Return a call as servers send it."""
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{place}", "type": "function", "function": function}


def scripted_turns(*turns: Turn, **kwargs: Any) -> tuple[MonsterLLM, list[dict[str, Any]]]:
    """Make an LLM whose server gives these turns, whole or streamed as it is asked.

    Returns:
        The LLM, and the list of the bodies that it sends.
    """
    waiting, bodies = list(turns), []

    def handle(request: httpx.Request) -> httpx.Response:
        bodies.append(orjson.loads(request.content))
        turn = waiting.pop(0)
        calls = [sent_call(place, *call) for place, call in enumerate(turn.calls)]
        if not bodies[-1].get("stream"):
            message = {"content": turn.text, "tool_calls": calls}
            choice = {"index": 0, "message": message, "finish_reason": turn.finish_reason}
            return httpx.Response(200, json={"id": f"cmpl-{len(bodies)}", "choices": [choice]})
        deltas: list[dict[str, Any]] = [{"content": character} for character in turn.text]
        for place, call in enumerate(calls):
            arguments = call["function"].pop("arguments")
            call["function"]["arguments"] = ""
            deltas.append({"tool_calls": [{"index": place, **call}]})
            deltas += [
                {"tool_calls": [{"index": place, "function": {"arguments": character}}]}
                for character in arguments
            ]
        choices: list[dict[str, Any]] = [{"index": 0, "delta": delta} for delta in deltas]
        choices.append({"index": 0, "delta": {}, "finish_reason": turn.finish_reason})
        events = [orjson.dumps({"id": f"cmpl-{len(bodies)}", "choices": [one]}) for one in choices]
        body = b"".join(b"data: " + event + b"\n\n" for event in (*events, b"[DONE]"))
        return httpx.Response(200, content=body)

    return _on_transport(httpx.MockTransport(handle), kwargs), bodies


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

    return _on_transport(httpx.MockTransport(handle), kwargs)


def _on_transport(transport: httpx.MockTransport, kwargs: dict[str, Any]) -> MonsterLLM:
    return MonsterLLM(
        **{"model": "some-model", "api_base": "http://127.0.0.1:9/v1", "api_key": "k", **kwargs},
        http_client=httpx.Client(transport=transport),
        async_http_client=httpx.AsyncClient(transport=transport),
    )
