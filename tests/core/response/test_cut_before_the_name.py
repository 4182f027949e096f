"""A call that max_tokens cut before its name is an invalid call, not a text, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.json_schema import LoweredSchema, lower
from monster_core.response.pipeline import ResponseStream, parse_response
from monster_core.response.types import ResponseSpec, ToolCall
from tests.core.scripted_server import Reply, ScriptedServer, events, reply

ANY_OBJECT = lower({"type": "object"})
NAMES = frozenset({"weather", "mail"})
ONE, TWO = {"weather": ANY_OBJECT}, {"weather": ANY_OBJECT, "mail": ANY_OBJECT}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def spec_of(forced: dict[str, LoweredSchema] | None = None) -> ResponseSpec:
    return ResponseSpec(NAMES, None, forced or {}, tool_parameters={name: {} for name in NAMES})


def event(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "a", "choices": [choice]}


def whole(text: str, spec: ResponseSpec, finish_reason: str) -> tuple[str, list[ToolCall]]:
    choice = {"message": {"content": text}, "finish_reason": finish_reason}
    [read] = parse_response(json.dumps({"choices": [choice]}).encode(), spec).choices
    return read.text, read.tool_calls


def streamed(text: str, spec: ResponseSpec, finish_reason: str) -> tuple[str, list[ToolCall]]:
    stream = ResponseStream(spec)
    sent = [*(event({"content": one}) for one in text), event({}, finish_reason)]
    chunks = [stream.feed(json.dumps(one).encode()) for one in sent]
    last = stream.end()
    said = "".join(chunk.text for chunk in [*chunks, last] if chunk)
    return said, list((last.finished_calls or {}).values())


EACH_MODE = pytest.mark.parametrize("read", [whole, streamed])
MARKED = ["<tool_", "<tool_call>", '<tool_call>\n{"name": "wea', "[TOOL_"]


@EACH_MODE
@pytest.mark.parametrize("text", MARKED)
@pytest.mark.parametrize("before", ["", "One moment. "])
def test_a_mark_that_is_cut_is_an_invalid_call(read: Any, text: str, before: str) -> None:
    said, [call] = read(before + text, spec_of(), "length")
    assert said == before
    assert (call.name, call.arguments) == ("", text)
    assert call.problem.startswith("max_tokens cut a tool call before its name: raise max_tokens")


@EACH_MODE
@pytest.mark.parametrize("text", [*MARKED, "x <", "<", '[{"na', "functools", "Sure"])
def test_what_the_model_ended_itself_stays_text(read: Any, text: str) -> None:
    assert read(text, spec_of(), "stop") == (text, [])


@EACH_MODE
@pytest.mark.parametrize("text", ["x <", "<", '[{"na', "functools", "Sure", ""])
def test_what_may_be_anything_stays_text(read: Any, text: str) -> None:
    assert read(text, spec_of(), "length") == (text, [])


@EACH_MODE
@pytest.mark.parametrize("text", ["", "<", "<tool_", '[{"na'])
@pytest.mark.parametrize("forced, name", [(ONE, "weather"), (TWO, "")])
def test_a_forced_call_that_is_cut_is_an_invalid_call(
    read: Any, text: str, forced: dict[str, LoweredSchema], name: str
) -> None:
    said, [call] = read(text, spec_of(forced), "length")
    assert (said, call.name, call.arguments) == ("", name, text)
    assert "max_tokens cut" in call.problem


def _reply(*, stream: bool) -> Reply:
    """Return what vLLM 0.32 answers where max_tokens cuts a forced call: in a stream, nothing."""
    if stream:
        return events(event({"role": "assistant"}), event({}, "length"), "[DONE]")
    message = {"role": "assistant", "content": "<tool_call", "tool_calls": []}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    return reply(200, {"id": "a", "model": "m", "choices": [choice]})


@pytest.mark.parametrize("stream", [False, True])
def test_langchain_shows_an_invalid_call(stream: bool) -> None:
    with ScriptedServer(_reply(stream=stream)) as server:
        llm = ChatMonster(
            model="m", base_url=server.base_url, api_key="k", server="vllm", streaming=stream
        )
        with llm:
            message = llm.bind_tools([WEATHER], tool_choice="any").invoke("Weather?")
    assert (message.text, message.tool_calls) == ("", [])
    assert [call["name"] for call in message.invalid_tool_calls] == ["weather"]


@pytest.mark.parametrize("stream", [False, True])
def test_llama_index_says_what_was_wrong(stream: bool) -> None:
    with ScriptedServer(_reply(stream=stream)) as server:
        arguments: dict[str, Any] = {"tools": [WEATHER], "tool_choice": "any"}
        with MonsterLLM(model="m", api_base=server.base_url, api_key="k", server="vllm") as llm:
            if stream:
                *_, response = llm.stream_complete("Weather?", **arguments)
            else:
                response = llm.complete("Weather?", **arguments)
    [problem] = response.additional_kwargs["tool_call_problems"].values()
    assert "max_tokens cut the arguments of 'weather'" in problem
