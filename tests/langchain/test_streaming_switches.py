"""When a call streams, and when it does not."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.rate_limiters import BaseRateLimiter

from monster_emulator import Emulator
from tests.langchain.answering import TOOLS, WAYS, Way, collected
from tests.langchain.conftest import chat_with

every_way = pytest.mark.parametrize("way", WAYS)


async def invoked(llm: Any, way: Way) -> Any:
    return llm.invoke("Hi") if way == "sync" else await llm.ainvoke("Hi")


def was_streamed(emulator: Emulator) -> bool:
    return bool(emulator.requests[-1].body.get("stream"))


@every_way
@pytest.mark.parametrize(
    "given, invoke_streams, stream_streams",
    [
        ({}, False, True),
        ({"streaming": True}, True, True),
        ({"streaming": False}, False, False),
        ({"disable_streaming": True}, False, False),
        ({"disable_streaming": True, "streaming": True}, False, False),
        ({"disable_streaming": "tool_calling"}, False, True),
    ],
)
async def test_the_switches(
    emulator: Emulator, way: Way, given: Any, invoke_streams: bool, stream_streams: bool
) -> None:
    llm = chat_with(emulator, **given)
    assert (await invoked(llm, way)).text == "Hello! How can I help you?"
    assert was_streamed(emulator) == invoke_streams
    chunks = await collected(llm, way)
    assert "".join(chunk.text for chunk in chunks) == "Hello! How can I help you?"
    assert was_streamed(emulator) == stream_streams
    assert (len(chunks) > 1) == stream_streams


@every_way
async def test_tool_calling_can_be_kept_from_streaming(emulator: Emulator, way: Way) -> None:
    llm = chat_with(emulator, disable_streaming="tool_calling").bind_tools(TOOLS)
    assert len(await collected(llm, way)) == 1
    assert not was_streamed(emulator)


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_call_can_ask_to_stream_or_not(emulator: Emulator, wanted: bool) -> None:
    llm = chat_with(emulator, streaming=None if wanted else True)
    assert llm.invoke("Hi", stream=wanted).text == "Hello! How can I help you?"
    assert was_streamed(emulator) == wanted


class Counting(BaseRateLimiter):
    def __init__(self) -> None:
        self.acquired = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        self.acquired += 1
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        return self.acquire()


@every_way
@pytest.mark.parametrize("streaming", [None, True])
async def test_the_rate_limiter_is_asked_once_a_call(
    emulator: Emulator, way: Way, streaming: bool | None
) -> None:
    limiter = Counting()
    llm = chat_with(emulator, rate_limiter=limiter, streaming=streaming)
    await invoked(llm, way)
    assert limiter.acquired == 1
    await collected(llm, way)
    assert limiter.acquired == 2


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_the_rate_limiter_is_asked_once_for_protocol_events(emulator: Emulator) -> None:
    limiter = Counting()
    llm = chat_with(emulator, rate_limiter=limiter)
    assert llm.stream_events("Hi", version="v3").output.text
    assert limiter.acquired == 1
