"""Conversations that other providers and tools have left, as a real server takes them."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_monster import ChatMonster
from tests.langchain.agents.toolbox import get_weather
from tests.langchain.answering import summed
from tests.recorded_endpoint import MODEL

pytestmark = pytest.mark.vcr

PNG = "iVBORw0KGgo="
QUESTION = HumanMessage("How is the weather in Rome and in Oslo?")


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
    assert whole.text
    assert whole.text == summed(llm.stream(HISTORIES[name])).text
