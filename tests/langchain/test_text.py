"""Text, whole and streamed, as a real vLLM 0.5.0 server sends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelNotFoundError
from langchain_core.messages import AIMessageChunk, HumanMessage

from langchain_monster import ChatMonster
from tests.recorded_endpoint import MODEL

pytestmark = pytest.mark.vcr

CAPITAL = "What is the capital of France?"
JOKE = "Tell me a joke."
UNICODE = "Say something in unicode with an emoji."

Collect = Callable[..., Awaitable[list[AIMessageChunk]]]


class Heard(BaseCallbackHandler):
    """Keeps what callbacks were told."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.usages: list[Any] = []

    def on_llm_new_token(self, token: str, **_: Any) -> None:
        self.tokens.append(token)

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.usages.append(response.generations[0][0].message.usage_metadata)


@pytest.fixture(params=[False, True], ids=["stream", "astream"])
def collect(request: pytest.FixtureRequest) -> Collect:
    """Return what streams an answer, without or with async."""

    async def collected(llm: ChatMonster, text: str, **kwargs: Any) -> list[Any]:
        if request.param:
            return [chunk async for chunk in llm.astream(text, **kwargs)]
        return list(llm.stream(text, **kwargs))

    return collected


@pytest.fixture
def llm() -> ChatMonster:
    return ChatMonster(model=MODEL, temperature=0)


def added_up(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


def test_a_whole_answer(llm: ChatMonster) -> None:
    answer = llm.invoke(CAPITAL)
    assert answer.text == "Paris."
    assert answer.id is not None
    assert answer.id.startswith("lc_run--")
    assert answer.response_metadata["id"].startswith("cmpl-")
    assert answer.usage_metadata == {"input_tokens": 53, "output_tokens": 7, "total_tokens": 60}
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["model_name"] == MODEL


async def test_a_streamed_answer(llm: ChatMonster, collect: Collect) -> None:
    chunks = await collect(llm, JOKE)
    whole = added_up(chunks)
    assert whole.text == "Why was the cat on the computer? To keep an eye on the mouse."
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata] == [
        {"input_tokens": 38, "output_tokens": 62, "total_tokens": 100}
    ]
    assert whole.response_metadata["finish_reason"] == "stop"
    assert [chunk.chunk_position for chunk in chunks][-2:] == [None, "last"]


async def test_callbacks_hear_each_piece_once_and_the_usage_once(
    llm: ChatMonster, collect: Collect
) -> None:
    heard = Heard()
    chunks = await collect(llm, JOKE, config={"callbacks": [heard]})
    assert heard.tokens == [chunk.text for chunk in chunks]
    assert [usage["total_tokens"] for usage in heard.usages] == [100]


async def test_characters_of_several_bytes_come_whole(llm: ChatMonster, collect: Collect) -> None:
    chunks = await collect(llm, UNICODE)
    assert added_up(chunks).text == "Grüße, 世界! 😀 naïve café"
    assert "�" not in "".join(chunk.text for chunk in chunks)


async def test_log_probabilities_come_for_every_token(llm: ChatMonster, collect: Collect) -> None:
    chunks = await collect(llm, UNICODE, top_logprobs=1)
    streamed = added_up(chunks).response_metadata["logprobs"]["content"]
    told = llm.invoke(UNICODE, top_logprobs=1).response_metadata["logprobs"]["content"]
    assert [one["token"] for one in streamed] == [one["token"] for one in told]
    assert len(told) == 35  # a token for each of 34 bytes, and one for the end
    assert all(len(one["top_logprobs"]) >= 1 for one in streamed)


def test_a_stop_text_is_told(llm: ChatMonster) -> None:
    answer = llm.invoke("Count to 5.", stop=["3"])
    assert "3" not in answer.text
    assert answer.response_metadata["stop_reason"] == "3"
    assert answer.response_metadata["finish_reason"] == "stop"


def test_a_cut_answer_is_told(llm: ChatMonster) -> None:
    answer = llm.invoke(JOKE, max_tokens=3)
    assert answer.text == "Why"
    assert answer.response_metadata["finish_reason"] == "length"


def test_a_calls_argument_wins() -> None:
    llm = ChatMonster(model=MODEL, temperature=0, max_tokens=3)
    assert llm.invoke(JOKE).text == "Why"
    assert llm.invoke(JOKE, max_tokens=7).text == "Why was"
    assert llm.invoke(JOKE, max_tokens=None).text.endswith("mouse.")


def test_several_answers() -> None:
    sampled = ChatMonster(model=MODEL, temperature=1.0, seed=1, n=2)
    (result,) = sampled.generate([[HumanMessage(CAPITAL)]]).generations
    assert [one.message.id is not None for one in result] == [True, True]
    assert len({one.message.id for one in result}) == 2
    usages = [one.message.usage_metadata for one in result]
    assert usages[0] is not None
    assert usages[1] is None


async def test_batches_keep_their_order(llm: ChatMonster) -> None:
    questions = [CAPITAL, JOKE, CAPITAL]
    whole = [answer.text for answer in llm.batch(questions)]
    assert whole == [answer.text for answer in await llm.abatch(questions)]
    assert whole[0] == whole[2] == "Paris."
    assert whole[1].startswith("Why")


def test_one_of_several_texts(llm: ChatMonster) -> None:
    assert llm.invoke(CAPITAL, guided_choice=["Rome", "Paris"]).text in ("Rome", "Paris")


def test_an_unknown_model_is_told_with_what_to_do() -> None:
    with pytest.raises(ModelNotFoundError, match="Check the model's name"):
        ChatMonster(model="gpt-9").invoke("Hello")
