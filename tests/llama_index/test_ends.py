"""How calls end early: cut or refused. How they are left or cancelled is in tests/endurance."""

from __future__ import annotations

import httpx
import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock

from llama_index_monster import MonsterLLM
from monster_core.errors import (
    ContextOverflowError,
    InvalidRequestError,
    MonsterError,
    NotFoundError,
    StreamInterruptedError,
)

COUNT = [ChatMessage("Count to 500")]


def test_a_stream_that_is_not_read_sends_nothing(emulated_llm, emulator):
    before = len(emulator.requests)
    emulated_llm.stream_chat(COUNT)
    assert len(emulator.requests) == before


def test_a_cut_stream_yields_what_it_had_and_raises(calls):
    events = b"".join(
        b'data: {"id": "1", "choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n' % text
        for text in (b"Hel", b"lo")
    )
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=events))
    llm = MonsterLLM(
        api_base="http://127.0.0.1:9/v1",
        api_key="k",
        http_client=httpx.Client(transport=transport),
        async_http_client=httpx.AsyncClient(transport=transport),
    )
    with pytest.raises(StreamInterruptedError) as raised:
        calls.stream_chat(llm)
    assert raised.value.partial_text == "Hello"
    seen = []
    with pytest.raises(StreamInterruptedError):
        seen.extend(item.message.content for item in llm.stream_chat(COUNT))
    assert seen == ["Hel", "Hello"]


@pytest.mark.parametrize("name", ["chat", "stream_chat"])
def test_errors_of_the_server_have_their_classes(calls, on_emulator, name):
    call = getattr(calls, name)
    with pytest.raises(NotFoundError):
        call(on_emulator(model="unknown"))
    with pytest.raises(ContextOverflowError):
        call(on_emulator(max_tokens=10_000))


@pytest.mark.parametrize(
    "kwargs, said",
    [
        ({"temprature": 0}, "'temprature': did you mean 'temperature'"),
        ({"temperature": -1}, "'temperature' is not usable"),
        ({"logit_bias": {"a": 1}}, "not a token id"),
        ({"guided_regex": "("}, "does not compile"),
        ({"best_of": 1, "n": 2}, "best_of 1 is less than n 2"),
    ],
)
def test_what_the_server_would_refuse_is_refused_unsent(
    calls, emulated_llm, emulator, kwargs, said
):
    before = len(emulator.requests)
    for call in (calls.chat, calls.complete):
        with pytest.raises(InvalidRequestError, match=said) as raised:
            call(emulated_llm, **kwargs)
        assert isinstance(raised.value, ValueError)
    assert len(emulator.requests) == before


def test_a_stream_is_refused_at_the_call_and_not_at_its_first_item(emulated_llm):
    with pytest.raises(InvalidRequestError):
        emulated_llm.stream_chat(COUNT, temperature=-1)


def test_a_second_image_is_refused(emulated_llm):
    image = ChatMessage(blocks=[ImageBlock(url="https://example.org/a.png")])
    with pytest.raises(InvalidRequestError, match="image"):
        emulated_llm.chat([image, image])


def test_an_empty_conversation_is_refused(emulated_llm):
    with pytest.raises(MonsterError, match="at least one"):
        emulated_llm.chat([])


async def test_context_managers_close_and_a_later_call_works(on_emulator):
    async with on_emulator() as llm:
        assert (await llm.acomplete("Repeat: a")).text == "a"
    with llm:
        assert llm.complete("Repeat: b").text == "b"
    assert llm.complete("Repeat: c").text == "c"
    llm.close()
