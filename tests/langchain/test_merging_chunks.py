"""Chunks add up to the message that invoke returns."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest
from langchain_core.messages import HumanMessage

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError, ResponseError
from monster_emulator import Emulator
from tests.langchain.answering import (
    TOOLS,
    WAYS,
    Way,
    collected,
    delta,
    logprobs,
    streamed,
    summed,
    whole,
)
from tests.langchain.conftest import Scripted

every_way = pytest.mark.parametrize("way", WAYS)


@every_way
@pytest.mark.parametrize(
    "given",
    [{}, {"logprobs": True, "top_logprobs": 2}, {"stop": ["help"]}, {"max_tokens": 3}],
    ids=str,
)
async def test_a_stream_adds_up_to_the_whole_answer(
    emulated: ChatMonster, way: Way, given: dict[str, Any]
) -> None:
    answer = emulated.invoke("Hi", **given)
    told = summed(await collected(emulated, way, "Hi", **given))
    assert told.content == answer.content
    assert told.usage_metadata == answer.usage_metadata
    assert {**told.response_metadata, "token_usage": ANY, "id": ANY} == answer.response_metadata


@every_way
async def test_metadata_stand_on_one_chunk_each(emulated: ChatMonster, way: Way) -> None:
    chunks = await collected(emulated, way)
    for name in ("finish_reason", "stop_reason", "model_name"):
        assert sum(name in chunk.response_metadata for chunk in chunks) == 1
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == 1
    assert {chunk.response_metadata["model_provider"] for chunk in chunks} == {"monster"}
    assert len({chunk.id for chunk in chunks}) == 1


async def test_log_probabilities_are_appended(scripted: Scripted) -> None:
    pieces = [delta(t, logprobs=logprobs(t)) for t in ("a", "b", "c")]
    llm, _ = scripted(streamed(*pieces, delta(finish="stop")))
    told = summed(await collected(llm, "sync")).response_metadata["logprobs"]["content"]
    assert [token["token"] for token in told] == ["a", "b", "c"]


async def test_a_stop_token_of_id_0_is_reported(scripted: Scripted) -> None:
    llm, _ = scripted(streamed(delta("a"), delta(finish="stop", stop_reason=0)))
    assert summed(await collected(llm, "sync")).response_metadata["stop_reason"] == 0


async def test_pieces_of_a_named_call_of_vllm_0_5_make_one_call(scripted: Scripted) -> None:
    pieces = [
        delta(calls=[{"function": {"name": "add", "arguments": piece}}])
        for piece in ("{", '"a"', ": 4", "}")
    ]
    llm, _ = scripted(streamed(*pieces, delta(finish="stop")))
    bound = llm.bind_tools(TOOLS, tool_choice="add")
    told = summed(await collected(bound, "sync"))
    assert [(call["name"], call["args"]) for call in told.tool_calls] == [("add", {"a": 4})]
    assert told.invalid_tool_calls == []


def test_each_of_several_answers_has_its_own_id_and_metadata(emulated: ChatMonster) -> None:
    result = emulated.generate([[HumanMessage("Tell me of tea")]], n=2)
    messages = [generation.message for generation in result.generations[0]]  # type: ignore[union-attr]
    assert len({message.text for message in messages}) == 2
    assert len({message.id for message in messages}) == 2
    assert len({message.response_metadata["id"] for message in messages}) == 1
    for message in messages:
        told = message.response_metadata
        assert (told["model_provider"], told["finish_reason"]) == ("monster", "stop")
        assert told["model_name"] == emulated.model
    assert [message.usage_metadata is None for message in messages] == [False, True]  # type: ignore[union-attr]


def test_calls_of_several_answers_have_ids_of_their_own(scripted: Scripted) -> None:
    call = {"function": {"name": "add", "arguments": '{"a": 1}'}}
    llm, _ = scripted(whole({"tool_calls": [call]}, {"tool_calls": [call]}))
    result = llm.generate([[HumanMessage("Hi")]], n=2, tools=TOOLS, temperature=1.0)
    ids = [generation.message.tool_calls[0]["id"] for generation in result.generations[0]]  # type: ignore[union-attr]
    assert len(set(ids)) == 2


@every_way
async def test_several_answers_cannot_be_streamed(
    emulated: ChatMonster, emulator: Emulator, way: Way
) -> None:
    with pytest.raises(InvalidRequestError, match="n=2"):
        await collected(emulated, way, "Hi", n=2)
    assert emulator.requests == []


@every_way
async def test_several_answers_that_come_all_the_same_are_not_mixed(
    scripted: Scripted, way: Way
) -> None:
    llm, _ = scripted(streamed(delta("a"), delta("b", index=1)))
    with pytest.raises(ResponseError, match="n=1"):
        await collected(llm, way)
