"""How the calls of other servers, and of other responses, are read."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, TextBlock, ToolCallBlock

from llama_index_monster import MonsterLLM
from monster_core.errors import StructuredAnswerError
from tests.llama_index.test_tool_calls import TOOLS, chat, selections, stream
from tests.llama_index.toolbox import (
    answered,
    blocks_of,
    scripted,
)


def openai_call(index, call_id=None, name=None, arguments=""):
    function = {"arguments": arguments, **({"name": name} if name else {})}
    known = {"id": call_id, "type": "function"} if call_id else {}
    return {"index": index, "function": function, **known}


def response_of(*calls, finish_reason=None, **kwargs):
    blocks = [
        ToolCallBlock(tool_call_id=None, tool_name=name, tool_kwargs=arguments)
        for name, arguments in calls
    ]
    extra = {"finish_reason": finish_reason} if finish_reason else {}
    message = ChatMessage(role="assistant", blocks=blocks, additional_kwargs=kwargs)
    return ChatResponse(message=message, additional_kwargs=extra)


def test_further_calls_of_any_response_are_dropped_everywhere():
    legacy = [{"function": {"name": "f"}}, {"function": {"name": "g"}}]
    response = response_of(("f", {}), ("g", {}), tool_calls=legacy, other=1)
    response.message.blocks.append(TextBlock(text="hi"))
    validate = MonsterLLM()._validate_chat_with_tools_response
    cut = validate(response, TOOLS, allow_parallel_tool_calls=False)
    assert blocks_of(cut) == [("f", {})]
    assert cut.message.content == "hi"
    assert cut.message.additional_kwargs == {"tool_calls": legacy[:1], "other": 1}
    assert len(blocks_of(response)) == len(response.message.additional_kwargs["tool_calls"]) == 2
    whole = validate(response, TOOLS, allow_parallel_tool_calls=True)
    assert whole.message == response.message


@pytest.mark.parametrize(
    "arguments, said",
    [
        ('{"a": six}', "The arguments of 'multiply' are not JSON."),
        ("[6, 7]", "The arguments of 'multiply' are JSON but not an object."),
        ('"six"', "The arguments of 'multiply' are JSON but not an object."),
    ],
)
def test_arguments_that_are_no_object_are_an_error(calls, arguments, said):
    call = {"id": "1", "function": {"name": "multiply", "arguments": arguments}}
    deltas = [
        {"tool_calls": [openai_call(0, "1", "multiply")]},
        *({"tool_calls": [openai_call(0, arguments=character)]} for character in arguments),
    ]
    llm = scripted({"content": None, "tool_calls": [call]}, deltas)
    *partial, end, _ = stream(calls, llm, "")
    for item in partial:
        assert isinstance(selections(item)[0].tool_kwargs, dict)
    for response in (chat(calls, llm, ""), end):
        assert blocks_of(response) == [("multiply", arguments)]
        with pytest.raises(StructuredAnswerError) as raised:
            selections(response)
        assert str(raised.value) == said
        [selection] = selections(response, error_on_no_tool_call=False)
        assert selection.tool_name == f"multiply (not run: {said.rstrip('.')})"
        assert selection.tool_kwargs == {}
    with pytest.raises(ValueError, match="multiply"):
        answered(calls.is_async, llm, "predict_and_call", TOOLS, "hi")


@pytest.mark.parametrize(
    "deltas",
    [
        [{"tool_calls": [openai_call(0, "x", "f", '{"a": 1}'), openai_call(1, "y", "g", "{}")]}],
        [
            {"tool_calls": [openai_call(0, "x", "f", '{"a"')]},
            {"tool_calls": [openai_call(1, "y", "g", "{")]},
            {"tool_calls": [openai_call(0, arguments=": 1}"), openai_call(1, arguments="}")]},
        ],
    ],
    ids=["in-one-chunk", "interleaved"],
)
def test_several_calls_of_today_s_servers(calls, deltas):
    items = stream(calls, scripted(deltas=deltas), "", allow_parallel_tool_calls=True)
    assert blocks_of(items[-1]) == [("f", {"a": 1}), ("g", {})]
    assert [one.tool_id for one in selections(items[-1])] == ["x", "y"]


def test_a_forced_call_of_vllm_0_5_is_one_call(calls):
    pieces = ["{", '"a"', ":", " 6", ",", '"b": 7', "}"]
    deltas = [
        {"tool_calls": [{"function": {"name": "multiply", "arguments": piece}}]} for piece in pieces
    ]
    items = stream(calls, scripted(deltas=deltas), "", tool_choice="multiply")
    assert blocks_of(items[-1]) == [("multiply", {"a": 6, "b": 7})]
    [call_id] = {one.tool_id for item in items for one in selections(item)}
    assert call_id.startswith("call_")


def test_reasoning_text_and_calls_stand_in_this_order(calls):
    call = {"id": "1", "function": {"name": "multiply", "arguments": "{}"}}
    message = {"content": "Well.", "reasoning_content": "Hm.", "tool_calls": [call]}
    deltas = [
        {"reasoning_content": "Hm."},
        {"content": "Well."},
        {"tool_calls": [openai_call(0, "1", "multiply", "{}")]},
    ]
    llm = scripted(message, deltas, finish_reason="tool_calls")
    for response in (chat(calls, llm, ""), stream(calls, llm, "")[-1]):
        kinds = [block.block_type for block in response.message.blocks]
        assert kinds == ["thinking", "text", "tool_call"]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": "wor', {"a": "wor"}),
        ("six", {}),
    ],
)
def test_calls_of_other_streams_are_read_as_far_as_they_go(arguments, expected):
    response = response_of(("f", arguments))
    response.delta = ""
    [one] = selections(response)
    assert (one.tool_id, one.tool_name, one.tool_kwargs) == ("call_0", "f", expected)


@pytest.mark.parametrize("arguments", ['{"a": 1, "b', '{"a": "wor', "six", "[1]"])
def test_calls_of_other_whole_responses_are_judged(arguments):
    response = response_of(("f", arguments))
    with pytest.raises(StructuredAnswerError, match="'f'"):
        selections(response)
    [one] = selections(response, error_on_no_tool_call=False)
    assert one.tool_name.startswith("f (not run: ")
    assert one.tool_kwargs == {}


def test_calls_of_other_responses_may_stand_in_additional_kwargs_alone():
    legacy = [
        {"id": "1", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": None, "function": {"name": "g", "arguments": None}},
    ]
    found = selections(response_of(tool_calls=legacy))
    assert [(one.tool_id, one.tool_name, one.tool_kwargs) for one in found] == [
        ("1", "f", {"a": 1}),
        ("call_1", "g", {}),
    ]
