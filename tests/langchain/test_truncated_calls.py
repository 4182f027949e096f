"""A tool call that max_tokens cut never becomes one that an agent would run."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_monster import ChatMonster
from tests.langchain.answering import (
    TOOLS,
    WAYS,
    Way,
    collected,
    delta,
    streamed,
    summed,
    whole,
)
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
every_way = pytest.mark.parametrize("way", WAYS)

WHOLE = '{"text": "a \\"b\\" {c} [d]", "then": [1, {"e": 2}]}'
CUTS = range(1, len(WHOLE), 2)


def check(answer: AIMessage) -> None:
    assert answer.tool_calls == []
    assert [call["name"] for call in answer.invalid_tool_calls] == ["tell"]
    assert answer.response_metadata["finish_reason"] == "length"
    kinds = {block["type"] for block in answer.content_blocks}
    assert "tool_call" not in kinds


def named(llm: ChatMonster) -> Any:
    return llm.bind_tools(TOOLS, tool_choice="tell")


def test_whole_answers(scripted: Scripted) -> None:
    replies = [
        whole(
            {"tool_calls": [{"function": {"name": "tell", "arguments": WHOLE[:cut]}}]},
            finish="length",
        )
        for cut in CUTS
    ]
    llm, _ = scripted(*replies)
    for _ in CUTS:
        answer = named(llm).invoke("Hi")
        check(answer)
        assert "max_tokens" in answer.invalid_tool_calls[0]["error"]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_streams_cut_anywhere(scripted: Scripted, version: str) -> None:
    replies = [
        streamed(
            *(delta(calls=[{"function": {"name": "tell", "arguments": piece}}]) for piece in cut),
            delta(finish="length"),
        )
        for cut in ((WHOLE[: end - 1], WHOLE[end - 1 : end]) for end in CUTS)
    ]
    llm, _ = scripted(*replies, output_version=version)
    for _ in CUTS:
        check(summed(list(named(llm).stream("Hi"))))


def test_protocol_events_cut_anywhere(scripted: Scripted) -> None:
    replies = [
        streamed(
            delta(calls=[{"function": {"name": "tell", "arguments": WHOLE[:cut]}}]),
            delta(finish="length"),
        )
        for cut in CUTS
    ]
    llm, _ = scripted(*replies)
    for _ in CUTS:
        check(named(llm).stream_events("Hi", version="v3").output)


@every_way
async def test_calls_in_text_cut_anywhere(scripted: Scripted, way: Way) -> None:
    told = '{"name": "tell", "parameters": ' + WHOLE
    start = told.index(WHOLE) + 1
    cuts = range(start, len(told), 5)
    llm, _ = scripted(*(streamed(delta(told[:cut]), delta(finish="length")) for cut in cuts))
    for _ in cuts:
        check(summed(await collected(llm.bind_tools(TOOLS), way)))


def test_a_whole_call_before_the_cut_one_stays_valid(scripted: Scripted) -> None:
    pieces = [
        delta('{"name": "add", "parameters": {"a": 1}}\n{"name": "tell", "parameters": {"te'),
        delta(finish="length"),
    ]
    llm, _ = scripted(streamed(*pieces))
    answer = summed(list(llm.bind_tools(TOOLS).stream("Hi")))
    assert [call["name"] for call in answer.tool_calls] == ["add"]
    assert [call["name"] for call in answer.invalid_tool_calls] == ["tell"]


def test_a_call_that_is_whole_when_max_tokens_is_reached_is_valid(scripted: Scripted) -> None:
    call = delta(calls=[{"function": {"name": "tell", "arguments": WHOLE}}])
    llm, _ = scripted(streamed(call, delta(finish="length")))
    answer = summed(list(named(llm).stream("Hi")))
    assert [call["args"]["then"] for call in answer.tool_calls] == [[1, {"e": 2}]]


@pytest.mark.vcr
@pytest.mark.parametrize("choice", ["tell", None], ids=["forced", "free"])
async def test_a_real_server_cuts_a_call(choice: str | None) -> None:
    llm = ChatMonster(model=MODEL, temperature=0, max_tokens=40 if choice is None else 15)
    bound = llm.bind_tools(TOOLS, tool_choice=choice)
    asked = 'Use the tool "tell" with "All the world is a stage".'
    check(await bound.ainvoke(asked))
    check(summed(await collected(bound, "async", asked)))
