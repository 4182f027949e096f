"""Conversations that other providers and tools have left, as a real server takes them."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.tools import FunctionTool

from llama_index_monster import MonsterLLM
from tests.recorded_endpoint import MODEL

pytestmark = pytest.mark.vcr

PNG = b"\x89PNG\r\n\x1a\n"
QUESTION = ChatMessage("How is the weather in Rome and in Oslo?")


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def called(*cities):
    blocks = [ToolCallBlock(tool_name="get_weather", tool_kwargs={"city": city}) for city in cities]
    return ChatMessage(role="assistant", blocks=blocks)


def result(text, **kwargs):
    return ChatMessage(text, role="tool", additional_kwargs=kwargs)


HISTORIES = {
    "results without ids": [
        QUESTION,
        called("Rome", "Oslo"),
        result("22 degrees in Rome"),
        result("9 degrees in Oslo"),
    ],
    "a screenshot of a tool": [
        ChatMessage("Look at the page."),
        called("Rome"),
        ChatMessage(
            role="tool", blocks=[TextBlock(text="The page is open."), ImageBlock(image=PNG)]
        ),
    ],
    "thoughts and Anthropic's call": [
        ChatMessage("How is the weather in Rome?"),
        ChatMessage(
            role="assistant",
            blocks=[ThinkingBlock(content="A tool knows."), TextBlock(text="Let me see.")],
            additional_kwargs={
                "tool_calls": [{"id": "1", "name": "get_weather", "input": {"city": "Rome"}}]
            },
        ),
        result("22 degrees in Rome", tool_call_id="1"),
    ],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_is_answered_whole_and_streamed_alike(name):
    llm = MonsterLLM(MODEL, temperature=0)
    tools = [FunctionTool.from_defaults(get_weather)]
    whole = llm.chat_with_tools(tools, chat_history=HISTORIES[name])
    *_, last = llm.stream_chat_with_tools(tools, chat_history=HISTORIES[name])
    assert whole.message.content == last.message.content
    assert whole.message.content
