"""How calls end early: left, cancelled, cut or refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock

from llama_index_monster import MonsterLLM
from monster_core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    ContextOverflowError,
    InvalidRequestError,
    MonsterError,
    NotFoundError,
    StreamInterruptedError,
)
from monster_emulator import Emulator
from tests.recorded_endpoint import MODEL

COUNT = [ChatMessage("Count to 500")]


@pytest.fixture
def slow() -> Iterator[Emulator]:
    with Emulator(model=MODEL, pace=0.01) as emulator:
        yield emulator


@pytest.fixture
def slow_llm(slow: Emulator) -> MonsterLLM:
    return MonsterLLM(MODEL, api_base=slow.base_url, api_key=slow.api_key)


def is_left(emulator: Emulator) -> bool:
    """Wait until the emulator has seen its client leave."""
    end = time.monotonic() + 2
    while not emulator.aborted and time.monotonic() < end:
        time.sleep(0.005)
    return emulator.aborted == 1 and emulator.in_progress == 0


def test_leaving_a_stream_frees_the_server(slow, slow_llm):
    for item in slow_llm.stream_chat(COUNT):
        if item.delta:
            break
    assert is_left(slow)


def test_leaving_a_completion_frees_the_server(slow, slow_llm):
    for item in slow_llm.stream_complete("Count to 500"):
        if item.delta:
            break
    assert is_left(slow)


@pytest.mark.parametrize("name", ["astream_chat", "astream_complete"])
async def test_leaving_an_async_stream_frees_the_server(slow, slow_llm, name):
    given = COUNT if name == "astream_chat" else "Count to 500"
    async for item in await getattr(slow_llm, name)(given):
        if item.delta:
            break
    assert await asyncio.to_thread(is_left, slow)


async def test_cancelling_a_call_frees_the_server(slow, slow_llm):
    task = asyncio.create_task(slow_llm.achat(COUNT))
    while not slow.in_progress:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(is_left, slow)


async def test_cancelling_a_stream_frees_the_server(slow, slow_llm):
    async def consume():
        async for _ in await slow_llm.astream_chat(COUNT):
            arrived.set()

    arrived = asyncio.Event()
    task = asyncio.create_task(consume())
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(is_left, slow)


def test_a_stream_that_is_not_read_sends_nothing(slow, slow_llm):
    slow_llm.stream_chat(COUNT)
    assert slow.requests == []


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


def test_a_refused_key_is_told_and_not_shown(calls, on_emulator):
    with pytest.raises(AuthenticationError, match="MONSTER_API_KEY") as raised:
        calls.chat(on_emulator(api_key="sk-wrong"))
    assert "sk-wrong" not in repr(raised.value) + repr(vars(raised.value))


@pytest.mark.parametrize("name", ["chat", "stream_chat"])
def test_errors_of_the_server_have_their_classes(calls, on_emulator, name):
    call = getattr(calls, name)
    with pytest.raises(NotFoundError):
        call(on_emulator(model="unknown"))
    with pytest.raises(ContextOverflowError):
        call(on_emulator(max_tokens=10_000))


def test_no_connection_is_an_error_after_the_retries(calls):
    llm = MonsterLLM(api_base="http://127.0.0.1:9/v1", api_key="k", max_retries=0)
    with pytest.raises(ConnectionFailedError, match="MONSTER_API_BASE"):
        calls.complete(llm)


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


def test_one_instance_serves_several_event_loops_and_threads(emulated_llm):
    from concurrent.futures import ThreadPoolExecutor

    def ask(number: int) -> str:
        if number % 2:
            return asyncio.run(emulated_llm.acomplete(f"Repeat: {number}")).text
        return emulated_llm.complete(f"Repeat: {number}").text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(16))) == [str(number) for number in range(16)]


async def test_context_managers_close_and_a_later_call_works(on_emulator):
    async with on_emulator() as llm:
        assert (await llm.acomplete("Repeat: a")).text == "a"
    with llm:
        assert llm.complete("Repeat: b").text == "b"
    assert llm.complete("Repeat: c").text == "c"
    llm.close()
