"""Chunks add up to the message that invoke returns."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest
from langchain_core.messages import HumanMessage

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError, ResponseError
from monster_emulator import Emulator
from tests.core.scripted_server import reply
from tests.langchain.answering import (
    TOOLS,
    USAGE,
    Way,
    called,
    collected,
    delta,
    every_way,
    logprobs,
    streamed,
    summed,
    whole,
)
from tests.langchain.conftest import Scripted


@every_way
async def test_a_stream_adds_up_to_the_whole_answer(emulated: ChatMonster, way: Way) -> None:
    rows: list[dict[str, Any]] = [
        {},
        {"logprobs": True, "top_logprobs": 2},
        {"stop": ["help"]},
        {"max_tokens": 3},
    ]
    for given in rows:
        answer = emulated.invoke("Hi", **given)
        told = summed(await collected(emulated, way, "Hi", **given))
        assert told.content == answer.content
        assert told.usage_metadata == answer.usage_metadata
        assert {**told.response_metadata, "token_usage": ANY, "id": ANY} == answer.response_metadata


@every_way
async def test_metadata_stand_on_one_chunk_each(emulated: ChatMonster, way: Way) -> None:
    chunks = await collected(emulated, way)
    for name in ("finish_reason", "stop_reason", "model_name", "id"):
        assert sum(name in chunk.response_metadata for chunk in chunks) == 1
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == 1
    assert {chunk.response_metadata["model_provider"] for chunk in chunks} == {"monster"}
    assert len({chunk.id for chunk in chunks}) == 1


def test_log_probabilities_are_appended_and_a_stop_token_of_id_0_is_reported(
    scripted: Scripted,
) -> None:
    pieces = [delta(t, logprobs=logprobs(t)) for t in ("a", "b", "c")]
    llm, _ = scripted(streamed(*pieces, delta(finish="stop", stop_reason=0)))
    told = summed(llm.stream("Hi")).response_metadata
    assert [token["token"] for token in told["logprobs"]["content"]] == ["a", "b", "c"]
    assert told["stop_reason"] == 0


def test_cached_tokens_and_those_of_reasoning_are_told(scripted: Scripted) -> None:
    usage = {
        **USAGE,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}
    llm, _ = scripted(reply(200, {"id": "1", "choices": [choice], "usage": usage}))
    told: Any = llm.invoke("Hi").usage_metadata
    assert told["input_token_details"] == {"cache_read": 2}
    assert told["output_token_details"] == {"reasoning": 1}


def test_pieces_of_a_named_call_of_vllm_0_5_make_one_call(scripted: Scripted) -> None:
    pieces = [delta(calls=[called("add", piece)]) for piece in ("{", '"a"', ": 4", "}")]
    llm, _ = scripted(streamed(*pieces, delta(finish="stop")))
    told = summed(llm.bind_tools(TOOLS, tool_choice="add").stream("Hi"))
    assert [(call["name"], call["args"]) for call in told.tool_calls] == [("add", {"a": 4})]
    assert told.invalid_tool_calls == []


def test_each_of_several_answers_has_its_own_id_and_metadata(
    scripted: Scripted, emulated: ChatMonster
) -> None:
    result: Any = emulated.generate([[HumanMessage("Tell me of tea")]], n=2)
    messages = [generation.message for generation in result.generations[0]]
    assert len({message.text for message in messages}) == 2
    assert len({message.id for message in messages}) == 2
    assert len({message.response_metadata["id"] for message in messages}) == 1
    for message in messages:
        told = message.response_metadata
        assert (told["model_provider"], told["finish_reason"]) == ("monster", "stop")
        assert told["model_name"] == emulated.model
    assert [message.usage_metadata is None for message in messages] == [False, True]
    call = called("add", '{"a": 1}')
    llm, _ = scripted(whole({"tool_calls": [call]}, {"tool_calls": [call]}))
    calling: Any = llm.generate([[HumanMessage("Hi")]], n=2, tools=TOOLS, temperature=1.0)
    ids = [generation.message.tool_calls[0]["id"] for generation in calling.generations[0]]
    assert len(set(ids)) == 2


@every_way
async def test_several_answers_are_not_streamed(
    scripted: Scripted, emulated: ChatMonster, emulator: Emulator, way: Way
) -> None:
    with pytest.raises(InvalidRequestError, match="n=2"):
        await collected(emulated, way, "Hi", n=2)
    assert emulator.requests == []
    llm, _ = scripted(streamed(delta("a"), delta("b", index=1)))
    with pytest.raises(ResponseError, match="n=1"):
        await collected(llm, way)
