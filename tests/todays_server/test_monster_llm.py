"""MonsterLLM on today's vLLM: each guided answer is valid, each call is the server's own."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, Field

from llama_index_monster import MonsterLLM
from monster_core.errors import TruncatedAnswerError
from tests.todays_server.conftest import get_weather

pytestmark = pytest.mark.vcr

WEATHER = "What is the weather in Paris?"
CAPITAL = "What is the capital of France?"
TOOL = FunctionTool.from_defaults(get_weather)


class Song(BaseModel):
    """A song."""

    title: str = Field(max_length=20)
    minutes: int = Field(ge=1, le=9)
    mood: Literal["glad", "sad"]


def asked_before(city: str, number: str) -> list[ChatMessage]:
    """Return a question about a city, and how it was answered."""
    called = ToolCallBlock(tool_call_id=number, tool_name="get_weather", tool_kwargs={"city": city})
    return [
        ChatMessage(f"What is the weather in {city}?"),
        ChatMessage(role="assistant", blocks=[called]),
        ChatMessage("5 degrees", role="tool", additional_kwargs={"tool_call_id": number}),
        ChatMessage("5 degrees.", role="assistant"),
    ]


EARLIER = [*asked_before("Oslo", "1"), *asked_before("Rome", "2")]
"""A conversation after which the model calls, as it did before."""

PROMPT = PromptTemplate("Make up a {mood} song.")


def test_it_answers(llm: MonsterLLM) -> None:
    assert "Paris" in (llm.chat([ChatMessage(CAPITAL)]).message.content or "")


def test_it_completes(llm: MonsterLLM) -> None:
    assert "Paris" in llm.complete(CAPITAL).text


async def test_it_streams(llm: MonsterLLM) -> None:
    pieces = [piece async for piece in await llm.astream_chat([ChatMessage(CAPITAL)])]
    assert "".join(piece.delta or "" for piece in pieces) == pieces[-1].message.content


def test_it_tells_how_likely_tokens_are(llm: MonsterLLM) -> None:
    response = llm.chat([ChatMessage("Say hi.")], logprobs=True, top_logprobs=2, max_tokens=3)
    assert response.logprobs is not None
    assert [len(tokens) for tokens in response.logprobs] == [2, 2, 2]


@pytest.mark.parametrize(
    "guide, valid",
    [
        ({"guided_choice": ["north", "south"]}, {"north", "south"}),
        ({"guided_regex": "(up|down)"}, {"up", "down"}),
        ({"guided_grammar": 'start: "up" | "down"'}, {"up", "down"}),
    ],
)
def test_it_keeps_a_guide(llm: MonsterLLM, guide: dict[str, Any], valid: set[str]) -> None:
    assert llm.complete("Where to?", **guide).text in valid


def test_it_predicts_a_shape(llm: MonsterLLM) -> None:
    assert isinstance(llm.structured_predict(Song, PROMPT, mood="glad"), Song)


async def test_it_predicts_a_shape_async(llm: MonsterLLM) -> None:
    assert isinstance(await llm.astructured_predict(Song, PROMPT, mood="sad"), Song)


def test_it_streams_a_shape(llm: MonsterLLM) -> None:
    *_, last = llm.stream_structured_predict(Song, PROMPT, mood="merry")
    assert isinstance(last, BaseModel)
    Song.model_validate(last.model_dump())


def test_it_forces_a_call(llm: MonsterLLM) -> None:
    response = llm.chat_with_tools([TOOL], user_msg=WEATHER, tool_required=True)
    (call,) = llm.get_tool_calls_from_response(response)
    assert (call.tool_name, call.tool_kwargs.keys()) == ("get_weather", {"city"})


async def test_it_streams_a_forced_call(llm: MonsterLLM) -> None:
    stream = await llm.astream_chat_with_tools([TOOL], user_msg=WEATHER, tool_required=True)
    pieces = [piece async for piece in stream]
    (call,) = llm.get_tool_calls_from_response(pieces[-1])
    assert (call.tool_name, call.tool_kwargs.keys()) == ("get_weather", {"city"})


def test_the_model_calls_by_itself(llm: MonsterLLM) -> None:
    response = llm.chat_with_tools([TOOL], user_msg=WEATHER, chat_history=EARLIER)
    (call,) = llm.get_tool_calls_from_response(response)
    assert (call.tool_name, call.tool_kwargs.keys()) == ("get_weather", {"city"})
    assert response.raw is not None


def test_a_call_that_is_not_made_is_not_there(llm: MonsterLLM) -> None:
    response = llm.chat_with_tools([TOOL], user_msg="Hello!")
    assert llm.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
    assert response.message.content


@pytest.mark.parametrize("max_tokens", [2, 12, 18])
def test_a_cut_call_is_not_run(llm: MonsterLLM, max_tokens: int) -> None:
    response = llm.chat_with_tools(
        [TOOL], user_msg=WEATHER, tool_required=True, max_tokens=max_tokens
    )
    with pytest.raises(TruncatedAnswerError, match="max_tokens cut the arguments"):
        llm.get_tool_calls_from_response(response)


def test_a_cut_shape_is_an_error(llm: MonsterLLM) -> None:
    with pytest.raises(TruncatedAnswerError):
        llm.structured_predict(Song, PROMPT, {"max_tokens": 3}, mood="short")
