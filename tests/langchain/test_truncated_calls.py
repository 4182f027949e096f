"""A tool call that is not whole never becomes one that an agent would run."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

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


ENDS = {"length": "max_tokens cut the arguments", "stop": "end before they are complete"}
every_end = pytest.mark.parametrize("finish", ENDS)


def check(answer: AIMessage, finish: str = "length") -> None:
    assert answer.tool_calls == []
    assert [call["name"] for call in answer.invalid_tool_calls] == ["tell"]
    assert answer.invalid_tool_calls[0]["id"]
    assert answer.response_metadata["finish_reason"] == finish
    kinds = {block["type"] for block in answer.content_blocks}
    assert "tool_call" not in kinds


def named(llm: ChatMonster) -> Any:
    return llm.bind_tools(TOOLS, tool_choice="tell")


@every_end
def test_whole_answers(scripted: Scripted, finish: str) -> None:
    replies = [
        whole(
            {"tool_calls": [{"function": {"name": "tell", "arguments": WHOLE[:cut]}}]},
            finish=finish,
        )
        for cut in CUTS
    ]
    llm, _ = scripted(*replies)
    for _ in CUTS:
        answer = named(llm).invoke("Hi")
        check(answer, finish)
        assert ENDS[finish] in answer.invalid_tool_calls[0]["error"]


@every_end
@pytest.mark.parametrize("version", ["v0", "v1"])
def test_streams_cut_anywhere(scripted: Scripted, version: str, finish: str) -> None:
    replies = [
        streamed(
            *(delta(calls=[{"function": {"name": "tell", "arguments": piece}}]) for piece in cut),
            delta(finish=finish),
        )
        for cut in ((WHOLE[: end - 1], WHOLE[end - 1 : end]) for end in CUTS)
    ]
    llm, _ = scripted(*replies, output_version=version)
    for _ in CUTS:
        check(summed(list(named(llm).stream("Hi"))), finish)


@every_end
def test_protocol_events_cut_anywhere(scripted: Scripted, finish: str) -> None:
    replies = [
        streamed(
            delta(calls=[{"function": {"name": "tell", "arguments": WHOLE[:cut]}}]),
            delta(finish=finish),
        )
        for cut in CUTS
    ]
    llm, _ = scripted(*replies)
    for _ in CUTS:
        check(named(llm).stream_events("Hi", version="v3").output, finish)


@every_end
@every_way
async def test_calls_in_text_cut_anywhere(scripted: Scripted, way: Way, finish: str) -> None:
    told = '{"name": "tell", "parameters": ' + WHOLE
    start = told.index(WHOLE) + 1
    cuts = range(start, len(told), 5)
    llm, _ = scripted(*(streamed(delta(told[:cut]), delta(finish=finish)) for cut in cuts))
    for _ in cuts:
        check(summed(await collected(llm.bind_tools(TOOLS), way)), finish)


NOT_ARGUMENTS = ["[1]", "7", "true", '"Rome"', '{"a": NaN}', '{"a": 1e999}', '{"a": 1} x']


@pytest.mark.parametrize("arguments", NOT_ARGUMENTS)
@every_way
async def test_arguments_that_are_no_object_are_invalid_in_every_mode(
    scripted: Scripted, way: Way, arguments: str
) -> None:
    called = [{"function": {"name": "add", "arguments": arguments}}]
    pieces = [delta(calls=called), delta(finish="stop")]
    llm, _ = scripted(whole({"tool_calls": called}), streamed(*pieces), streamed(*pieces))
    bound: Any = llm.bind_tools(TOOLS, tool_choice="add")
    answers = [
        bound.invoke("Hi") if way == "sync" else await bound.ainvoke("Hi"),
        summed(await collected(bound, way)),
        bound.stream_events("Hi", version="v3").output
        if way == "sync"
        else await (await bound.astream_events("Hi", version="v3")).output,
    ]
    for answer in answers:
        assert answer.tool_calls == []
        [invalid] = answer.invalid_tool_calls
        assert (invalid["name"], invalid["args"].startswith(arguments)) == ("add", True)


def ran(log: list[str]) -> Any:
    @tool
    def delete_path(path: str) -> str:
        """Delete a path."""
        log.append(path)
        return f"Deleted {path}"

    return delete_path


CALL = '{"name": "delete_path", "parameters": {"path": "/data/ana"}}'
CUT_CALL = '{"name": "delete_path", "parameters": {"path": "/data/'


@every_end
@every_way
@pytest.mark.parametrize("mode", ["invoke", "messages", "events"])
async def test_an_agent_runs_no_call_that_was_cut(
    scripted: Scripted, way: Way, finish: str, mode: str
) -> None:
    log: list[str] = []
    cut = (
        whole({"content": CUT_CALL}, finish=finish)
        if mode == "invoke"
        else streamed(*map(delta, CUT_CALL), delta(finish=finish))
    )
    llm, _ = scripted(cut)
    state = await final_state(create_agent(llm, [ran(log)]), way, mode)
    assert log == []
    assert [call["name"] for call in state["messages"][-1].invalid_tool_calls] == ["delete_path"]


@every_way
@pytest.mark.parametrize("mode", ["invoke", "messages", "events"])
async def test_an_agent_tells_the_model_of_a_cut_call_and_goes_on(
    scripted: Scripted, way: Way, mode: str
) -> None:
    log: list[str] = []
    texts = [f"{CALL}\n{CUT_CALL}", "Done."]
    ends = ["length", "stop"]
    replies = [
        whole({"content": text}, finish=finish)
        if mode == "invoke"
        else streamed(delta(text), delta(finish=finish))
        for text, finish in zip(texts, ends, strict=True)
    ]
    llm, server = scripted(*replies)
    state = await final_state(create_agent(llm, [ran(log)]), way, mode)
    assert log == ["/data/ana"]
    assert state["messages"][-1].text == "Done."
    told = str(json.loads(server.received[1].body)["messages"])
    assert "could not be executed" in told


async def final_state(agent: Any, way: Way, mode: str) -> Any:
    if way == "async" and mode != "invoke" and sys.version_info < (3, 11):
        pytest.skip("LangGraph needs 3.11 to stream from inside")
    given = {"messages": [("user", "Clean up.")]}
    if mode == "invoke":
        return agent.invoke(given) if way == "sync" else await agent.ainvoke(given)
    if mode == "events":
        if way == "sync":
            return agent.stream_events(given, version="v3").output
        return await (await agent.astream_events(given, version="v3")).output()
    modes = ["messages", "values"]
    if way == "sync":
        items = list(agent.stream(given, stream_mode=modes))
    else:
        items = [item async for item in agent.astream(given, stream_mode=modes)]
    return [item for kind, item in items if kind == "values"][-1]


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
