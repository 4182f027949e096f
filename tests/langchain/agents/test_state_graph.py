"""An agent built by hand from LangGraph's own parts."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from tests.langchain.agents.toolbox import ask, chat, get_weather, said

pytestmark = pytest.mark.vcr

QUESTION = ask("What is the weather in Paris?")
WEATHER_IN_PARIS = [
    ("ai", "get_weather(city='Paris')"),
    ("tool", "22 degrees in Paris"),
    ("ai", "The result is 22 degrees in Paris."),
]


def graph(answer: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("model", answer)
    builder.add_node("tools", ToolNode([get_weather]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile()


def answer(state: MessagesState) -> dict[str, Any]:
    return {"messages": [chat().bind_tools([get_weather]).invoke(state["messages"])]}


async def answer_async(state: MessagesState) -> dict[str, Any]:
    async with chat() as llm:
        return {"messages": [await llm.bind_tools([get_weather]).ainvoke(state["messages"])]}


def test_a_graph_runs_the_tools_that_the_model_calls() -> None:
    assert said(graph(answer).invoke(QUESTION)["messages"])[1:] == WEATHER_IN_PARIS


def test_a_graph_streams_tokens_and_calls_though_its_node_only_invokes() -> None:
    pieces = [piece for piece, _ in graph(answer).stream(QUESTION, stream_mode="messages")]
    chunks = [piece for piece in pieces if isinstance(piece, AIMessageChunk)]
    calls = [call for chunk in chunks for call in chunk.tool_call_chunks]
    assert calls[0]["name"] == "get_weather"
    assert "".join(call["args"] or "" for call in calls) == '{"city": "Paris"}'
    assert [chunk.text for chunk in chunks if chunk.text] == list(WEATHER_IN_PARIS[-1][1])


@pytest.mark.skipif(sys.version_info < (3, 11), reason="LangGraph needs 3.11 to stream from inside")
async def test_a_graph_streams_in_async_code_too() -> None:
    stream = graph(answer_async).astream(QUESTION, stream_mode="messages")
    texts = [piece.text async for piece, _ in stream if isinstance(piece, AIMessageChunk)]
    assert [text for text in texts if text] == list(WEATHER_IN_PARIS[-1][1])
