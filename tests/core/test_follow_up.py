"""A request with tools and a guided answer is followed by another one if no tool is called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from monster_core.request.builder import ChatRequest, build_request
from monster_core.request.messages import Message
from monster_core.response.types import Chunk, Completion, Usage
from monster_core.transport.client import AsyncMonsterClient, MonsterClient
from tests.core.drivers import endpoint
from tests.core.scripted_server import ScriptedServer, answer, events, token

Serve = Callable[..., ScriptedServer]
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
CALL = '{"name": "add", "parameters": {"a": 1}}'
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def request_for(stream: bool) -> ChatRequest:
    fields: dict[str, Any] = {"model": "m", "tools": [TOOL], "guided_regex": "[0-9]+"}
    return build_request([Message("user", "Hello")], fields, stream=stream)


def completion_of(server: ScriptedServer, is_async: bool) -> Completion:
    target = endpoint(server.base_url)
    if not is_async:
        return MonsterClient(target).complete(request_for(stream=False))

    async def ask() -> Completion:
        client = AsyncMonsterClient(target)
        completion = await client.complete(request_for(stream=False))
        await client.aclose()
        return completion

    return asyncio.run(ask())


def chunks_of(server: ScriptedServer, is_async: bool) -> list[Chunk]:
    target = endpoint(server.base_url)
    if not is_async:
        return list(MonsterClient(target).stream(request_for(stream=True)))

    async def ask() -> list[Chunk]:
        client = AsyncMonsterClient(target)
        chunks = [chunk async for chunk in client.stream(request_for(stream=True))]
        await client.aclose()
        return chunks

    return asyncio.run(ask())


def stream_of(*texts: str) -> Any:
    usage = {"id": "cmpl-1", "choices": [], "usage": USAGE}
    return events(*map(token, texts), token("", "stop"), usage, "[DONE]")


both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both
def test_a_response_that_calls_a_tool_is_taken(serve: Serve, is_async: bool) -> None:
    server = serve(answer(CALL))
    [choice] = completion_of(server, is_async).choices
    assert [call.name for call in choice.tool_calls] == ["add"]
    assert len(server.received) == 1


@both
def test_the_response_of_the_follow_up_takes_the_place_of_text(
    serve: Serve, is_async: bool
) -> None:
    server = serve(answer("Forty-two."), answer("42"))
    completion = completion_of(server, is_async)
    assert completion.choices[0].text == "42"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 10
    assert b"guided_regex" not in server.received[0].body
    assert b"guided_regex" in server.received[1].body


@both
def test_a_stream_that_calls_a_tool_is_taken(serve: Serve, is_async: bool) -> None:
    server = serve(stream_of("Let me ", "add. ", CALL[:9], CALL[9:]))
    chunks = chunks_of(server, is_async)
    assert "".join(chunk.text for chunk in chunks).strip() == "Let me add."
    assert [call.name for call in (chunks[-1].finished_calls or {}).values()] == ["add"]
    assert chunks[-1].usage == Usage(1, 2, 3)
    assert len(server.received) == 1


@both
def test_of_a_stream_without_calls_only_the_usage_is_kept(serve: Serve, is_async: bool) -> None:
    server = serve(stream_of("Forty", "-two"), stream_of("4", "2"))
    chunks = chunks_of(server, is_async)
    assert [chunk.text for chunk in chunks if chunk.text] == ["4", "2"]
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].usage == Usage(2, 4, 6)
