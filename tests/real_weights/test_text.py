"""Text of real tokens: of several bytes, of half a character, with real log probabilities."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from llama_index.core.llms import ChatMessage

from tests.real_weights.models import chat_monster, monster_llm

pytestmark = pytest.mark.vcr

CAPITAL = "What is the capital of France?"
CHINESE = "Write three Chinese characters and three emojis."
QUESTIONS = [
    CAPITAL,
    CHINESE,
    "Write a haiku about the sea.",
    "Was ist die Hauptstadt von Österreich?",
]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_stream_is_the_whole_answer_in_pieces(question: str) -> None:
    chat, llm = chat_monster(), monster_llm()
    whole = chat.invoke(question)
    assert whole.text
    assert "\ufffd" not in whole.text
    assert "".join(chunk.text for chunk in chat.stream(question)) == whole.text
    assert "".join([chunk.text async for chunk in chat.astream(question)]) == whole.text
    assert llm.chat([ChatMessage(question)]).message.content == whole.text
    last: Any = [response async for response in await llm.astream_complete(question)][-1]
    assert last.text == whole.text


@pytest.mark.parametrize("question", [CAPITAL, CHINESE])
def test_log_probabilities_of_every_token_arrive_whole_and_streamed(question: str) -> None:
    chat = chat_monster(logprobs=True, top_logprobs=2)
    whole = chat.invoke(question)
    tokens = whole.response_metadata["logprobs"]["content"]
    assert whole.usage_metadata is not None
    # the token that ends the answer is counted, and may have no log probability
    assert whole.usage_metadata["output_tokens"] - len(tokens) in (0, 1)
    assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) >= 2 for token in tokens)
    added: Any = None
    for chunk in chat.stream(question):
        added = chunk if added is None else added + chunk
    streamed = added.response_metadata["logprobs"]["content"]
    assert [token["token"] for token in streamed] == [token["token"] for token in tokens]
    pairs = zip(streamed, tokens, strict=True)
    assert all(math.isclose(one["logprob"], two["logprob"], abs_tol=0.01) for one, two in pairs)


def test_log_probabilities_of_every_token_arrive_in_llama_index() -> None:
    response = monster_llm(logprobs=True, top_logprobs=2).chat([ChatMessage(CAPITAL)])
    assert response.logprobs
    assert "".join(one[0].token for one in response.logprobs).strip() == response.message.content


def test_an_answer_that_max_tokens_cuts_says_so() -> None:
    answer = chat_monster(max_tokens=5).invoke("Write a haiku about the sea.")
    assert answer.response_metadata["finish_reason"] == "length"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 5


def test_a_stop_text_ends_the_answer_before_it_whole_and_streamed() -> None:
    chat = chat_monster(stop=["Paris"])
    whole = chat.invoke(CAPITAL)
    assert "Paris" not in whole.text
    assert whole.response_metadata["stop_reason"] == "Paris"
    assert "".join(chunk.text for chunk in chat.stream(CAPITAL)) == whole.text


def test_several_answers_differ_in_what_the_model_says() -> None:
    chat = chat_monster(n=3, temperature=1, seed=7, max_tokens=20)
    (generations,) = chat.generate([[HumanMessage("Name an animal.")]]).generations
    assert len(generations) == 3
    assert len({generation.text for generation in generations}) > 1


def test_a_prompt_beyond_the_context_window_is_counted_by_the_server() -> None:
    from langchain_monster.errors import ContextOverflowError

    with pytest.raises(ContextOverflowError) as caught:
        chat_monster().invoke("sea " * 9000)
    assert caught.value.context_window == 8192
    assert caught.value.prompt_tokens is not None
    assert caught.value.prompt_tokens > 9000
