"""Answers as content blocks: whole and streamed, in LangChain's old and new content format."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from langchain_monster import ChatMonster
from langchain_monster._content_blocks import translate_chunk
from tests.core.scripted_server import Reply
from tests.langchain.answering import (
    TOOLS,
    Way,
    asked,
    call_piece,
    called,
    collected,
    delta,
    every_way,
    sent,
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
BLOCKS: dict[str, Any] = {"reasoning": [REASONING], "text": [TEXT], "tools": [ADD, TELL]}

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
            {"id": "c1", "type": "function", **called("add", '{"a": 1}')},
            {"id": "c2", "type": "function", **called("tell", '{"text": "x"}')},
        ]
    },
}
EVERYTHING = ["reasoning", "text", "tools"]
MIXES = [["text"], ["reasoning"], ["tools"], ["text", "tools"], ["reasoning", "tools"], EVERYTHING]
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


def told_whole(mix: list[str]) -> Reply:
    return whole({key: value for kind in mix for key, value in MESSAGES[kind].items()})


def without_index(blocks: Any) -> list[dict[str, Any]]:
    return [{key: value for key, value in block.items() if key != "index"} for block in blocks]


@either_version
@every_way
async def test_an_answer_is_told_in_the_same_blocks_whole_and_streamed(
    scripted: Scripted, version: str, way: Way
) -> None:
    ways_to_tell = (told_whole, told_in_turn, told_at_once)
    replies = [tell(mix) for mix in MIXES for tell in ways_to_tell]
    llm, _ = scripted(*replies, output_version=version)
    bound = llm.bind_tools(TOOLS)
    for mix in MIXES:
        expected = [block for kind in mix for block in BLOCKS[kind]]
        text = "Hello" if "text" in mix else ""
        answer = await asked(bound, way)
        assert answer.content_blocks == expected
        assert answer.content == (expected if version == "v1" else text)
        for _ in ways_to_tell[1:]:
            answer = summed(await collected(bound, way))
            assert without_index(answer.content_blocks) == expected
            assert answer.text == text
            assert [call["args"] for call in answer.tool_calls] == [
                block["args"] for block in expected if block["type"] == "tool_call"
            ]


def test_every_chunk_says_by_its_index_what_it_goes_on_with(scripted: Scripted) -> None:
    llm, _ = scripted(told_at_once(EVERYTHING), output_version="v1")
    chunks: list[Any] = list(llm.bind_tools(TOOLS).stream("Hi"))
    indexes = {block["index"] for chunk in chunks for block in chunk.content_blocks}
    assert indexes == {"lc_rs_0", "lc_txt_0", "lc_tc_0", "lc_tc_1"}


@either_version
def test_the_last_chunk_is_marked_and_adds_nothing(scripted: Scripted, version: str) -> None:
    llm, _ = scripted(told_in_turn(["text", "tools"]), output_version=version)
    chunks: list[Any] = list(llm.bind_tools(TOOLS).stream("Hi"))
    assert [chunk.chunk_position for chunk in chunks[-2:]] == [None, "last"]
    assert chunks[-1].content_blocks == []


def test_a_last_chunk_that_goes_on_with_a_call_stays_a_piece_of_it() -> None:
    piece = {"name": None, "args": '"x"}', "id": None, "index": 1}
    last = AIMessageChunk(content="", tool_call_chunks=[piece], chunk_position="last")
    assert translate_chunk(last) == [
        {"type": "tool_call_chunk", "id": None, "name": None, "args": '"x"}', "index": "lc_tc_1"}
    ]


def test_a_cut_call_is_a_block_of_an_invalid_call(scripted: Scripted) -> None:
    pieces = [delta(calls=[call_piece(0, '{"a": 1', "add", "c1")]), delta(finish="length")]
    llm, _ = scripted(streamed(*pieces))
    answer = summed(llm.bind_tools(TOOLS).stream("Hi"))
    assert [block["type"] for block in answer.content_blocks] == ["invalid_tool_call"]


def test_content_in_parts_is_kept_in_parts() -> None:
    content: list[Any] = ["One", {"type": "text", "text": "Two"}]
    message = AIMessage(content, response_metadata={"model_provider": "monster"})
    blocks: list[Any] = message.content_blocks
    assert [block["text"] for block in blocks] == ["One", "Two"]


def answers_of_every_format(scripted: Scripted) -> list[AIMessage]:
    found: list[AIMessage] = []
    for version in ("v0", "v1"):
        llm, _ = scripted(told_whole(EVERYTHING), told_in_turn(EVERYTHING), output_version=version)
        bound: Any = llm.bind_tools(TOOLS)
        found += [bound.invoke("Hi"), summed(bound.stream("Hi"))]
    return [*found, bound.stream_events("Hi", version="v3").output]


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
def test_answers_of_every_format_are_sent_back_alike(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": "Fine"}))
    for answer in answers_of_every_format(scripted):
        before = answer.model_copy(deep=True)
        results = [ToolMessage("2", tool_call_id="c1"), ToolMessage("ok", tool_call_id="c2")]
        llm.invoke([HumanMessage("Hi"), answer, *results])
        assert answer == before
    bodies = [sent(server, number) for number in range(5)]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["messages"][1]["content"].startswith("Hello\n{")


@every_way
async def test_a_refusal_is_kept_apart_from_the_text(scripted: Scripted, way: Way) -> None:
    said = "I cannot help with that."
    pieces = [delta(), delta(), delta(finish="stop")]
    pieces[0]["choices"][0]["delta"] = {"refusal": said[:9]}
    pieces[1]["choices"][0]["delta"] = {"refusal": said[9:]}
    llm, _ = scripted(whole({"content": None, "refusal": said}), streamed(*pieces))
    for answer in (await asked(llm, way), summed(await collected(llm, way))):
        assert answer.text == ""
        assert answer.additional_kwargs == {"refusal": said}


@pytest.mark.vcr
@either_version
async def test_a_real_call_is_told_in_blocks(version: str) -> None:
    llm = ChatMonster(model=MODEL, temperature=0, output_version=version).bind_tools([TOOLS[0]])
    question = 'Use the tool "add" with 41.'
    for told in (await llm.ainvoke(question), summed(await collected(llm, "async", question))):
        (block,) = without_index(told.content_blocks)
        assert (block["type"], block["name"], block["args"]) == ("tool_call", "add", {"a": 41})
