from __future__ import annotations

import functools
import sys
from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage

from tests.langchain.agents.toolbox import WEATHER_IN_PARIS, ask, chat, get_weather, said
from tests.langchain.answering import Way, collected
from tests.recorded_endpoint import MODEL
from tests.saying import Saying

pytestmark = [pytest.mark.vcr, pytest.mark.filterwarnings("ignore:The v3 streaming protocol")]
in_async_code = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="LangGraph needs 3.11 to stream from inside"
)

QUESTION = ask("What is the weather in Paris?")


def whole(pieces: list[BaseMessage]) -> list[BaseMessage]:
    """Add the chunks of each message up."""
    by_id: dict[str | None, list[BaseMessage]] = {}
    for piece in pieces:
        by_id.setdefault(piece.id, []).append(piece)
    return [functools.reduce(lambda a, b: a + b, of_one) for of_one in by_id.values()]


def kinds(pieces: list[BaseMessage]) -> list[tuple[str, str]]:
    return [(kind.removesuffix("MessageChunk").lower(), text) for kind, text in said(pieces)]


@pytest.mark.parametrize("way", ["sync", pytest.param("async", marks=in_async_code)])
async def test_messages_stream_the_call_the_result_and_the_answer_in_pieces(way: Way) -> None:
    counter = UsageMetadataCallbackHandler()
    given: dict[str, list[Any]] = {"messages": [], "updates": []}
    async with chat() as llm:
        agent: Any = create_agent(llm, [get_weather]).with_config(callbacks=[counter])
        modes = ["messages", "updates"]
        for mode, item in await collected(agent, way, QUESTION, stream_mode=modes):
            given[mode].append(item)
    pieces = [piece for piece, _ in given["messages"]]
    assert kinds(whole(pieces)) == WEATHER_IN_PARIS
    assert sum(bool(piece.text) for piece in pieces if isinstance(piece, AIMessageChunk)) > 10
    assert sum(bool(getattr(piece, "tool_call_chunks", None)) for piece in pieces) > 5
    assert [list(update) for update in given["updates"]] == [["model"], ["tools"], ["model"]]
    turns = [message for message in whole(pieces) if isinstance(message, AIMessageChunk)]
    counted = [turn.usage_metadata["total_tokens"] for turn in turns if turn.usage_metadata]
    assert len(counted) == 2
    assert counter.usage_metadata[MODEL]["total_tokens"] == sum(counted)


def test_calls_made_at_once_stream_apart() -> None:
    written = (
        '{"name": "get_weather", "parameters": {"city": "Paris"}}\n'
        '{"name": "get_weather", "parameters": {"city": "Rome"}}'
    )
    question = ask("How is the weather in Paris and Rome?")
    with httpx.Client(auth=Saying(written, "The end.")) as client:
        agent: Any = create_agent(chat(http_client=client), [get_weather])
        pieces = [piece for piece, _ in agent.stream(question, stream_mode="messages")]
    calls, *results, end = kinds(whole(pieces))
    assert calls == ("ai", "get_weather(city='Paris'), get_weather(city='Rome')")
    assert sorted(results) == [("tool", "22 degrees in Paris"), ("tool", "22 degrees in Rome")]
    assert end == ("ai", "The end.")


@in_async_code
async def test_events_name_the_model_and_the_tool_at_work() -> None:
    async with chat() as llm:
        agent: Any = create_agent(llm, [get_weather])
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


def test_v3_events_hand_out_each_message_with_its_calls_and_its_text() -> None:
    agent: Any = create_agent(chat(), [get_weather])
    run = agent.stream_events(QUESTION, version="v3")
    call, answer = [(list(m.text), m.tool_calls.get()) for m in run.messages]
    assert call[0] == []
    assert [(c["name"], c["args"]) for c in call[1]] == [("get_weather", {"city": "Paris"})]
    assert len(answer[0]) > 10
    assert "".join(answer[0]) == "The result is 22 degrees in Paris."
    assert said(run.output["messages"])[1:] == WEATHER_IN_PARIS
    question = ("user", "And what is the weather in Rome?")
    later = agent.invoke({"messages": [*run.output["messages"], question]})
    assert said(later["messages"])[-1] == ("ai", "The result is 22 degrees in Rome.")


@in_async_code
async def test_v3_events_come_in_async_code_too() -> None:
    async with chat() as llm:
        agent: Any = create_agent(llm, [get_weather])
        run = await agent.astream_events(QUESTION, version="v3")
        texts = [await message.text async for message in run.messages]
        assert texts == ["", "The result is 22 degrees in Paris."]
        assert said((await run.output())["messages"])[1:] == WEATHER_IN_PARIS
