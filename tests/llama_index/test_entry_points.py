from __future__ import annotations

import json

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMCompletionStartEvent,
)
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.prompts import PromptTemplate

from monster_core.errors import InvalidRequestError
from tests.recorded_endpoint import MODEL

PARIS = "The capital of France is Paris."

ENTRY_POINTS = ["chat", "complete", "stream_chat", "stream_complete"]
STREAMS = ["stream_chat", "stream_complete"]


def memory():
    """A memory without the database that LlamaIndex's default one leaves open."""
    return ChatMemoryBuffer(token_limit=1000, tokenizer_fn=str.split)


def last(found):
    return found[-1] if isinstance(found, list) else found


def text_of(response):
    return response.text if hasattr(response, "text") else response.message.content


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_every_entry_point_answers(calls, emulated_llm, name):
    response = last(getattr(calls, name)(emulated_llm))
    assert text_of(response) == PARIS
    assert response.additional_kwargs == {
        "prompt_tokens": 53,
        "completion_tokens": 32,
        "total_tokens": 85,
        "finish_reason": "stop",
        "stop_reason": None,
    }


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_raw_is_plain_json_with_the_usage(calls, emulated_llm, name):
    raw = last(getattr(calls, name)(emulated_llm)).raw
    assert type(raw) is dict
    assert json.loads(json.dumps(raw)) == raw
    assert raw["usage"] == {"prompt_tokens": 53, "completion_tokens": 32, "total_tokens": 85}
    assert raw["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_holds_everything_so_far_and_deltas_add_up(calls, emulated_llm, name):
    items = getattr(calls, name)(emulated_llm)
    assert len(items) > len(PARIS)
    so_far = ""
    for item in items:
        so_far += item.delta
        assert text_of(item) == so_far
    assert so_far == PARIS


def test_every_item_of_a_stream_is_an_assistant_s_message_of_its_own(calls, emulated_llm):
    items = calls.stream_chat(emulated_llm, logprobs=True)
    assert {item.message.role for item in items} == {MessageRole.ASSISTANT}
    for kind in (
        lambda item: item,
        lambda item: item.message,
        lambda item: item.message.blocks,
        lambda item: item.message.blocks[0],
        lambda item: item.raw,
        lambda item: item.raw["choices"],
        lambda item: item.logprobs,
        lambda item: item.additional_kwargs,
    ):
        assert len({id(kind(item)) for item in items}) == len(items)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_without_usage_ends_all_the_same(calls, emulated_llm, name):
    end = getattr(calls, name)(emulated_llm, stream_options={"include_usage": False})[-1]
    assert text_of(end) == PARIS
    assert end.raw["usage"] is None
    assert end.additional_kwargs == {"finish_reason": "stop", "stop_reason": None}


def test_a_response_says_what_ended_it(calls, emulated_llm):
    for response in (
        calls.chat(emulated_llm, stop=["is"]),
        calls.stream_chat(emulated_llm, stop=["is"])[-1],
    ):
        assert response.message.content == "The capital of France "
        assert response.additional_kwargs["finish_reason"] == "stop"
        assert response.additional_kwargs["stop_reason"] == "is"
    cut = calls.complete(emulated_llm, max_tokens=3)
    assert (cut.text, cut.additional_kwargs["finish_reason"]) == ("The", "length")


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_log_probabilities_come_for_every_token(calls, emulated_llm, name):
    tokens = last(getattr(calls, name)(emulated_llm, logprobs=True)).logprobs
    assert "".join(token.token for [token] in tokens).startswith(PARIS)
    assert all(token.logprob <= 0 and token.bytes for [token] in tokens[: len(PARIS)])


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_the_likeliest_tokens_follow_the_token_itself(calls, emulated_llm, name):
    tokens = last(getattr(calls, name)(emulated_llm, top_logprobs=3)).logprobs
    assert "".join(token[0].token for token in tokens).startswith(PARIS)
    assert {len(token) for token in tokens} <= {3, 4}


def test_there_are_no_log_probabilities_unless_asked_for(calls, emulated_llm):
    assert calls.chat(emulated_llm).logprobs is None
    assert calls.stream_chat(emulated_llm)[-1].logprobs is None


def test_of_several_answers_the_first_is_the_response_and_raw_holds_all(calls, emulated_llm):
    response = calls.chat(emulated_llm, n=2, temperature=1)
    assert response.message.content == PARIS
    texts = [choice["message"]["content"] for choice in response.raw["choices"]]
    assert texts == [PARIS, PARIS]


@pytest.mark.parametrize("name", STREAMS)
def test_several_answers_are_not_streamed(calls, emulated_llm, name):
    with pytest.raises(InvalidRequestError, match="n=2 cannot be streamed"):
        getattr(calls, name)(emulated_llm, n=2)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_the_arguments_of_a_call_win(calls, on_emulator, emulator, name):
    llm = on_emulator(max_tokens=20, top_p=0.5, additional_kwargs={"seed": 1})
    getattr(calls, name)(llm, max_tokens=9, top_p=None, seed=2)
    body = emulator.requests[-1].body
    assert (body["max_tokens"], body["seed"]) == (9, 2)
    assert "top_p" not in body
    getattr(calls, name)(llm)
    body = emulator.requests[-1].body
    assert (body["max_tokens"], body["top_p"], body["seed"]) == (20, 0.5, 1)


def test_only_what_is_set_is_sent(calls, emulated_llm, emulator):
    messages = [{"role": "user", "content": "hi"}]
    calls.complete(emulated_llm, "hi")
    assert emulator.requests[-1].body == {"model": MODEL, "messages": messages}
    calls.stream_complete(emulated_llm, "hi")
    assert emulator.requests[-1].body == {
        "model": MODEL,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_the_stream_options_of_the_instance_are_for_its_streams(calls, on_emulator):
    llm = on_emulator(stream_options={"include_usage": False})
    assert calls.chat(llm).message.content == PARIS
    assert "total_tokens" not in calls.stream_chat(llm)[-1].additional_kwargs


@pytest.mark.parametrize("name", ["complete", "stream_complete"])
def test_a_prompt_is_formatted_unless_it_is_already(calls, on_emulator, name):
    llm = on_emulator(completion_to_prompt=lambda prompt: f"Repeat: <{prompt}>")
    call = getattr(calls, name)
    assert last(call(llm, "a")).text == "<a>"
    assert last(call(llm, "Repeat: a", formatted=True)).text == "a"


def test_predict_formats_once_and_begins_with_the_system_prompt(on_emulator, emulator):
    llm = on_emulator(system_prompt="Be brief.")
    assert llm.predict(PromptTemplate("Repeat: {word}"), word="a") == "a"
    assert emulator.requests[-1].body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Repeat: a"},
    ]


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_a_call_is_one_event_with_the_server_s_token_counts(calls, on_emulator, events, name):
    counter = TokenCountingHandler(tokenizer=str.split)
    getattr(calls, name)(on_emulator(callback_manager=CallbackManager([counter])))
    assert len(counter.llm_token_counts) == 1
    assert counter.prompt_llm_token_count == 53
    assert counter.completion_llm_token_count == 32
    kinds = [type(event) for event in events]
    is_chat = name.endswith("chat")
    for kind in (LLMChatStartEvent, LLMChatEndEvent):
        assert kinds.count(kind) == int(is_chat)
    for kind in (LLMCompletionStartEvent, LLMCompletionEndEvent):
        assert kinds.count(kind) == int(not is_chat)


def test_the_rate_limiter_is_asked_once_a_call(calls, on_emulator):
    class Limiter:
        asked = 0

        def acquire(self):
            self.asked += 1

        async def async_acquire(self):
            self.asked += 1

    limiter = Limiter()
    calls.complete(on_emulator(rate_limiter=limiter))
    assert limiter.asked == 1


def test_the_key_stands_in_no_event(calls, on_emulator, emulator, events):
    secret = "very-secret"
    llm = on_emulator(default_headers={"x-gateway": secret})
    calls.chat(llm)
    calls.stream_complete(llm)
    assert events
    shown = [event.model_dump_json() + repr(event) for event in events]
    assert not [text for text in shown if secret in text or emulator.api_key in text]


def test_a_conversation_is_sent_whole(emulated_llm, emulator):
    messages = [
        ChatMessage("You are terse.", role="system"),
        ChatMessage("My name is Ada."),
        ChatMessage("Hello Ada.", role="assistant"),
        ChatMessage("What is my name?"),
    ]
    emulated_llm.chat(messages)
    assert [one["content"] for one in emulator.requests[-1].body["messages"]] == [
        message.content for message in messages
    ]


def test_a_chat_engine_streams(emulated_llm, emulator):
    engine = SimpleChatEngine.from_defaults(llm=emulated_llm, memory=memory())
    assert "".join(engine.stream_chat("Repeat: Ada").response_gen) == "Ada"
    assert "".join(engine.stream_chat("Repeat: Grace").response_gen) == "Grace"
    contents = [one["content"] for one in emulator.requests[-1].body["messages"]]
    assert contents == ["Repeat: Ada", "Ada", "Repeat: Grace"]


async def test_a_chat_engine_streams_async(emulated_llm):
    engine = SimpleChatEngine.from_defaults(llm=emulated_llm, memory=memory())
    answer = await engine.astream_chat("What is the capital of France?")
    assert "".join([delta async for delta in answer.async_response_gen()]) == PARIS


def test_multi_byte_characters_come_whole(calls, emulated_llm):
    items = calls.stream_complete(emulated_llm, "Show me unicode")
    assert items[-1].text == "Grüße, 世界! 😀"
    assert "\ufffd" not in "".join(item.delta for item in items)
