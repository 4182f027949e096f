"""How calls come back, whole and streamed."""

from __future__ import annotations

import json

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.chat_engine.types import is_function
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.program.utils import process_streaming_objects

from llama_index_monster import MonsterLLM
from monster_core.errors import StructuredAnswerError, TruncatedAnswerError
from tests.llama_index.test_tools_prepared import boxed
from tests.llama_index.toolbox import (
    MULTIPLY,
    WEATHER,
    Song,
    answered,
    blocks_of,
    streamed,
)

TOOLS = [MULTIPLY, WEATHER]
CALL = '{"name": "multiply", "parameters": {"a": 6, "b": 7}}'
OTHER_CALL = '{"name": "get_weather", "parameters": {"city": "Rome"}}'


def chat(calls, llm, text, tools=TOOLS, **kwargs):
    return answered(calls.is_async, llm, "chat_with_tools", tools, f"Repeat: {text}", **kwargs)


def stream(calls, llm, text, tools=TOOLS, **kwargs):
    return streamed(
        calls.is_async, llm, "stream_chat_with_tools", tools, f"Repeat: {text}", **kwargs
    )


def selections(response, **kwargs):
    return MonsterLLM().get_tool_calls_from_response(response, **kwargs)


def test_a_call_is_a_block_and_a_plain_dict(calls, emulated_llm):
    response = chat(calls, emulated_llm, CALL)
    [block] = [b for b in response.message.blocks if isinstance(b, ToolCallBlock)]
    assert (block.tool_name, block.tool_kwargs) == ("multiply", {"a": 6, "b": 7})
    assert response.message.additional_kwargs["tool_calls"] == [
        {
            "id": block.tool_call_id,
            "type": "function",
            "function": {"name": "multiply", "arguments": '{"a": 6, "b": 7}'},
        }
    ]
    assert selections(response) == [
        ToolSelection(
            tool_id=block.tool_call_id, tool_name="multiply", tool_kwargs={"a": 6, "b": 7}
        )
    ]
    assert is_function(response.message)


def test_a_large_integer_keeps_its_digits(calls, emulated_llm):
    wei = 12345678901234567890123
    call = f'{{"name": "multiply", "parameters": {{"a": {wei}, "b": 2}}}}'
    response = chat(calls, emulated_llm, call)
    items = stream(calls, emulated_llm, call)
    for item in (response, items[-1]):
        assert blocks_of(item) == [("multiply", {"a": wei, "b": 2})]
        assert selections(item)[0].tool_kwargs == {"a": wei, "b": 2}
    history = [response.message, ChatMessage("24691357802469135780246", role="tool")]
    found = answered(calls.is_async, emulated_llm, "chat_with_tools", TOOLS, chat_history=history)
    assert "24691357802469135780246" in found.message.content


def test_text_is_not_a_call(calls, emulated_llm):
    response = chat(calls, emulated_llm, "hello")
    assert response.message.content == "hello"
    assert response.message.additional_kwargs == {}
    assert selections(response, error_on_no_tool_call=False) == []
    with pytest.raises(StructuredAnswerError, match="called none and said 'hello'") as raised:
        selections(response)
    assert isinstance(raised.value, ValueError)


def test_text_and_call_come_apart(calls, emulated_llm):
    for response in (
        chat(calls, emulated_llm, f"Let me see. {CALL}"),
        stream(calls, emulated_llm, f"Let me see. {CALL}")[-1],
    ):
        assert response.message.content.strip() == "Let me see."
        assert blocks_of(response) == [("multiply", {"a": 6, "b": 7})]


def test_a_stream_s_calls_grow_and_keep_their_id(calls, emulated_llm):
    items = stream(calls, emulated_llm, CALL)
    found = [selections(item, error_on_no_tool_call=False) for item in items]
    assert found[0] == [] or found[0][0].tool_kwargs == {}
    grown = [one[0].tool_kwargs for one in found if one]
    assert grown[-1] == {"a": 6, "b": 7}
    assert {"a": 6} in grown
    assert len({one[0].tool_id for one in found if one}) == 1
    assert found[-1][0].tool_id
    assert "".join(item.delta for item in items) == (items[-1].message.content or "")
    assert items[-1].raw["usage"]["completion_tokens"] > 0


def test_every_item_of_a_stream_is_a_snapshot(calls, emulated_llm):
    items = stream(calls, emulated_llm, '{"name": "multiply", "parameters": {"a": [1, {"b": 2}]}}')
    dumped = [item.model_dump_json() for item in items]
    last = items[-1].message
    [block] = [b for b in last.blocks if isinstance(b, ToolCallBlock)]
    block.tool_kwargs["a"][1]["b"] = "changed"
    last.additional_kwargs["tool_calls"][0]["function"]["arguments"] = "changed"
    assert [item.model_dump_json() for item in items[:-1]] == dumped[:-1]
    assert items[-1].model_dump_json() != dumped[-1]


