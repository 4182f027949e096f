"""What today's servers answer, in both frameworks, whole and streamed: native calls, reasoning."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from tests.core.scripted_server import Received, Reply, ScriptedServer, answer, events, reply

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": CITY}}
OFFERED: dict[str, Any] = {"tools": [WEATHER], "tool_strategy": "native"}


def whole(finish_reason: str = "stop", **message: Any) -> Reply:
    """Return an answer as vLLM 0.32 gives it."""
    empty = {"content": None, "refusal": None, "annotations": None, "reasoning": None}
    sent = {"role": "assistant", **empty, "tool_calls": [], **message}
    choice = {"index": 0, "message": sent, "finish_reason": finish_reason, "token_ids": None}
    usage = {"prompt_tokens": 3, "total_tokens": 5, "completion_tokens": 2}
    return reply(200, {"id": "chatcmpl-1", "model": "m", "choices": [choice], "usage": usage})


def streamed(*deltas: dict[str, Any], finish_reason: str = "stop") -> Reply:
    """Return a stream as vLLM 0.32 gives it."""
    ends = [None] * (len(deltas) - 1) + [finish_reason]
    sent = [({"role": "assistant", "content": ""}, None), *zip(deltas, ends, strict=True)]
    return events(
        *(
            {
                "id": "chatcmpl-1",
                "model": "m",
                "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}],
            }
            for delta, end in sent
        ),
        "[DONE]",
    )


def call(number: int, city: str) -> dict[str, Any]:
    function = {"name": "weather", "arguments": json.dumps({"city": city})}
    return {"id": f"chatcmpl-tool-{number}", "type": "function", "function": function}


def first_piece(number: int) -> dict[str, Any]:
    function = {"name": "weather"}
    return {"tool_calls": [{**call(number, ""), "index": number, "function": function}]}


def piece(number: int, arguments: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": number, "function": {"arguments": arguments}}]}


TWO_CALLS = whole("tool_calls", tool_calls=[call(0, "Rome"), call(1, "Oslo")])
TWO_STREAMED_CALLS = streamed(
    first_piece(0),
    piece(0, '{"ci'),
    piece(0, 'ty": "Rome"}'),
    first_piece(1),
    piece(1, '{"city": "Oslo"}'),
    {},
    finish_reason="tool_calls",
)
THOUGHT = whole(content="It is 4.", reasoning="2 and 2")
THOUGHT_EARLIER = whole(content="It is 4.", reasoning_content="2 and 2")
STREAMED_THOUGHT = streamed({"reasoning": "2 an"}, {"reasoning": "d 2"}, {"content": "It is 4."})
STREAMED_THOUGHT_EARLIER = streamed({"reasoning_content": "2 and 2"}, {"content": "It is 4."})


ARGUMENTS: dict[str, Any] = {"model": "m", "api_key": "k", "server": "vllm"}
WAYS = ["call", "async call", "stream", "async stream"]


# --- LangChain


def chat(
    sent: Reply, messages: Any = "Hello", way: str = "call", **arguments: Any
) -> tuple[AIMessage, Received]:
    """Return what LangChain's user gets, and what the server got."""

    async def ask(llm: ChatMonster) -> AIMessage:
        async with llm:
            if way == "async call":
                return await llm.ainvoke(messages, **arguments)
            return _together([one async for one in llm.astream(messages, **arguments)])

    with ScriptedServer(sent) as server:
        llm = ChatMonster(base_url=server.base_url, **ARGUMENTS)
        with llm:
            if way == "call":
                message = llm.invoke(messages, **arguments)
            elif way == "stream":
                message = _together([*llm.stream(messages, **arguments)])
            else:
                message = asyncio.run(ask(llm))
        return message, server.received[0]


def _together(chunks: list[Any]) -> AIMessageChunk:
    return add_ai_message_chunks(*(one for one in chunks if isinstance(one, AIMessageChunk)))


@pytest.mark.parametrize("way", WAYS)
def test_langchain_reads_native_calls(way: str) -> None:
    sent = TWO_STREAMED_CALLS if "stream" in way else TWO_CALLS
    message, received = chat(sent, way=way, **OFFERED)
    assert [(one["id"], one["name"], one["args"]) for one in message.tool_calls] == [
        ("chatcmpl-tool-0", "weather", {"city": "Rome"}),
        ("chatcmpl-tool-1", "weather", {"city": "Oslo"}),
    ]
    assert message.invalid_tool_calls == []
    assert json.loads(received.body)["tool_choice"] == "auto"


