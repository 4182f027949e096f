"""Many calls hold no more than few: neither objects nor memory nor files."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from tests.conftest import ROOT
from tests.endurance.models import Model
from tests.endurance.resources import falls_to, open_files, resident_bytes

pytestmark = pytest.mark.no_cover  # the same code many times

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Serve from another process, whose memory and files are not counted; give the address."""
    command = [sys.executable, "-m", "monster_emulator", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.stdout.readline().split()[0]
        process.terminate()


def ask_in_turn(model: Model, count: int) -> None:
    """Call, and stream every fifth time."""
    for place in range(count):
        ask = model.ask if place % 5 else model.read
        assert ask(f"Repeat: {place}") == str(place)


def ask_in_tens(model: Model, count: int) -> None:
    """Call and stream with ten coroutines at a time, in one loop."""

    async def ask() -> None:
        for start in range(0, count, 10):
            calls = [model.aask(f"Repeat: {start + place}") for place in range(8)]
            streams = [model.aread(f"Repeat: {start + place}") for place in (8, 9)]
            found = await asyncio.gather(*calls, *streams)
            assert found == [str(start + place) for place in range(10)]

    asyncio.run(ask())


WORK = pytest.mark.parametrize("work", [ask_in_turn, ask_in_tens], ids=["sync", "async"])


@WORK
def test_calls_leave_no_object_and_no_file(
    make: type[Model], elsewhere: str, work: Callable[[Model, int], None]
) -> None:
    model = make(elsewhere)
    files, held = [], []
    for _ in range(4):
        work(model, 20)
        files.append(open_files())
        held.append(len(gc.get_objects()))
    assert files[-1] <= files[0]
    # what else happens in the process may leave some once, but not after each twenty calls
    assert min(after - before for before, after in pairwise(held)) < 10


@pytest.mark.slow
@WORK
def test_ten_thousand_calls_leave_memory_as_it_was(
    make: type[Model], elsewhere: str, work: Callable[[Model, int], None]
) -> None:
    model = make(elsewhere)
    work(model, 100)
    files, before = open_files(), resident_bytes()
    work(model, 10_000)
    assert open_files() <= files
    grown = resident_bytes() - before
    print(f"{grown / 10_000:.0f} bytes each")
    assert grown < 5 * MEBIBYTE  # LlamaIndex remembers a little of each


def use(model: Model) -> None:
    assert model.ask("Repeat: call") == "call"
    next(model.stream("Count to 50"))


def use_in_a_loop(model: Model) -> None:
    asyncio.run(ause(model))


async def ause(model: Model) -> None:
    assert await model.aask("Repeat: call") == "call"
    assert await model.aread("Repeat: stream") == "stream"


@pytest.mark.parametrize("way", [use, use_in_a_loop], ids=["sync", "async"])
def test_instances_that_nobody_closes(
    make: type[Model], elsewhere: str, way: Callable[[Model], None]
) -> None:
    way(make(elsewhere))
    before = open_files()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(5):
            way(make(elsewhere))
        assert falls_to(before)
    assert [str(one.message) for one in caught] == []


async def test_instances_that_nobody_closes_while_their_loop_goes_on(
    make: type[Model], elsewhere: str
) -> None:
    await ause(make(elsewhere))
    before = open_files()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(5):
            await ause(make(elsewhere))
        gc.collect()
        await asyncio.sleep(0.1)  # the loop closes what was dropped
        assert falls_to(before)
    assert [str(one.message) for one in caught] == []


def test_settings_that_are_changed_again_and_again(make: type[Model], elsewhere: str) -> None:
    """Each change makes new connections; the old ones must go."""
    model = make(elsewhere)
    use(model)
    before = open_files()
    for place in range(5):
        model.llm.timeout = 5.0 + place
        use(model)
    assert falls_to(before + 1)
