"""Answers as protocol events: ``stream_events(version="v3")`` and what is built on them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.tracers._streaming import _V2StreamingCallbackHandler
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from langchain_monster import ChatMonster
from langchain_monster.errors import StreamInterruptedError
from monster_emulator import Emulator
from tests.core.scripted_server import events
from tests.langchain.answering import (
    TOOLS,
    Way,
    asked,
    call_piece,
    delta,
    every_way,
    logprobs,
    streamed,
    summed,
)
from tests.langchain.conftest import Scripted

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")

MIXED = [
    delta(reasoning="Let me see."),
    delta("Hel", reasoning=" Yes.", logprobs=logprobs("Hel")),
    delta("lo", logprobs=logprobs("lo")),
    delta("!", calls=[call_piece(0, '{"a"', "add", "c1")], logprobs=logprobs("!")),
    delta(calls=[call_piece(0, ": 1}")]),
    delta(finish="stop"),
]


async def outcome(llm: Any, way: Way) -> tuple[list[Any], AIMessage]:
    if way == "sync":
        stream = llm.stream_events("Hi", version="v3")
        return list(stream), stream.output
    astream = await llm.astream_events("Hi", version="v3")
    return [event async for event in astream], await astream.output


@every_way
async def test_text_reasoning_and_calls_keep_apart(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(streamed(*MIXED))
    bound = llm.bind_tools(TOOLS)
    found, message = await outcome(bound, way)
    assert_valid_event_stream(found)
    assert message.content == [
        {"type": "reasoning", "reasoning": "Let me see. Yes.", "index": "lc_rs_0"},
        {"type": "text", "text": "Hello!", "index": "lc_txt_0"},
        {"type": "tool_call", "id": "c1", "name": "add", "args": {"a": 1}},
    ]
    assert message.usage_metadata == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    tokens = [one["token"] for one in message.response_metadata["logprobs"]["content"]]
    assert tokens == ["Hel", "lo", "!"]
    plain = summed(bound.stream("Hi")).response_metadata
    assert message.response_metadata == {**plain, "output_version": "v1"}


@every_way
async def test_log_probabilities_come_from_an_endpoint_and_are_not_made_up(
    emulated: ChatMonster, way: Way
) -> None:
    _, message = await outcome(emulated.bind(logprobs=True, top_logprobs=1), way)
    told = "".join(t["token"] for t in message.response_metadata["logprobs"]["content"])
    assert told.startswith(message.text)
    assert len(told) > 1
    _, message = await outcome(emulated, way)
    assert "logprobs" not in message.response_metadata
    assert message.text == "Hello! How can I help you?"


@every_way
async def test_a_stream_that_breaks_off_raises(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(events(delta("Hel"), cut=True))
    with pytest.raises(StreamInterruptedError) as raised:
        await outcome(llm, way)
    assert raised.value.partial_text == "Hel"


class Listener(_V2StreamingCallbackHandler, BaseCallbackHandler):
    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_stream_event(self, event: Any, **_: Any) -> None:
        self.events.append(event)


@every_way
async def test_a_handler_of_events_makes_invoke_stream(emulated: ChatMonster, way: Way) -> None:
    listener = Listener()
    told = await asked(emulated.bind(logprobs=True), way, config={"callbacks": [listener]})
    assert_valid_event_stream(listener.events)
    assert told.text == "Hello! How can I help you?"
    assert len(told.response_metadata["logprobs"]["content"]) > 1


async def test_leaving_protocol_events_frees_the_server(
    emulated: ChatMonster, emulator: Emulator
) -> None:
    emulator.pace, aborted = 0.01, emulator.aborted
    async with await emulated.astream_events("Count to 500", version="v3") as stream:
        async for _ in stream.text:
            break
    while emulator.in_progress:
        await asyncio.sleep(0.01)
    assert emulator.aborted == aborted + 1