THOUGHTS = pytest.mark.parametrize(
    "way, sent",
    [
        *((way, sent) for way in WAYS[:2] for sent in (THOUGHT, THOUGHT_EARLIER)),
        *((way, sent) for way in WAYS[2:] for sent in (STREAMED_THOUGHT, STREAMED_THOUGHT_EARLIER)),
    ],
)


@THOUGHTS
def test_langchain_shows_reasoning_as_a_block_of_its_own(way: str, sent: Reply) -> None:
    message, _ = chat(sent, way=way)
    blocks = [{**block} for block in message.content_blocks]
    for block in blocks:
        block.pop("index", None)
    assert blocks == [
        {"type": "reasoning", "reasoning": "2 and 2"},
        {"type": "text", "text": "It is 4."},
    ]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_langchain_does_not_send_reasoning_back(version: str) -> None:
    with ScriptedServer(THOUGHT, answer()) as server:
        llm = ChatMonster(base_url=server.base_url, output_version=version, **ARGUMENTS)
        with llm:
            said = llm.invoke("What is 2 + 2?")
            llm.invoke([HumanMessage("What is 2 + 2?"), said, HumanMessage("Sure?")])
        [_, sent, _] = json.loads(server.received[1].body)["messages"]
    assert sent == {"role": "assistant", "content": "It is 4."}


def test_langchain_sends_calls_and_results_as_such() -> None:
    history = [
        HumanMessage("Weather?"),
        AIMessage("", tool_calls=[{"id": "a", "name": "weather", "args": {"city": "Rome"}}]),
        ToolMessage("22", tool_call_id="a"),
    ]
    _, received = chat(answer(), history, **OFFERED)
    [_, asked, answered] = json.loads(received.body)["messages"]
    assert asked["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert answered == {"role": "tool", "content": "22", "tool_call_id": "a"}


# --- LlamaIndex


def llama(
    sent: Reply,
    messages: Sequence[ChatMessage] = (ChatMessage("Hello"),),
    way: str = "call",
    **arguments: Any,
) -> tuple[ChatResponse, Received]:
    """Return the last response that LlamaIndex's user gets, and what the server got."""

    async def ask(llm: MonsterLLM) -> ChatResponse:
        async with llm:
            if way == "async call":
                return await llm.achat(messages, **arguments)
            responses = await llm.astream_chat(messages, **arguments)
            return [response async for response in responses][-1]

    with ScriptedServer(sent) as server:
        llm = MonsterLLM(api_base=server.base_url, **ARGUMENTS)
        with llm:
            if way == "call":
                response = llm.chat(messages, **arguments)
            elif way == "stream":
                *_, response = llm.stream_chat(messages, **arguments)
            else:
                response = asyncio.run(ask(llm))
        return response, server.received[0]


@pytest.mark.parametrize("way", WAYS)
def test_llama_index_reads_native_calls(way: str) -> None:
    sent = TWO_STREAMED_CALLS if "stream" in way else TWO_CALLS
    response, _ = llama(sent, way=way, **OFFERED)
    blocks = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    assert [(block.tool_call_id, block.tool_name, block.tool_kwargs) for block in blocks] == [
        ("chatcmpl-tool-0", "weather", {"city": "Rome"}),
        ("chatcmpl-tool-1", "weather", {"city": "Oslo"}),
    ]


@THOUGHTS
def test_llama_index_shows_reasoning_as_a_thinking_block(way: str, sent: Reply) -> None:
    response, _ = llama(sent, way=way)
    thought, said = response.message.blocks
    assert isinstance(thought, ThinkingBlock)
    assert thought.content == "2 and 2"
    assert said == TextBlock(text="It is 4.")


def test_llama_index_sends_calls_and_results_as_such_and_no_reasoning() -> None:
    history = [
        ChatMessage("Weather?"),
        ChatMessage(
            role=MessageRole.ASSISTANT,
            blocks=[
                ThinkingBlock(content="I must look."),
                ToolCallBlock(tool_call_id="a", tool_name="weather", tool_kwargs={"city": "Rome"}),
            ],
        ),
        ChatMessage(role=MessageRole.TOOL, content="22", additional_kwargs={"tool_call_id": "a"}),
    ]
    _, received = llama(answer(), history, **OFFERED)
    [_, asked, answered] = json.loads(received.body)["messages"]
    assert (asked["content"], len(asked["tool_calls"])) == ("", 1)
    assert answered == {"role": "tool", "content": "22", "tool_call_id": "a"}
