"""Tools on the real server's wire."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.prompts import PromptTemplate
from llama_index.core.selectors import PydanticMultiSelector, PydanticSingleSelector
from llama_index.core.tools import FunctionTool

from llama_index_monster import MonsterLLM
from monster_core.errors import TruncatedAnswerError
from tests.llama_index.toolbox import MULTIPLY, WEATHER, Box, answered, blocks_of, streamed

pytestmark = pytest.mark.vcr

GEMMA = "google/gemma-2-9b-it"
TOOLS = [MULTIPLY, WEATHER]
ASK = "What is 6 times 7?"
PRODUCT = [("multiply", {"a": 6, "b": 7})]
ONE, SEVERAL = [MULTIPLY], TOOLS


@pytest.mark.parametrize(
    "tools, kwargs",
    [
        (ONE, {}),
        (ONE, {"tool_required": True}),
        (SEVERAL, {}),
        (SEVERAL, {"tool_required": True}),
        (SEVERAL, {"tool_required": True, "allow_parallel_tool_calls": True}),
        (SEVERAL, {"tool_choice": "multiply"}),
        (
            SEVERAL,
            {"tool_choice": {"type": "function", "function": {"name": "multiply"}}},
        ),
    ],
    ids=[
        "one-auto",
        "one-required",
        "several-auto",
        "several-required",
        "several-parallel",
        "several-named",
        "several-by-dict",
    ],
)
def test_a_tool_is_called(calls, monster_llm, tools, kwargs):
    response = answered(calls.is_async, monster_llm, "chat_with_tools", tools, ASK, **kwargs)
    items = streamed(calls.is_async, monster_llm, "stream_chat_with_tools", tools, ASK, **kwargs)
    assert blocks_of(response) == blocks_of(items[-1]) == PRODUCT
    found = [
        monster_llm.get_tool_calls_from_response(item, error_on_no_tool_call=False)
        for item in items
    ]
    assert len({one[0].tool_id for one in found if one}) == 1
    assert found[-1][0].tool_kwargs == {"a": 6, "b": 7}
    assert "".join(item.delta for item in items) == ""
    assert items[-1].raw["usage"]["completion_tokens"] > 0


def test_no_tool_is_called_where_none_may_be(calls, monster_llm):
    kwargs = {"tool_choice": "none"}
    response = answered(calls.is_async, monster_llm, "chat_with_tools", TOOLS, ASK, **kwargs)
    assert response.message.content == f"You said: {ASK}"
    assert blocks_of(response) == []


def test_the_model_may_answer_in_text(calls, monster_llm):
    text = "What is the capital of France?"
    items = streamed(calls.is_async, monster_llm, "stream_chat_with_tools", TOOLS, text)
    assert items[-1].message.content == "".join(item.delta for item in items) == "Paris."
    assert blocks_of(items[-1]) == []


@pytest.mark.parametrize(
    "text, said, called",
    [(ASK, "", PRODUCT), ("Hello!", "no", [])],
    ids=["tool-needed", "no-tool-needed"],
)
def test_a_schema_holds_for_the_text_and_leaves_calls_free(calls, monster_llm, text, said, called):
    args, kwargs = (TOOLS, text), {"guided_choice": ["yes", "no"]}
    response = answered(calls.is_async, monster_llm, "chat_with_tools", *args, **kwargs)
    items = streamed(calls.is_async, monster_llm, "stream_chat_with_tools", *args, **kwargs)
    for item in (response, items[-1]):
        assert (item.message.content, blocks_of(item)) == (said, called)
    assert "".join(item.delta for item in items) == said


@pytest.mark.parametrize("model", ["llama", "gemma"])
def test_a_result_is_answered(calls, monster_llm, model):
    llm = monster_llm if model == "llama" else MonsterLLM(GEMMA, temperature=0)
    asked = ChatMessage(ASK)
    first = answered(
        calls.is_async, llm, "chat_with_tools", TOOLS, chat_history=[asked], tool_required=True
    )
    [call] = llm.get_tool_calls_from_response(first)
    result = ChatMessage("42", role="tool", additional_kwargs={"tool_call_id": call.tool_id})
    history = [asked, first.message, result]
    second = answered(calls.is_async, llm, "chat_with_tools", TOOLS, chat_history=history)
    assert "42" in second.message.content or blocks_of(second) == PRODUCT


def test_predict_and_call(calls, monster_llm):
    assert str(answered(calls.is_async, monster_llm, "predict_and_call", TOOLS, ASK)) == "42"


def test_a_cut_call_says_so(calls, monster_llm):
    kwargs = {"tool_required": True, "max_tokens": 10}
    response = answered(calls.is_async, monster_llm, "chat_with_tools", [MULTIPLY], ASK, **kwargs)
    items = streamed(
        calls.is_async, monster_llm, "stream_chat_with_tools", [MULTIPLY], ASK, **kwargs
    )
    for cut in (response, items[-1]):
        with pytest.raises(TruncatedAnswerError, match="max_tokens cut the arguments"):
            monster_llm.get_tool_calls_from_response(cut)
        [selection] = monster_llm.get_tool_calls_from_response(cut, error_on_no_tool_call=False)
        assert selection.tool_name.startswith("multiply (not run: max_tokens cut")
    for item in items[:-2]:
        monster_llm.get_tool_calls_from_response(item, error_on_no_tool_call=False)


def test_a_tool_of_any_name_is_called(calls, monster_llm):
    box = FunctionTool.from_defaults(Box[str], name="Box[str]", fn_schema=Box[str])
    text = 'A Box_str_ of "tea" that is 12 wide.'
    kwargs = {"tool_choice": "Box[str]"}
    tools = [box, MULTIPLY]
    items = streamed(calls.is_async, monster_llm, "stream_chat_with_tools", tools, text, **kwargs)
    assert blocks_of(items[-1]) == [("Box[str]", {"content": "tea", "width": 12})]


def test_llama_index_s_function_program(calls, monster_llm):
    prompt = PromptTemplate('A box of "{content}" that is 12 wide.')
    program = FunctionCallingProgram.from_defaults(Box[str], prompt=prompt, llm=monster_llm)
    found = answered(
        calls.is_async, program, "call" if calls.is_async else "__call__", content="tea"
    )
    assert found == Box[str](content="tea", width=12)


@pytest.mark.parametrize("selector", [PydanticSingleSelector, PydanticMultiSelector])
def test_llama_index_s_selectors(calls, monster_llm, selector):
    chosen = answered(
        calls.is_async,
        selector.from_defaults(llm=monster_llm),
        "select",
        ["about tea", "about coffee"],
        "Which 1 tells of tea?",
    )
    assert chosen.inds == [0]
