"""Where only one call may be made, an answer holds one, however many the model wrote."""

from __future__ import annotations

import orjson

from monster_core.request.builder import build_request
from monster_core.request.messages import Message
from monster_core.response.pipeline import ResponseStream, parse_response
from monster_core.response.tool_calls import parse_arguments
from monster_core.response.types import ResponseSpec

TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]
TWO_CALLS = (
    '{"name": "add", "parameters": {"a": 1}}; {"name": "add", "parameters": {"a": 2}} and done'
)


def planned(*, parallel: bool, stream: bool):
    fields = {"model": "m", "tools": TOOLS, "parallel_tool_calls": parallel}
    return build_request([Message("user", "Add.")], fields, stream=stream)


def arguments_of_the_whole(*, parallel: bool) -> list[str]:
    message = {"role": "assistant", "content": TWO_CALLS}
    body = {"id": "cmpl-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    call = planned(parallel=parallel, stream=False)
    (choice,) = parse_response(orjson.dumps(body), call.spec).choices
    return [found.arguments for found in choice.tool_calls]


def arguments_of_the_stream(*, parallel: bool) -> list[str]:
    stream = ResponseStream(planned(parallel=parallel, stream=True).spec)
    found: dict[int, str] = {}
    for place, sign in enumerate(TWO_CALLS):
        last = "stop" if place == len(TWO_CALLS) - 1 else None
        choice = {"index": 0, "delta": {"content": sign}, "finish_reason": last}
        chunk = stream.feed(orjson.dumps({"id": "cmpl-1", "choices": [choice]}))
        for delta in (chunk.tool_calls if chunk else None) or []:
            found[delta.index] = found.get(delta.index, "") + delta.arguments
    return list(found.values())


def test_one_call_is_kept_where_only_one_may_be_made() -> None:
    assert arguments_of_the_whole(parallel=False) == ['{"a": 1}']
    assert arguments_of_the_stream(parallel=False) == ['{"a": 1}']


def test_all_calls_are_kept_where_several_may_be_made() -> None:
    assert arguments_of_the_whole(parallel=True) == ['{"a": 1}', '{"a": 2}']
    assert arguments_of_the_stream(parallel=True) == ['{"a": 1}', '{"a": 2}']


def test_arguments_cut_before_their_first_sign_are_not_taken_for_none() -> None:
    assert parse_arguments("add", "", "stop") == ({}, None)
    arguments, problem = parse_arguments("add", "", "length")
    assert arguments == {}
    assert problem is not None
    assert "max_tokens cut" in problem


def test_an_answer_without_tools_is_read_as_it_is() -> None:
    message = {"role": "assistant", "content": TWO_CALLS}
    body = {"id": "cmpl-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    assert parse_response(orjson.dumps(body), ResponseSpec()).choices[0].text == TWO_CALLS
