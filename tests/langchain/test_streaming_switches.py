"""When a call streams, and when it does not."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.rate_limiters import BaseRateLimiter

from monster_emulator import Emulator
from tests.langchain.answering import TOOLS, Way, asked, collected, every_way
from tests.langchain.conftest import chat_with

HELLO = "Hello! How can I help you?"
SWITCHES: list[tuple[dict[str, Any], bool, bool]] = [
    ({}, False, True),
    ({"streaming": True}, True, True),
    ({"streaming": False}, False, False),
    ({"disable_streaming": True}, False, False),
    ({"disable_streaming": True, "streaming": True}, False, False),
    ({"disable_streaming": "tool_calling"}, False, True),
]


def was_streamed(emulator: Emulator) -> bool:
    return bool(emulator.requests[-1].body.get("stream"))


@every_way
async def test_the_switches(emulator: Emulator, way: Way) -> None:
    for given, invoke_streams, stream_streams in SWITCHES:
        llm = chat_with(emulator, **given)
        assert (await asked(llm, way)).text == HELLO
        assert was_streamed(emulator) == invoke_streams, given
        chunks = await collected(llm, way)
        assert "".join(chunk.text for chunk in chunks) == HELLO
        assert was_streamed(emulator) == (len(chunks) > 1) == stream_streams, given
    assert len(await collected(llm.bind_tools(TOOLS), way)) == 1
    assert not was_streamed(emulator)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_call_can_ask_to_stream_or_not(emulator: Emulator, wanted: bool) -> None:
    llm = chat_with(emulator, streaming=None if wanted else True)
    assert llm.invoke("Hi", stream=wanted).text == HELLO
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
@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_the_rate_limiter_is_asked_once_a_call(emulator: Emulator, way: Way) -> None:
    limiter = Counting()
    llm = chat_with(emulator, rate_limiter=limiter)
    await asked(llm, way)
    assert limiter.acquired == 1
    await collected(llm, way)
    assert limiter.acquired == 2
    llm.streaming = True
    await asked(llm, way)
    assert limiter.acquired == 3
    assert llm.stream_events("Hi", version="v3").output.text
    assert limiter.acquired == 4
