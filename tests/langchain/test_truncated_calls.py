"""A tool call that is not whole never becomes one that an agent would run."""

from __future__ import annotations

import sys
from itertools import cycle
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from langchain_monster import ChatMonster
from tests.langchain.answering import (
    TOOLS,
    Way,
    asked,
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

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")

WHOLE = '{"text": "a \\"b\\" {c} [d]", "then": [1, {"e": 2}]}'
ENDS = {"length": "max_tokens cut the arguments", "stop": "end before they are complete"}
every_mode = pytest.mark.parametrize("mode", ["invoke", "messages", "events"])


def check(answer: AIMessage, finish: str = "length") -> None:
    assert answer.tool_calls == []
    assert [call["name"] for call in answer.invalid_tool_calls] == ["tell"]
    assert answer.invalid_tool_calls[0]["id"]
    assert answer.response_metadata["finish_reason"] == finish
    assert "tool_call" not in {block["type"] for block in answer.content_blocks}


def test_a_call_that_is_cut_anywhere_is_invalid(scripted: Scripted) -> None:
    cuts = list(zip(range(1, len(WHOLE), 2), cycle(ENDS)))
    replies = []
    for cut, finish in cuts:
        pieces = [called("tell", WHOLE[: cut - 1]), called("tell", WHOLE[cut - 1 : cut])]
        stream = streamed(*(delta(calls=[piece]) for piece in pieces), delta(finish=finish))
        answer = whole({"tool_calls": [called("tell", WHOLE[:cut])]}, finish=finish)
        replies += [answer, stream, stream]
    llm, _ = scripted(*replies)
    named = llm.bind_tools(TOOLS, tool_choice="tell")
    for _, finish in cuts:
        at_once = named.invoke("Hi")
        check(at_once, finish)
        assert ENDS[finish] in at_once.invalid_tool_calls[0]["error"]
        check(summed(named.stream("Hi")), finish)
        check(named.stream_events("Hi", version="v3").output, finish)


@every_way
@pytest.mark.parametrize("version", ["v0", "v1"])
async def test_a_call_in_a_text_that_is_cut_anywhere_is_invalid(
    scripted: Scripted, way: Way, version: str
) -> None:
    told = '{"name": "tell", "parameters": ' + WHOLE
    cuts = list(zip(range(told.index(WHOLE) + 1, len(told), 5), cycle(ENDS)))
    replies = (streamed(delta(told[:cut]), delta(finish=finish)) for cut, finish in cuts)
    llm, _ = scripted(*replies, output_version=version)
    for _, finish in cuts:
        check(summed(await collected(llm.bind_tools(TOOLS), way)), finish)


@every_way
async def test_arguments_that_are_no_object_are_invalid_in_every_mode(
    scripted: Scripted, way: Way
) -> None:
    for arguments in ["[1]", "7", "true", '"Rome"', '{"a": NaN}', '{"a": 1e999}', '{"a": 1} x']:
        calls = [called("add", arguments)]
        stream = streamed(delta(calls=calls), delta(finish="stop"))
        llm, _ = scripted(whole({"tool_calls": calls}), stream)
        bound: Any = llm.bind_tools(TOOLS, tool_choice="add")
        answers = [
            await asked(bound, way),
            summed(await collected(bound, way)),
            bound.stream_events("Hi", version="v3").output
            if way == "sync"
            else await (await bound.astream_events("Hi", version="v3")).output,
        ]
        for answer in answers:
            assert answer.tool_calls == []
            [invalid] = answer.invalid_tool_calls
            assert (invalid["name"], invalid["args"].startswith(arguments)) == ("add", True)


def deleting(log: list[str]) -> Any:
    @tool
    def delete_path(path: str) -> str:
        """Delete a path."""
        log.append(path)
        return f"Deleted {path}"

    return delete_path


CALL = '{"name": "delete_path", "parameters": {"path": "/data/ana"}}'
CUT_CALL = '{"name": "delete_path", "parameters": {"path": "/data/'


@every_way
@every_mode
async def test_an_agent_runs_no_call_that_was_cut(scripted: Scripted, way: Way, mode: str) -> None:
    log: list[str] = []
    finish = "length" if way == "sync" else "stop"
    cut = (
        whole({"content": CUT_CALL}, finish=finish)
        if mode == "invoke"
        else streamed(*map(delta, CUT_CALL), delta(finish=finish))
    )
    llm, _ = scripted(cut)
    state = await final_state(create_agent(llm, [deleting(log)]), way, mode)
    assert log == []
    assert [call["name"] for call in state["messages"][-1].invalid_tool_calls] == ["delete_path"]


@every_mode
async def test_an_agent_tells_the_model_of_a_cut_call_and_goes_on(
    scripted: Scripted, mode: str
) -> None:
    log: list[str] = []
    replies = [
        whole({"content": text}, finish=finish)
        if mode == "invoke"
        else streamed(delta(text), delta(finish=finish))
        for text, finish in ((f"{CALL}\n{CUT_CALL}", "length"), ("Done.", "stop"))
    ]
    llm, server = scripted(*replies)
    state = await final_state(create_agent(llm, [deleting(log)]), "sync", mode)
    assert log == ["/data/ana"]
    assert state["messages"][-1].text == "Done."
    assert "could not be executed" in str(sent(server, 1)["messages"])


async def final_state(agent: Any, way: Way, mode: str) -> Any:
    if way == "async" and mode != "invoke" and sys.version_info < (3, 11):
        pytest.skip("LangGraph needs 3.11 to stream from inside")
    given = {"messages": [("user", "Clean up.")]}
    if mode == "invoke":
        return await asked(agent, way, given)
    if mode == "events":
        if way == "sync":
            return agent.stream_events(given, version="v3").output
        return await (await agent.astream_events(given, version="v3")).output()
    items = await collected(agent, way, given, stream_mode=["messages", "values"])
    return [item for kind, item in items if kind == "values"][-1]


def test_a_whole_call_stays_valid(scripted: Scripted) -> None:
    said = '{"name": "add", "parameters": {"a": 1}}\n{"name": "tell", "parameters": {"te'
    before_a_cut_one = streamed(delta(said), delta(finish="length"))
    at_the_limit = streamed(delta(calls=[called("tell", WHOLE)]), delta(finish="length"))
    llm, _ = scripted(before_a_cut_one, at_the_limit)
    answer = summed(llm.bind_tools(TOOLS).stream("Hi"))
    assert [call["name"] for call in answer.tool_calls] == ["add"]
    assert [call["name"] for call in answer.invalid_tool_calls] == ["tell"]
    answer = summed(llm.bind_tools(TOOLS, tool_choice="tell").stream("Hi"))
    assert [call["args"]["then"] for call in answer.tool_calls] == [[1, {"e": 2}]]


@pytest.mark.vcr
@pytest.mark.parametrize("choice", ["tell", None], ids=["forced", "free"])
async def test_a_real_server_cuts_a_call(choice: str | None) -> None:
    llm = ChatMonster(model=MODEL, temperature=0, max_tokens=40 if choice is None else 15)
    bound = llm.bind_tools(TOOLS, tool_choice=choice)
    question = 'Use the tool "tell" with "All the world is a stage".'
    check(await bound.ainvoke(question))
    check(summed(await collected(bound, "async", question)))
