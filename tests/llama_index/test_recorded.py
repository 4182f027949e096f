"""The real server's wire."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler

from llama_index_monster import MonsterLLM
from monster_core.errors import BadRequestError, ContextOverflowError, NotFoundError
from tests.recorded_endpoint import MODEL

pytestmark = pytest.mark.vcr


def test_chat(calls, monster_llm):
    response = calls.chat(monster_llm)
    assert response.message.content == "Paris."
    assert response.message.role == "assistant"
    usage = response.raw["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert {name: response.additional_kwargs[name] for name in usage} == usage
    assert response.additional_kwargs["finish_reason"] == "stop"


def test_complete(calls, monster_llm):
    response = calls.complete(monster_llm)
    assert response.text == "Paris."
    assert response.additional_kwargs["total_tokens"] == response.raw["usage"]["total_tokens"]


@pytest.mark.parametrize("name", ["stream_chat", "stream_complete"])
def test_streams_add_up_and_end_with_the_usage(calls, monster_llm, name):
    items = getattr(calls, name)(monster_llm)
    assert "".join(item.delta for item in items) == str(items[-1]).removeprefix("assistant: ")
    assert "Paris" in str(items[-1])
    assert items[-1].additional_kwargs["finish_reason"] == "stop"
    assert items[-1].raw["usage"]["completion_tokens"] > 0


def test_log_probabilities(calls, monster_llm):
    full = calls.chat(monster_llm, top_logprobs=2)
    assert "".join(token[0].token for token in full.logprobs).startswith("Paris.")
    assert all(len(token) >= 2 for token in full.logprobs)


def test_streamed_log_probabilities(calls, monster_llm):
    end = calls.stream_chat(monster_llm, logprobs=True)[-1]
    assert "".join(token[0].token for token in end.logprobs).startswith("Paris.")


def test_a_stop_text_is_told(calls, monster_llm):
    response = calls.complete(monster_llm, stop=["ris"])
    assert response.text == "Pa"
    assert response.additional_kwargs["stop_reason"] == "ris"


def test_several_answers(calls):
    response = calls.chat(MonsterLLM(MODEL, temperature=1, seed=1), n=2)
    first, second = response.raw["choices"]
    assert response.message.content == first["message"]["content"]
    assert second["index"] == 1


@pytest.mark.parametrize(
    "field",
    [
        {"guided_choice": ["yes", "no"]},
        {"guided_regex": "(yes|no)"},
        {"guided_json": {"type": "string", "enum": ["yes", "no"]}},
    ],
    ids=lambda field: next(iter(field)),
)
def test_guided_answers(calls, monster_llm, field):
    assert calls.complete(monster_llm, "Is water wet?", **field).text.strip('"') in ("yes", "no")


def test_every_kind_of_text_block_reaches_the_server(monster_llm):
    messages = [
        ChatMessage("You answer with one word.", role="developer"),
        ChatMessage(blocks=[TextBlock(text="Hello."), TextBlock(text="I am Ada.")]),
        ChatMessage("Hello Ada.", role="model"),
        ChatMessage("What is the capital of France?"),
    ]
    assert monster_llm.chat(messages).message.content == "Paris."


def test_the_server_s_token_counts_reach_llama_index_s_counter(calls):
    counter = TokenCountingHandler(tokenizer=lambda text: [0] * 1000)
    llm = MonsterLLM(MODEL, temperature=0, callback_manager=CallbackManager([counter]))
    end = calls.stream_complete(llm)[-1]
    assert counter.total_llm_token_count == end.raw["usage"]["total_tokens"]


def test_the_context_window_is_discovered(calls, monster_llm):
    assert calls.discover_context_window(monster_llm) == 8192


def test_an_unknown_model_is_not_found(calls):
    with pytest.raises(NotFoundError, match="models"):
        calls.chat(MonsterLLM("no-such-model"))


def test_too_long_an_answer_overflows_the_context(calls, monster_llm):
    with pytest.raises(ContextOverflowError, match="max_tokens"):
        calls.stream_chat(monster_llm, max_tokens=100_000)


def test_an_image_is_refused_by_a_model_of_text(monster_llm):
    image = ImageBlock(url="https://example.org/a.png")
    with pytest.raises(BadRequestError):
        monster_llm.chat([ChatMessage(blocks=[TextBlock(text="What is it?"), image])])
