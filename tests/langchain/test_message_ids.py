"""A message has the id of its run: a server that repeats its own replaces no earlier message."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    message_chunk_to_message,
)
from langchain_core.tools import tool
from langgraph.graph.message import add_messages

from tests.langchain.answering import WAYS, Way, collected, delta, streamed, summed, whole
from tests.langchain.conftest import Scripted

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
every_way = pytest.mark.parametrize("way", WAYS)


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sunny in {city}"


def asks_for(city: str) -> str:
    return f'{{"name": "weather", "parameters": {{"city": "{city}"}}}}'


@every_way
async def test_a_message_has_the_id_of_its_run(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(whole({"content": "Hi"}))
    answer = llm.invoke("Hi") if way == "sync" else await llm.ainvoke("Hi")
    assert str(answer.id).startswith("lc_run--")
    assert answer.response_metadata["id"] == "cmpl-7"


@every_way
@pytest.mark.parametrize("version", ["v0", "v1"])
async def test_every_chunk_of_a_stream_has_it(scripted: Scripted, way: Way, version: str) -> None:
    llm, _ = scripted(streamed(delta("H"), delta("i", finish="stop")), output_version=version)
    chunks = await collected(llm, way)
    assert len({chunk.id for chunk in chunks}) == 1
    told = summed(chunks)
    assert str(told.id).startswith("lc_run--")
    assert told.response_metadata["id"] == "cmpl-7"


def test_a_message_of_protocol_events_has_it(scripted: Scripted) -> None:
    llm, _ = scripted(streamed(delta("Hi", finish="stop")))
    stream: Any = llm.stream_events("Hi", version="v3")
    started = next(event for event in stream if event["event"] == "message-start")
    assert str(stream.output.id).startswith("lc_run--")
    assert started["id"] == stream.output.id
    assert stream.output.response_metadata["id"] == "cmpl-7"


def test_a_server_that_names_no_id_leaves_none_in_the_metadata(scripted: Scripted) -> None:
    llm, _ = scripted(whole({"content": "Hi"}, answer_id=None), streamed(delta("Hi")))
    assert "id" not in llm.invoke("Hi").response_metadata


@every_way
async def test_messages_of_one_server_id_stay_apart_in_a_graphs_state(
    scripted: Scripted, way: Way
) -> None:
    replies = [whole({"content": "One"}), streamed(delta("Two", finish="stop"))]
    llm, _ = scripted(*replies, whole({"content": "Three"}))
    messages: Any = [HumanMessage("Hi", id="h")]
    answers: list[Any] = [
        llm.invoke("Hi") if way == "sync" else await llm.ainvoke("Hi"),
        message_chunk_to_message(summed(await collected(llm, way))),
        llm.invoke("Hi"),
    ]
    for answer in answers:
        messages = add_messages(messages, [answer])
    assert [message.text for message in messages] == ["Hi", "One", "Two", "Three"]


@every_way
async def test_an_agent_keeps_every_call_though_the_server_repeats_its_id(
    scripted: Scripted, way: Way
) -> None:
    turns = [asks_for("Oslo"), asks_for("Rome"), "Both are sunny."]
    llm, _ = scripted(*(whole({"content": turn}) for turn in turns))
    agent = create_agent(llm, [weather])
    given: Any = {"messages": [HumanMessage("How is the weather in Oslo and Rome?")]}
    state = agent.invoke(given) if way == "sync" else await agent.ainvoke(given)
    calls = [m.tool_calls for m in state["messages"] if isinstance(m, AIMessage) and m.tool_calls]
    assert [call["args"]["city"] for (call,) in calls] == ["Oslo", "Rome"]
    assert len({call["id"] for (call,) in calls}) == 2
    assert [m.text for m in state["messages"] if m.type == "tool"] == [
        "Sunny in Oslo",
        "Sunny in Rome",
    ]


def test_a_streaming_agent_keeps_them_too(scripted: Scripted) -> None:
    turns = [asks_for("Oslo"), asks_for("Rome"), "Both are sunny."]
    llm, _ = scripted(*(streamed(delta(turn), delta(finish="stop")) for turn in turns))
    agent = create_agent(llm, [weather])
    given: Any = {"messages": [HumanMessage("How is the weather in Oslo and Rome?")]}
    state: Any = {}
    ids: set[str | None] = set()
    for mode, item in agent.stream(given, stream_mode=["values", "messages"]):
        if mode == "values":
            state = item
        elif isinstance(item[0], AIMessageChunk):
            ids.add(item[0].id)
    assert len(ids) == 3
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "ai", "tool", "ai"]
