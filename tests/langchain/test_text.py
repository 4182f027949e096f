"""Text, whole and streamed, as a real vLLM 0.5.0 server sends it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import ModelNotFoundError
from langchain_core.messages import HumanMessage

from langchain_monster import ChatMonster
from tests.langchain.answering import Way, collected, every_way, summed
from tests.langchain.test_tracing import Recorder
from tests.recorded_endpoint import MODEL

pytestmark = pytest.mark.vcr

CAPITAL = "What is the capital of France?"
JOKE = "Tell me a joke."
UNICODE = "Say something in unicode with an emoji."


@pytest.fixture
def llm() -> ChatMonster:
    return ChatMonster(model=MODEL, temperature=0)


def test_a_whole_answer(llm: ChatMonster) -> None:
    answer = llm.invoke(CAPITAL)
    assert answer.text == "Paris."
    assert str(answer.id).startswith("lc_run--")
    assert answer.response_metadata["id"].startswith("cmpl-")
    assert answer.usage_metadata == {"input_tokens": 53, "output_tokens": 7, "total_tokens": 60}
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["model_name"] == MODEL


@every_way
async def test_a_streamed_answer(llm: ChatMonster, way: Way) -> None:
    heard = Recorder()
    chunks = await collected(llm, way, JOKE, config={"callbacks": [heard]})
    whole = summed(chunks)
    assert whole.text == "Why was the cat on the computer? To keep an eye on the mouse."
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata] == [
        {"input_tokens": 38, "output_tokens": 62, "total_tokens": 100}
    ]
    assert whole.response_metadata["finish_reason"] == "stop"
    assert [chunk.chunk_position for chunk in chunks][-2:] == [None, "last"]
    assert heard.tokens == [chunk.text for chunk in chunks]
    [[generation]] = [one for result in heard.ended for one in result.generations]
    assert generation.message.usage_metadata["total_tokens"] == 100


@every_way
async def test_characters_of_several_bytes_come_whole_with_a_probability_for_each_token(
    llm: ChatMonster, way: Way
) -> None:
    chunks = await collected(llm, way, UNICODE, top_logprobs=1)
    whole = summed(chunks)
    assert whole.text == "Grüße, 世界! 😀 naïve café"
    assert "�" not in "".join(chunk.text for chunk in chunks)
    told = llm.invoke(UNICODE, top_logprobs=1).response_metadata["logprobs"]["content"]
    streamed = whole.response_metadata["logprobs"]["content"]
    assert [one["token"] for one in streamed] == [one["token"] for one in told]
    assert len(told) == 35  # a token for each of 34 bytes, and one for the end
    assert all(len(one["top_logprobs"]) >= 1 for one in streamed)


def test_what_ends_an_answer_is_told(llm: ChatMonster) -> None:
    answer = llm.invoke("Count to 5.", stop=["3"])
    assert "3" not in answer.text
    assert answer.response_metadata["stop_reason"] == "3"
    assert answer.response_metadata["finish_reason"] == "stop"
    answer = llm.invoke(JOKE, max_tokens=3)
    assert answer.text == "Why"
    assert answer.response_metadata["finish_reason"] == "length"


def test_a_calls_argument_wins() -> None:
    llm = ChatMonster(model=MODEL, temperature=0, max_tokens=3)
    assert llm.invoke(JOKE, max_tokens=7).text == "Why was"
    assert llm.invoke(JOKE, max_tokens=None).text.endswith("mouse.")


def test_several_answers() -> None:
    sampled = ChatMonster(model=MODEL, temperature=1.0, seed=1, n=2)
    result: Any = sampled.generate([[HumanMessage(CAPITAL)]]).generations[0]
    assert len({one.message.id for one in result}) == 2


def test_an_unknown_model_is_told_with_what_to_do() -> None:
    with pytest.raises(ModelNotFoundError, match="Check the model's name"):
        ChatMonster(model="gpt-9").invoke("Hello")
