"""Leaving a stream early frees the server within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from langchain_monster import ChatMonster
from monster_emulator import Emulator

LONG = "Count to 500"


@pytest.fixture
def freed(emulator: Emulator) -> Callable[[], bool]:
    emulator.pace = 0.01
    aborted = emulator.aborted

    def is_freed() -> bool:
        until = time.monotonic() + 1
        while emulator.in_progress and time.monotonic() < until:
            time.sleep(0.01)
        return emulator.in_progress == 0 and emulator.aborted == aborted + 1

    return is_freed


def test_closing_a_stream(emulated: ChatMonster, freed: Callable[[], bool]) -> None:
    stream: Any = emulated.stream(LONG)
    next(stream)
    stream.close()
    assert freed()


def test_leaving_the_loop(emulated: ChatMonster, freed: Callable[[], bool]) -> None:
    for _ in emulated.stream(LONG):
        break
    assert freed()


async def test_closing_an_async_stream(emulated: ChatMonster, freed: Callable[[], bool]) -> None:
    stream: Any = emulated.astream(LONG)
    await anext(stream)
    await stream.aclose()
    await asyncio.sleep(0.1)
    assert freed()


async def test_leaving_an_async_loop(emulated: ChatMonster, freed: Callable[[], bool]) -> None:
    async for _ in emulated.astream(LONG):
        break
    await asyncio.sleep(0.1)
    assert freed()


@pytest.mark.parametrize("streams", [False, True])
async def test_cancelling_a_call(
    emulated: ChatMonster, freed: Callable[[], bool], streams: bool
) -> None:
    async def ask() -> None:
        if streams:
            async for _ in emulated.astream(LONG):
                pass
        else:
            await emulated.ainvoke(LONG)

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(ask(), 0.2)
    assert freed()


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_leaving_protocol_events(emulated: ChatMonster, freed: Callable[[], bool]) -> None:
    async with await emulated.astream_events(LONG, version="v3") as stream:
        async for _ in stream.text:
            break
    assert freed()
