"""The emulator goes on, and ends, while a test stops or moves the time."""

from __future__ import annotations

import pytest
import time_machine
from freezegun import freeze_time

from langchain_monster import ChatMonster
from monster_emulator import Emulator
from tests.recorded_endpoint import MODEL

NEW_YEAR = "2020-01-01"
HOURS = 5 * 3600


def chat(emulator: Emulator) -> ChatMonster:
    return ChatMonster(model=MODEL, base_url=emulator.base_url, api_key=emulator.api_key)


def ask_whole_and_streamed(emulator: Emulator) -> None:
    assert chat(emulator).invoke("Hi").text
    assert "".join(chunk.text for chunk in chat(emulator).stream("Hi"))


async def ask_async(emulator: Emulator) -> None:
    assert (await chat(emulator).ainvoke("Hi")).text
    assert "".join([chunk.text async for chunk in chat(emulator).astream("Hi")])


@freeze_time(NEW_YEAR)
def test_freezegun_around_a_test(monster_emulator: Emulator) -> None:
    ask_whole_and_streamed(monster_emulator)


@freeze_time(NEW_YEAR)
async def test_freezegun_around_an_async_test(monster_emulator: Emulator) -> None:
    await ask_async(monster_emulator)


@time_machine.travel(NEW_YEAR, tick=False)
async def test_time_machine_around_an_async_test(monster_emulator: Emulator) -> None:
    await ask_async(monster_emulator)


@pytest.mark.parametrize("tick", [True, False])
def test_freezegun_before_the_emulator(tick: bool) -> None:
    with freeze_time(NEW_YEAR, tick=tick) as clock, Emulator() as emulator:
        ask_whole_and_streamed(emulator)
        clock.tick(HOURS)
        ask_whole_and_streamed(emulator)


@pytest.mark.parametrize("tick", [True, False])
def test_freezegun_after_the_emulator(monster_emulator: Emulator, tick: bool) -> None:
    with freeze_time(NEW_YEAR, tick=tick) as clock:
        ask_whole_and_streamed(monster_emulator)
        clock.move_to("2030-01-01")
        ask_whole_and_streamed(monster_emulator)


@pytest.mark.parametrize("tick", [True, False])
def test_time_machine_around_a_test(monster_emulator: Emulator, tick: bool) -> None:
    with time_machine.travel(NEW_YEAR, tick=tick) as traveller:
        ask_whole_and_streamed(monster_emulator)
        traveller.shift(HOURS)
        ask_whole_and_streamed(monster_emulator)
