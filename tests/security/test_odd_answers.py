"""Whatever JSON a server sends, a caller gets an answer or a typed error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_monster._results import ChunkConverter, to_chat_result
from llama_index_monster._responses import (
    StreamedResponse,
    to_chat_response,
    to_completion_response,
)
from monster_core.errors import MonsterError
from monster_core.request.builder import ChatRequest, build_request
from monster_core.request.messages import Message
from monster_core.response.pipeline import ResponseStream, parse_response
from monster_core.response.types import Chunk
from tests.security.odd_json import answers, event_streams

TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
SHAPE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def planned(stream: bool, **fields: Any) -> ChatRequest:
    return build_request([Message("user", "Hi")], {"model": "m", **fields}, stream=stream)


PLANS = {
    "plain": {},
    "auto": {"tools": [TOOL]},
    "forced": {"tools": [TOOL], "tool_choice": "lookup"},
    "guided": {"guided_json": SHAPE},
}
CALLS = {name: planned(False, **fields) for name, fields in PLANS.items()}
STREAMS = {name: planned(True, **fields) for name, fields in PLANS.items()}

every_plan = pytest.mark.parametrize("plan", PLANS)


def chunks_of(plan: str, events: list[Any]) -> Iterator[Chunk]:
    reader = ResponseStream(STREAMS[plan].spec)
    for event in events:
        chunk = reader.feed(orjson.dumps(event))
        if chunk is not None:
            yield chunk
    reader.feed(b"[DONE]")
    yield reader.end()


@every_plan
@given(body=answers)
def test_any_answer_is_one_to_both_frameworks_or_a_typed_error(plan: str, body: Any) -> None:
    try:
        completion = parse_response(orjson.dumps(body), CALLS[plan].spec)
    except MonsterError:
        return
    with suppress(MonsterError):
        response = to_chat_response(completion)
        assert isinstance(response.message.content or "", str)
        assert response.model_dump_json()
        assert to_completion_response(response).model_dump_json()
    with suppress(MonsterError):
        result = to_chat_result(completion)
        assert result.generations
        for generation in result.generations:
            assert isinstance(generation.message, AIMessage)
            assert AIMessage.model_validate_json(generation.message.model_dump_json())
            assert isinstance(generation.message.text, str)
            assert generation.message.content_blocks is not None


@every_plan
@given(events=event_streams)
def test_any_stream_is_one_to_both_frameworks_or_a_typed_error(
    plan: str, events: list[Any]
) -> None:
    chunks: list[Chunk] = []
    try:
        chunks.extend(chunks_of(plan, events))
    except MonsterError:
        pass  # what had come before it is read all the same
    else:
        assert chunks
    with suppress(MonsterError):
        read_by_langchain(chunks)
    with suppress(MonsterError):
        read_by_llama_index(chunks)


def read_by_langchain(chunks: list[Chunk]) -> None:
    whole: AIMessageChunk | None = None
    for chunk in chunks:
        message = ChunkConverter().convert(chunk).message
        assert isinstance(message, AIMessageChunk)
        assert message.content_blocks is not None
        whole = message if whole is None else whole + message
    if whole is not None:
        assert isinstance(whole.text, str)
        assert whole.content_blocks is not None
        assert whole.model_dump_json()


def read_by_llama_index(chunks: list[Chunk]) -> None:
    answer = StreamedResponse()
    for chunk in chunks:
        response = answer.add(chunk)
        assert isinstance(response.delta, str)
        assert response.model_dump_json()
        assert to_completion_response(response).model_dump_json()