def test_a_tool_that_changes_its_arguments_changes_no_message(emulated_llm):
    response = emulated_llm.chat_with_tools(
        TOOLS, 'Repeat: {"name": "multiply", "parameters": {"a": [1]}}'
    )
    selections(response)[0].tool_kwargs["a"].append(2)
    assert blocks_of(response) == [("multiply", {"a": [1]})]


def test_responses_and_messages_are_json(calls, emulated_llm):
    for response in (chat(calls, emulated_llm, CALL), stream(calls, emulated_llm, CALL)[-1]):
        restored = ChatResponse.model_validate_json(response.model_dump_json())
        assert blocks_of(restored) == blocks_of(response)
        kwargs = response.message.additional_kwargs
        assert json.loads(json.dumps(kwargs)) == kwargs


@pytest.mark.parametrize("is_parallel", [True, False])
def test_only_as_many_calls_as_are_allowed(calls, emulated_llm, is_parallel):
    text = f"[{CALL}, {OTHER_CALL}]"
    kwargs = {"allow_parallel_tool_calls": is_parallel}
    expected = [("multiply", {"a": 6, "b": 7}), ("get_weather", {"city": "Rome"})]
    items = stream(calls, emulated_llm, text, **kwargs)
    for response in (chat(calls, emulated_llm, text, **kwargs), items[-1]):
        assert blocks_of(response) == expected[: 2 if is_parallel else 1]
        listed = response.message.additional_kwargs["tool_calls"]
        assert len(listed) == len(selections(response)) == (2 if is_parallel else 1)
        assert len({call["id"] for call in listed}) == len(listed)
    assert max(len(blocks_of(item)) for item in items) == (2 if is_parallel else 1)


def test_calls_carry_the_caller_s_name_for_the_tool(calls, emulated_llm):
    tools = [boxed(), MULTIPLY]
    call = '{"name": "Box_int_", "parameters": {"content": 3, "width": 4}}'
    for response in (
        chat(calls, emulated_llm, call, tools),
        *(item for item in stream(calls, emulated_llm, call, tools) if blocks_of(item)),
    ):
        [(name, _)] = blocks_of(response)
        [listed] = response.message.additional_kwargs["tool_calls"]
        assert name == listed["function"]["name"] == selections(response)[0].tool_name == "Box[int]"
    output = emulated_llm.predict_and_call(tools, f"Repeat: {call}").sources[0]
    assert output.raw_output == boxed()(content=3, width=4).raw_output


def test_a_call_that_max_tokens_cut_says_so(calls, emulated_llm):
    said = "max_tokens cut the arguments of 'multiply': raise max_tokens and ask again."
    cut = len(CALL) - 4
    items = stream(calls, emulated_llm, CALL, max_tokens=cut)
    for response in (chat(calls, emulated_llm, CALL, max_tokens=cut), items[-1]):
        assert response.additional_kwargs["finish_reason"] == "length"
        with pytest.raises(TruncatedAnswerError) as raised:
            selections(response)
        assert str(raised.value) == said
        [selection] = selections(response, error_on_no_tool_call=False)
        assert selection.tool_name == f"multiply (not run: {said.rstrip('.')})"
        assert selection.tool_kwargs == {}
    assert selections(items[-3])[0].tool_kwargs == {"a": 6}


def test_a_whole_call_before_the_cut_is_good(calls, emulated_llm):
    text = f"{CALL} and then some more words that are cut"
    for response in (
        chat(calls, emulated_llm, text, max_tokens=len(CALL) + 2),
        stream(calls, emulated_llm, text, max_tokens=len(CALL) + 2)[-1],
    ):
        assert response.additional_kwargs["finish_reason"] == "length"
        assert selections(response)[0].tool_kwargs == {"a": 6, "b": 7}


def test_llama_index_s_streaming_programs_find_the_arguments(calls, emulated_llm):
    items = stream(calls, emulated_llm, '{"name": "multiply", "parameters": {"title": "Hey Jude"}}')
    found = [process_streaming_objects(item, Song, llm=emulated_llm) for item in items[-3:]]
    assert {one.title for one in found} == {"Hey Jude"}


def test_a_completion_tells_its_calls_too(calls, emulated_llm):
    tools = [MULTIPLY.metadata.to_openai_tool()]
    for found in (
        calls.complete(emulated_llm, f"Repeat: {CALL}", tools=tools),
        calls.stream_complete(emulated_llm, f"Repeat: {CALL}", tools=tools)[-1],
    ):
        assert found.text == ""
        assert found.additional_kwargs["tool_calls"][0]["function"]["name"] == "multiply"


def test_predict_and_call_runs_the_tools(calls, emulated_llm):
    both = f"Repeat: [{CALL}, {OTHER_CALL}]"
    one = answered(calls.is_async, emulated_llm, "predict_and_call", TOOLS, both)
    assert str(one) == "42"
    all_of_them = answered(
        calls.is_async,
        emulated_llm,
        "predict_and_call",
        TOOLS,
        both,
        allow_parallel_tool_calls=True,
    )
    assert [source.raw_output for source in all_of_them.sources] == [42, "It is sunny in Rome."]
