"""Conversations that other providers and tools have left, as a real server takes them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from langchain_monster import ChatMonster
from tests.recorded_endpoint import MODEL

pytestmark = pytest.mark.vcr

PNG = "iVBORw0KGgo="
QUESTION = HumanMessage("How is the weather in Rome and in Oslo?")


@tool
def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def calls(*ids: str | None) -> AIMessage:
    cities = ("Rome", "Oslo")
    return AIMessage(
        "",
        tool_calls=[
            {"name": "get_weather", "args": {"city": city}, "id": call_id}
            for city, call_id in zip(cities, ids, strict=True)
        ],
    )


HISTORIES: dict[str, list[BaseMessage]] = {
    "results without ids": [
        QUESTION,
        calls("", ""),
        ToolMessage("22 degrees in Rome", tool_call_id=""),
        ToolMessage("9 degrees in Oslo", tool_call_id=""),
    ],
    "results whose id is the tool's name": [
        QUESTION,
        calls("1", "2"),
        ToolMessage("22 degrees in Rome", tool_call_id="get_weather"),
        ToolMessage("9 degrees in Oslo", tool_call_id="get_weather"),
    ],
    "a screenshot of a tool": [
        HumanMessage("Look at the page."),
        AIMessage("", tool_calls=[{"name": "screenshot", "args": {}, "id": "1"}]),
        ToolMessage(
            [
                {"type": "text", "text": "The page is open."},
                {"type": "image", "base64": PNG, "mime_type": "image/png"},
            ],
            tool_call_id="1",
        ),
    ],
    "Anthropic's blocks": [
        HumanMessage("How is the weather in Rome?"),
        AIMessage(
            [
                {"type": "thinking", "thinking": "A tool knows.", "signature": "x"},
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "1", "name": "get_weather", "input": {"city": "Rome"}},
            ]
        ),
        ToolMessage("22 degrees in Rome", tool_call_id="1"),
    ],
    "a web search of OpenAI's": [
        HumanMessage("Who won?"),
        AIMessage(
            [
                {"type": "reasoning", "summary": []},
                {"type": "web_search_call", "id": "ws_1", "status": "completed"},
                {"type": "text", "text": "Nobody won.", "annotations": []},
            ]
        ),
        HumanMessage("What is the capital of France?"),
    ],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_is_answered_whole_and_streamed_alike(name: str) -> None:
    llm = ChatMonster(model=MODEL, temperature=0).bind_tools([get_weather])
    whole = llm.invoke(HISTORIES[name])
    streamed = "".join(chunk.text for chunk in llm.stream(HISTORIES[name]))
    assert whole.text == streamed
    assert whole.text


@pytest.mark.parametrize("end", [{"max_tokens": 30}, {"stop": ["Par"]}], ids=["length", "stop"])
def test_a_call_that_is_cut_is_invalid_whole_and_streamed_alike(end: dict[str, Any]) -> None:
    llm = ChatMonster(model=MODEL, temperature=0, **end).bind_tools([get_weather])
    question = "What is the weather in Paris?"
    whole = llm.invoke(question)
    chunks = list(llm.stream(question))
    streamed = chunks[0]
    for chunk in chunks[1:]:
        streamed += chunk
    for message in (whole, streamed):
        assert message.tool_calls == []
        assert [call["name"] for call in message.invalid_tool_calls] == ["get_weather"]


def test_the_server_s_id_stands_beside_langchain_s() -> None:
    message = ChatMonster(model=MODEL, temperature=0).invoke("What is the capital of France?")
    assert message.response_metadata["id"].startswith("cmpl-")
    assert message.id != message.response_metadata["id"]
