"""One instance serves event loops one after another, side by side, and badly closed ones."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import warnings
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from monster_emulator import Emulator
from tests.endurance.models import Model
from tests.endurance.resources import falls_to, open_files

# asyncio remarks upon connections of a loop that was not shut down, whenever they are collected
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


async def ask_in_all_ways(model: Model, name: str) -> bool:
    """Call and stream at a time; whether each answer belongs to its own question."""
    found = await asyncio.gather(
        model.aask(f"Repeat: {name}-call"), model.aread(f"Repeat: {name}-stream")
    )
    return found == [f"{name}-call", f"{name}-stream"]


def test_three_loops_in_a_row(model: Model) -> None:
    assert all(asyncio.run(ask_in_all_ways(model, f"loop-{place}")) for place in range(3))


def test_threads_with_a_loop_each(model: Model) -> None:
    def work(thread: int) -> bool:
        return all(asyncio.run(ask_in_all_ways(model, f"{thread}-{place}")) for place in range(2))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads meet each other everywhere
    try:
        with ThreadPoolExecutor(6) as pool:
            assert all(pool.map(work, range(6)))
    finally:
        sys.setswitchinterval(interval)


async def test_a_loop_in_a_thread_while_another_one_runs(model: Model) -> None:
    outer = await model.astream("Repeat: outer")
    first = await anext(outer)
    inner = await asyncio.to_thread(lambda: asyncio.run(ask_in_all_ways(model, "inner")))
    assert inner
    assert await ask_in_all_ways(model, "between")
    items = [first, *[item async for item in outer]]
    assert items
    await model.llm.aclose()


def run_badly(coroutine: Coroutine[Any, Any, bool]) -> bool:
    """Run a loop as LlamaIndex's asyncio_run does: close it without shutting it down."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


async def leave_half_way(model: Model) -> bool:
    return bool(await anext(await model.astream("Count to 50")))


def remarks_on(make: Callable[[], Model], caplog: pytest.LogCaptureFixture, *, leave: bool) -> str:
    """Use four badly closed loops, drop the model, and return what Python says to it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = make()
        for place in range(4):
            assert run_badly(leave_half_way(model) if leave else ask_in_all_ways(model, str(place)))
        del model
        for _ in range(3):  # a finalizer may leave more to collect
            gc.collect()
    logged = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    return "\n".join([*(str(one.message) for one in caught), *logged])


def test_a_loop_closed_without_being_shut_down_gives_no_warning(
    make: type[Model], emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    assert remarks_on(lambda: make(emulator.base_url), caplog, leave=False).strip() == ""


def test_a_stream_left_in_a_badly_closed_loop_leaves_nothing_of_ours_unawaited(
    make: type[Model], emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The framework's own generator, which nobody closes, is Python's to remark upon."""
    emulator.pace = 0.01
    remarks = remarks_on(lambda: make(emulator.base_url), caplog, leave=True)
    unawaited = [line for line in remarks.splitlines() if "never awaited" in line]
    assert [line for line in unawaited if "astream" not in line and "wrapped_gen" not in line] == []


def test_badly_closed_loops_leave_no_file_open(make: type[Model], emulator: Emulator) -> None:
    gc.collect()
    before = open_files()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(emulator.base_url)
        for place in range(5):
            assert run_badly(ask_in_all_ways(model, str(place)))
        assert falls_to(before + 2 * 4)  # the ends, ours and the server's, of the last loop's two
        del model
        assert falls_to(before)
