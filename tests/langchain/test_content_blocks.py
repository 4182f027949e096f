"""Answers as content blocks: whole and streamed, in LangChain's old and new content format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from langchain_monster import ChatMonster
from langchain_monster._content_blocks import translate_chunk
from tests.core.scripted_server import Reply
from tests.langchain.answering import (
    TOOLS,
    WAYS,
    Way,
    call_piece,
    collected,
    delta,
    streamed,
    summed,
    whole,
)
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL

REASONING = {"type": "reasoning", "reasoning": "Let me see."}
TEXT = {"type": "text", "text": "Hello"}
ADD = {"type": "tool_call", "id": "c1", "name": "add", "args": {"a": 1}}
TELL = {"type": "tool_call", "id": "c2", "name": "tell", "args": {"text": "x"}}

DELTAS = {
    "reasoning": [delta(reasoning="Let me"), delta(reasoning=" see.")],
    "text": [delta("Hel"), delta("lo")],
    "tools": [
        delta(calls=[call_piece(0, '{"a"', "add", "c1")]),
        delta(calls=[call_piece(0, ": 1}"), call_piece(1, '{"text": ', "tell", "c2")]),
        delta(calls=[call_piece(1, '"x"}')]),
    ],
}
MESSAGES: dict[str, dict[str, Any]] = {
    "reasoning": {"reasoning_content": "Let me see."},
    "text": {"content": "Hello"},
    "tools": {
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
            {
                "id": "c2",
                "type": "function",
                "function": {"name": "tell", "arguments": '{"text": "x"}'},
            },
        ]
    },
}
MIXES = [
    ["text"],
    ["reasoning"],
    ["tools"],
    ["reasoning", "text"],
    ["text", "tools"],
    ["reasoning", "tools"],
    ["reasoning", "text", "tools"],
]
every_mix = pytest.mark.parametrize("mix", MIXES, ids="+".join)
every_way = pytest.mark.parametrize("way", WAYS)
either_version = pytest.mark.parametrize("version", ["v0", "v1"])


def told_in_turn(mix: list[str]) -> Reply:
    return streamed(*(piece for kind in mix for piece in DELTAS[kind]), delta(finish="stop"))


def told_at_once(mix: list[str]) -> Reply:
    """One event that holds the first piece of everything, then the rest in turn."""
    first: dict[str, Any] = {}
    for kind in mix:
        first.update(DELTAS[kind][0]["choices"][0]["delta"])
    rest = [piece for kind in mix for piece in DELTAS[kind][1:]]
    opening = delta()
    opening["choices"][0]["delta"] = first
    return streamed(opening, *rest, delta(finish="stop"))


def blocks_of(mix: list[str]) -> list[dict[str, Any]]:
    found: dict[str, Any] = {"reasoning": [REASONING], "text": [TEXT], "tools": [ADD, TELL]}
    return [block for kind in mix for block in found[kind]]


def without_index(blocks: Any) -> list[dict[str, Any]]:
    return [{key: value for key, value in block.items() if key != "index"} for block in blocks]


@every_mix
@either_version
@every_way
async def test_a_whole_answer_is_told_in_blocks(
    scripted: Scripted, mix: list[str], version: str, way: Way
) -> None:
    message = {key: value for kind in mix for key, value in MESSAGES[kind].items()}
    llm, _ = scripted(whole(message), output_version=version)
    answer = llm.invoke("Hi") if way == "sync" else await llm.ainvoke("Hi")
    expected = blocks_of(mix)
    assert answer.content_blocks == expected
    assert answer.content == (expected if version == "v1" else "Hello" if "text" in mix else "")


@every_mix
@either_version
@pytest.mark.parametrize("told", [told_in_turn, told_at_once])
@every_way
async def test_a_streamed_answer_adds_up_to_the_same_blocks(
    scripted: Scripted, mix: list[str], version: str, told: Any, way: Way
) -> None:
    llm, _ = scripted(told(mix), output_version=version)
    answer = summed(await collected(llm.bind_tools(TOOLS), way))
    assert without_index(answer.content_blocks) == blocks_of(mix)
    assert answer.text == ("Hello" if "text" in mix else "")
    assert [call["args"] for call in answer.tool_calls] == (
        [{"a": 1}, {"text": "x"}] if "tools" in mix else []
    )


async def test_every_chunk_says_by_its_index_what_it_goes_on_with(scripted: Scripted) -> None:
    llm, _ = scripted(told_at_once(MIXES[-1]), output_version="v1")
    chunks = await collected(llm.bind_tools(TOOLS), "sync")
    indexes = {block["index"] for chunk in chunks for block in chunk.content_blocks}
    assert indexes == {"lc_rs_0", "lc_txt_0", "lc_tc_0", "lc_tc_1"}


@either_version
async def test_the_last_chunk_is_marked_and_adds_nothing(scripted: Scripted, version: str) -> None:
    llm, _ = scripted(told_in_turn(["text", "tools"]), output_version=version)
    *others, last = await collected(llm.bind_tools(TOOLS), "sync")
    assert last.chunk_position == "last"
    assert last.content_blocks == []
    assert not any(chunk.chunk_position for chunk in others)


def test_a_last_chunk_that_goes_on_with_a_call_stays_a_piece_of_it() -> None:
    piece = {"name": None, "args": '"x"}', "id": None, "index": 1}
    last = AIMessageChunk(content="", tool_call_chunks=[piece], chunk_position="last")
    assert translate_chunk(last) == [
        {"type": "tool_call_chunk", "id": None, "name": None, "args": '"x"}', "index": "lc_tc_1"}
    ]


def test_a_cut_call_is_a_block_of_an_invalid_call(scripted: Scripted) -> None:
    pieces = [delta(calls=[call_piece(0, '{"a": 1', "add", "c1")]), delta(finish="length")]
    llm, _ = scripted(streamed(*pieces))
    answer = summed(list(llm.bind_tools(TOOLS).stream("Hi")))
    assert [block["type"] for block in answer.content_blocks] == ["invalid_tool_call"]


def test_content_in_parts_is_kept_in_parts() -> None:
    content: list[str | dict[Any, Any]] = ["One", {"type": "text", "text": "Two"}]
    message = AIMessage(content, response_metadata={"model_provider": "monster"})
    assert [block["text"] for block in message.content_blocks] == ["One", "Two"]  # type: ignore[typeddict-item]


async def answers_of_every_format(scripted: Scripted) -> list[AIMessage]:
    mix, message = MIXES[-1], {k: v for kind in MIXES[-1] for k, v in MESSAGES[kind].items()}
    found: list[AIMessage] = []
    for version in ("v0", "v1"):
        llm, _ = scripted(whole(message), output_version=version)
        found.append(llm.invoke("Hi"))
        llm, _ = scripted(told_in_turn(mix), output_version=version)
        found.append(summed(await collected(llm.bind_tools(TOOLS), "sync")))
    llm, _ = scripted(told_in_turn(mix))
    bound: Any = llm.bind_tools(TOOLS)
    found.append(bound.stream_events("Hi", version="v3").output)
    return found


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_answers_of_every_format_are_sent_back_alike(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": "Fine"}))
    for answer in await answers_of_every_format(scripted):
        before = answer.model_copy(deep=True)
        told = [ToolMessage("2", tool_call_id="c1"), ToolMessage("ok", tool_call_id="c2")]
        llm.invoke([HumanMessage("Hi"), answer, *told])
        assert answer == before
    bodies = [json.loads(request.body) for request in server.received]
    assert len(bodies) == 5
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["messages"][1]["content"].startswith("Hello\n{")


@pytest.mark.vcr
@either_version
async def test_a_real_call_is_told_in_blocks(version: str) -> None:
    llm = ChatMonster(model=MODEL, temperature=0, output_version=version).bind_tools([TOOLS[0]])
    asked = 'Use the tool "add" with 41.'
    streamed_answer = summed(await collected(llm, "async", asked))
    answer = await llm.ainvoke(asked)
    for told in (answer, streamed_answer):
        (block,) = without_index(told.content_blocks)
        assert (block["type"], block["name"], block["args"]) == ("tool_call", "add", {"a": 41})
