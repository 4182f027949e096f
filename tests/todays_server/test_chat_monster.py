"""ChatMonster on today's vLLM: each guided answer is valid, each call is the server's own."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any, Literal

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from pydantic import BaseModel, Field

from langchain_monster import ChatMonster
from langchain_monster.errors import BadRequestError, TruncatedAnswerError
from tests.todays_server.conftest import get_weather

pytestmark = pytest.mark.vcr

WEATHER = "What is the weather in Rome?"


class Person(BaseModel):
    """Somebody."""

    name: str = Field(max_length=20)
    age: int = Field(ge=0, le=120)
    mood: Literal["glad", "sad"]


METHODS = ("json_schema", "function_calling", "json_mode")
ABOUT_ANA = "Ana is 34 and glad. Answer in JSON with the keys name, age and mood."

EARLIER: list[BaseMessage] = [
    HumanMessage("What is the weather in Oslo?"),
    AIMessage("", tool_calls=[{"name": "get_weather", "args": {"city": "Oslo"}, "id": "1"}]),
    ToolMessage("3 degrees in Oslo", tool_call_id="1"),
    AIMessage("3 degrees."),
    HumanMessage("What is the weather in Paris?"),
    AIMessage("", tool_calls=[{"name": "get_weather", "args": {"city": "Paris"}, "id": "2"}]),
    ToolMessage("15 degrees in Paris", tool_call_id="2"),
    AIMessage("15 degrees."),
    HumanMessage(WEATHER),
]
"""A conversation after which the model calls, as it did before."""


def test_it_answers(chat: ChatMonster) -> None:
    answer = chat.invoke("What is the capital of France?")
    assert "Paris" in answer.text
    assert answer.usage_metadata is not None


async def test_it_streams(chat: ChatMonster) -> None:
    chunks = [chunk async for chunk in chat.astream("What is the capital of France?")]
    assert "Paris" in "".join(chunk.text for chunk in chunks)
    assert len([chunk for chunk in chunks if chunk.usage_metadata]) == 1


def test_it_tells_how_likely_tokens_are(chat: ChatMonster) -> None:
    answer = chat.invoke("Say hello.", logprobs=True, top_logprobs=2, max_tokens=3)
    tokens = answer.response_metadata["logprobs"]["content"]
    assert [len(token["top_logprobs"]) for token in tokens] == [2, 2, 2]


@pytest.mark.parametrize(
    "guide, valid",
    [
        ({"guided_choice": ["red", "blue"]}, {"red", "blue"}),
        ({"guided_regex": "(yes|no)"}, {"yes", "no"}),
        ({"guided_grammar": 'start: "yes" | "no"'}, {"yes", "no"}),
        ({"guided_json": {"enum": [1, 2]}}, {"1", "2"}),
    ],
)
def test_it_keeps_a_guide(chat: ChatMonster, guide: dict[str, Any], valid: set[str]) -> None:
    assert chat.invoke("Answer.", **guide).text in valid


@pytest.mark.parametrize("method", METHODS)
def test_it_answers_in_a_shape(chat: ChatMonster, method: Any) -> None:
    asked = chat.with_structured_output(Person, method=method, include_raw=True)
    answer = asked.invoke(ABOUT_ANA)
    assert isinstance(answer, dict)
    if method == "json_mode":  # any JSON object, which the model is only asked to shape
        assert answer["parsing_error"] is None or answer["raw"].text.startswith("{")
    else:
        assert isinstance(answer["parsed"], Person)


def test_it_streams_a_shape(chat: ChatMonster) -> None:
    *_, last = chat.with_structured_output(Person).stream(ABOUT_ANA)
    assert isinstance(last, Person)


@pytest.mark.parametrize("choice", ["any", "get_weather"])
def test_it_forces_a_call(chat: ChatMonster, choice: str) -> None:
    (call,) = chat.bind_tools([get_weather], tool_choice=choice).invoke(WEATHER).tool_calls
    assert call["name"] == "get_weather"
    assert call["args"].keys() == {"city"}


@pytest.mark.parametrize("choice", ["any", "get_weather"])
async def test_it_streams_a_forced_call(chat: ChatMonster, choice: str) -> None:
    asked = chat.bind_tools([get_weather], tool_choice=choice)
    chunks = [chunk async for chunk in asked.astream(WEATHER)]
    message = reduce(add, chunks)
    (call,) = message.tool_calls
    assert call["args"].keys() == {"city"}
    assert len([chunk for chunk in chunks if chunk.tool_call_chunks]) > 2


def test_the_model_calls_by_itself(chat: ChatMonster) -> None:
    answer = chat.bind_tools([get_weather]).invoke(EARLIER)
    assert [(call["name"], call["args"].keys()) for call in answer.tool_calls] == [
        ("get_weather", {"city"})
    ]


def test_the_model_calls_by_itself_in_a_stream(chat: ChatMonster) -> None:
    message = reduce(add, chat.bind_tools([get_weather]).stream(EARLIER))
    assert [call["name"] for call in message.tool_calls] == ["get_weather"]


@pytest.mark.parametrize("max_tokens", [2, 12, 18])
def test_a_cut_call_is_invalid(chat: ChatMonster, max_tokens: int) -> None:
    asked = chat.bind_tools([get_weather], tool_choice="any")
    answer = asked.invoke(WEATHER, max_tokens=max_tokens)
    assert answer.tool_calls == []
    assert answer.response_metadata["finish_reason"] == "length"


@pytest.mark.parametrize("max_tokens", [2, 12, 18])
def test_a_cut_call_in_a_stream_is_invalid(chat: ChatMonster, max_tokens: int) -> None:
    asked = chat.bind_tools([get_weather], tool_choice="any")
    message = reduce(add, asked.stream(WEATHER, max_tokens=max_tokens))
    assert message.tool_calls == []


def test_a_cut_shape_is_an_error(chat: ChatMonster) -> None:
    asked = chat.model_copy(update={"max_tokens": 3}).with_structured_output(Person)
    with pytest.raises(TruncatedAnswerError):
        asked.invoke(ABOUT_ANA)


def test_a_refusal_is_told(chat: ChatMonster) -> None:
    with pytest.raises(BadRequestError, match="maximum context length is 8192"):
        chat.invoke("a b c d " * 2500)
