from __future__ import annotations

import functools
import sys
from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage, ToolMessage

from tests.langchain.agents.toolbox import ask, chat, get_weather, said
from tests.recorded_endpoint import MODEL
from tests.saying import Saying

pytestmark = pytest.mark.vcr

QUESTION = ask("What is the weather in Paris?")
WEATHER_IN_PARIS = [
    ("ai", "get_weather(city='Paris')"),
    ("tool", "22 degrees in Paris"),
    ("ai", "The result is 22 degrees in Paris."),
]


def whole(pieces: list[BaseMessage]) -> list[BaseMessage]:
    """Add the chunks of each message up."""
    by_id: dict[str | None, list[BaseMessage]] = {}
    for piece in pieces:
        by_id.setdefault(piece.id, []).append(piece)
    return [functools.reduce(lambda a, b: a + b, of_one) for of_one in by_id.values()]


def kinds(pieces: list[BaseMessage]) -> list[tuple[str, str]]:
    return [(kind.removesuffix("MessageChunk").lower(), text) for kind, text in said(pieces)]


def test_messages_stream_the_call_the_result_and_the_answer_in_pieces() -> None:
    agent = create_agent(chat(), [get_weather])
    pieces = [piece for piece, _ in agent.stream(QUESTION, stream_mode="messages")]
    assert kinds(whole(pieces)) == WEATHER_IN_PARIS
    assert sum(bool(piece.text) for piece in pieces if isinstance(piece, AIMessageChunk)) > 10
    assert sum(bool(getattr(piece, "tool_call_chunks", None)) for piece in pieces) > 5


@pytest.mark.skipif(sys.version_info < (3, 11), reason="LangGraph needs 3.11 to stream from inside")
async def test_messages_stream_the_same_in_async_code() -> None:
    async with chat() as llm:
        agent = create_agent(llm, [get_weather])
        pieces = [piece async for piece, _ in agent.astream(QUESTION, stream_mode="messages")]
        assert kinds(whole(pieces)) == WEATHER_IN_PARIS
        assert sum(bool(piece.text) for piece in pieces if isinstance(piece, AIMessageChunk)) > 10


def test_calls_made_at_once_stream_apart() -> None:
    written = (
        '{"name": "get_weather", "parameters": {"city": "Paris"}}\n'
        '{"name": "get_weather", "parameters": {"city": "Rome"}}'
    )
    question = ask("How is the weather in Paris and Rome?")
    with httpx.Client(auth=Saying(written, "The end.")) as client:
        agent = create_agent(chat(http_client=client), [get_weather])
        pieces = [piece for piece, _ in agent.stream(question, stream_mode="messages")]
    calls, *results, end = kinds(whole(pieces))
    assert calls == ("ai", "get_weather(city='Paris'), get_weather(city='Rome')")
    assert sorted(results) == [("tool", "22 degrees in Paris"), ("tool", "22 degrees in Rome")]
    assert end == ("ai", "The end.")


def test_updates_stream_what_each_step_added() -> None:
    agent = create_agent(chat(), [get_weather])
    updates = list(agent.stream(QUESTION, stream_mode="updates"))
    assert [list(update) for update in updates] == [["model"], ["tools"], ["model"]]
    added = [message for update in updates for message in next(iter(update.values()))["messages"]]
    assert said(added) == WEATHER_IN_PARIS


def test_values_stream_the_state_after_each_step() -> None:
    agent = create_agent(chat(), [get_weather])
    states = list(agent.stream(QUESTION, stream_mode="values"))
    assert [len(state["messages"]) for state in states] == [1, 2, 3, 4]
    assert said(states[-1]["messages"])[1:] == WEATHER_IN_PARIS


def test_several_modes_stream_together() -> None:
    agent = create_agent(chat(), [get_weather])
    given: dict[str, list[Any]] = {"messages": [], "updates": []}
    for mode, item in agent.stream(QUESTION, stream_mode=["messages", "updates"]):
        given[mode].append(item)
    assert kinds(whole([piece for piece, _ in given["messages"]])) == WEATHER_IN_PARIS
    assert len(given["updates"]) == 3


def test_the_tokens_of_every_turn_are_counted_once() -> None:
    counter = UsageMetadataCallbackHandler()
    agent = create_agent(chat(), [get_weather])
    states = list(agent.stream(QUESTION, {"callbacks": [counter]}, stream_mode="messages"))
    turns = [m for m in whole([piece for piece, _ in states]) if not isinstance(m, ToolMessage)]
    assert len(turns) == 2
    assert counter.usage_metadata[MODEL]["total_tokens"] == sum(
        turn.usage_metadata["total_tokens"]
        for turn in turns
        if isinstance(turn, AIMessageChunk) and turn.usage_metadata
    )


@pytest.mark.skipif(sys.version_info < (3, 11), reason="LangGraph needs 3.11 to stream from inside")
async def test_events_name_the_model_and_the_tool_at_work() -> None:
    async with chat() as llm:
        agent = create_agent(llm, [get_weather])
        events = [event async for event in agent.astream_events(QUESTION, version="v2")]
        ends = [
            (event["event"], event["name"])
            for event in events
            if event["event"] in ("on_chat_model_end", "on_tool_end")
        ]
        assert ends == [
            ("on_chat_model_end", "ChatMonster"),
            ("on_tool_end", "get_weather"),
            ("on_chat_model_end", "ChatMonster"),
        ]
        pieces = [e["data"]["chunk"] for e in events if e["event"] == "on_chat_model_stream"]
        assert kinds(whole(pieces)) == [WEATHER_IN_PARIS[0], WEATHER_IN_PARIS[2]]


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_v3_events_hand_out_each_message_with_its_calls_and_its_text() -> None:
    run = create_agent(chat(), [get_weather]).stream_events(QUESTION, version="v3")
    call, answer = [(list(m.text), m.tool_calls.get()) for m in run.messages]
    assert call[0] == []
    assert [(c["name"], c["args"]) for c in call[1]] == [("get_weather", {"city": "Paris"})]
    assert len(answer[0]) > 10
    assert "".join(answer[0]) == "The result is 22 degrees in Paris."
    assert said(run.output["messages"])[1:] == WEATHER_IN_PARIS


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
@pytest.mark.skipif(sys.version_info < (3, 11), reason="LangGraph needs 3.11 to stream from inside")
async def test_v3_events_come_in_async_code_too() -> None:
    async with chat() as llm:
        run = await create_agent(llm, [get_weather]).astream_events(QUESTION, version="v3")
        texts = [await message.text async for message in run.messages]
        assert texts == ["", "The result is 22 degrees in Paris."]
        assert said((await run.output())["messages"])[1:] == WEATHER_IN_PARIS


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_a_conversation_that_v3_streamed_goes_on() -> None:
    agent = create_agent(chat(), [get_weather])
    state = agent.stream_events(QUESTION, version="v3").output
    question = ("user", "And what is the weather in Rome?")
    later = agent.invoke({"messages": [*state["messages"], question]})
    assert said(later["messages"])[-1] == ("ai", "The result is 22 degrees in Rome.")
