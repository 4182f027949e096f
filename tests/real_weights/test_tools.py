"""Tools with a model that is weak at following instructions: near misses, and forced calls."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool

from langchain_monster import ChatMonster
from tests.real_weights.models import HERMES, LLAMA, MISTRAL, SMOLLM2, chat_monster, monster_llm

pytestmark = pytest.mark.vcr

NAMES = [SMOLLM2, LLAMA, HERMES, MISTRAL]
QUESTION = "What is the weather in Rome?"


def get_weather(city: str) -> str:
    """Look up the weather in a city.

    Args:
        city: The name of the city.
    """
    return f"22 degrees in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    return a + b


def streamed(model: Any, question: str) -> Any:
    added: Any = None
    for chunk in model.stream(question):
        added = chunk if added is None else added + chunk
    return added


def read(message: Any) -> Any:
    calls = [(call["name"], call["args"]) for call in message.tool_calls]
    return calls, [call["name"] for call in message.invalid_tool_calls], message.text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("question", [QUESTION, "What is 21 plus 21?", "Say hello."])
def test_what_the_model_writes_is_read_alike_whole_and_streamed(name: str, question: str) -> None:
    model = chat_monster(name).bind_tools([get_weather, add])
    whole = model.invoke(question)
    assert read(streamed(model, question)) == read(whole)
    offered = {"get_weather", "add"}
    assert all(call["name"] in offered for call in whole.tool_calls)
    assert whole.tool_calls or whole.invalid_tool_calls or whole.text


@pytest.mark.parametrize("name", NAMES)
def test_the_same_is_read_in_llama_index(name: str) -> None:
    tools = [FunctionTool.from_defaults(get_weather), FunctionTool.from_defaults(add)]
    llm = monster_llm(name)
    response = llm.chat_with_tools(tools, user_msg=QUESTION)
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    last = list(llm.stream_chat_with_tools(tools, user_msg=QUESTION))[-1]
    again = llm.get_tool_calls_from_response(last, error_on_no_tool_call=False)
    assert [(call.tool_name, call.tool_kwargs) for call in again] == [
        (call.tool_name, call.tool_kwargs) for call in calls
    ]
    assert last.message.content == response.message.content


@pytest.mark.parametrize("choice", ["get_weather", "any"])
def test_a_forced_call_is_whole_and_fits_its_schema(choice: str) -> None:
    tools = [get_weather] if choice == "get_weather" else [get_weather, add]
    model = chat_monster(LLAMA, max_tokens=80).bind_tools(tools, tool_choice=choice)
    whole = model.invoke(QUESTION)
    assert len(whole.tool_calls) >= 1
    assert not whole.invalid_tool_calls
    expected = {"get_weather": {"city": str}, "add": {"a": int, "b": int}}
    for call in whole.tool_calls:
        types = {name: type(value) for name, value in call["args"].items()}
        assert types == expected[call["name"]]
    assert read(streamed(model, QUESTION)) == read(whole)


def test_a_forced_call_that_is_cut_is_never_run() -> None:
    model = chat_monster(LLAMA, max_tokens=3).bind_tools([get_weather], tool_choice="get_weather")
    for message in (model.invoke(QUESTION), streamed(model, QUESTION)):
        assert message.tool_calls == []
        assert [call["name"] for call in message.invalid_tool_calls] == ["get_weather"]


def test_a_forced_call_in_llama_index_runs_its_tool() -> None:
    tool = FunctionTool.from_defaults(get_weather)
    response = monster_llm(LLAMA, max_tokens=80).predict_and_call(
        [tool], user_msg=ChatMessage(QUESTION), tool_required=True
    )
    assert "22 degrees in" in str(response)


def test_a_conversation_with_a_result_goes_on() -> None:
    model: ChatMonster = chat_monster(LLAMA)
    answer = model.bind_tools([get_weather]).invoke(
        [
            ("user", QUESTION),
            (
                "ai",
                [{"type": "tool_use", "id": "1", "name": "get_weather", "input": {"city": "Rome"}}],
            ),  # type: ignore[list-item]
            {"role": "tool", "content": "22 degrees in Rome", "tool_call_id": "1"},  # type: ignore[list-item]
        ]
    )
    assert answer.text or answer.tool_calls
