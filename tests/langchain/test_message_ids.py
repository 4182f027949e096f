"""A message has the id of its run: a server that repeats its own replaces no earlier message."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph.message import add_messages

from tests.langchain.agents.toolbox import ask, get_weather
from tests.langchain.answering import (
    Way,
    asked,
    collected,
    delta,
    every_way,
    streamed,
    summed,
    whole,
)
from tests.langchain.conftest import Scripted

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")

TURNS = [
    '{"name": "get_weather", "parameters": {"city": "Oslo"}}',
    '{"name": "get_weather", "parameters": {"city": "Rome"}}',
    "Both are sunny.",
]


def check(message: Any) -> None:
    assert str(message.id).startswith("lc_run--")
    assert message.response_metadata["id"] == "cmpl-7"


@every_way
async def test_a_message_has_the_id_of_its_run(scripted: Scripted, way: Way) -> None:
    stream = streamed(delta("H"), delta("i", finish="stop"))
    for version in ("v0", "v1"):
        llm, _ = scripted(whole({"content": "One"}), stream, output_version=version)
        answer = await asked(llm, way)
        chunks = await collected(llm, way)
        assert len({chunk.id for chunk in chunks}) == 1
        for message in (answer, summed(chunks)):
            check(message)
        messages: Any = add_messages([HumanMessage("Hi", id="h")], [answer])
        messages = add_messages(messages, [summed(chunks)])
        assert [message.text for message in messages] == ["Hi", "One", "Hi"]


def test_a_message_of_protocol_events_has_it(scripted: Scripted) -> None:
    llm, _ = scripted(streamed(delta("Hi", finish="stop")))
    stream: Any = llm.stream_events("Hi", version="v3")
    started = next(event for event in stream if event["event"] == "message-start")
    check(stream.output)
    assert started["id"] == stream.output.id


def test_a_server_that_names_no_id_leaves_none_in_the_metadata(scripted: Scripted) -> None:
    llm, _ = scripted(whole({"content": "Hi"}, answer_id=None))
    assert "id" not in llm.invoke("Hi").response_metadata


def test_an_agent_keeps_every_call_though_the_server_repeats_its_id(scripted: Scripted) -> None:
    streams = [streamed(delta(turn), delta(finish="stop")) for turn in TURNS]
    llm, _ = scripted(*(whole({"content": turn}) for turn in TURNS), *streams)
    agent: Any = create_agent(llm, [get_weather])
    question = ask("How is the weather in Oslo and Rome?")
    state = agent.invoke(question)
    items = list(agent.stream(question, stream_mode=["values", "messages"]))
    streamed_state = [item for mode, item in items if mode == "values"][-1]
    for messages in (state["messages"], streamed_state["messages"]):
        assert [m.type for m in messages] == ["human", "ai", "tool", "ai", "tool", "ai"]
        calls = [m.tool_calls for m in messages if isinstance(m, AIMessage) and m.tool_calls]
        assert [call["args"]["city"] for (call,) in calls] == ["Oslo", "Rome"]
        assert len({call["id"] for (call,) in calls}) == 2
        results = [m.text for m in messages if m.type == "tool"]
        assert results == ["22 degrees in Oslo", "22 degrees in Rome"]
