"""One instance serves event loops one after another, side by side and inside one another."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from llama_index.core.async_utils import asyncio_run, run_async_tasks
from llama_index.core.base.llms.types import ChatMessage

from llama_index_monster import MonsterLLM
from tests.llama_index.toolbox import MULTIPLY

CALL = 'Repeat: {"name": "multiply", "parameters": {"a": 6, "b": 7}}'
THREADS = 8

pytestmark = pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="file descriptors are counted in /proc"
)


@pytest.fixture
def fast_switching() -> Iterator[None]:
    """Let threads meet each other everywhere."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def open_files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def falls_to(most: int) -> bool:
    """Wait until no more files are open; the emulator, in this process, closes its ends, too."""
    end = time.monotonic() + 3
    while open_files() > most and time.monotonic() < end:
        time.sleep(0.01)
    return open_files() <= most


async def ask(llm: MonsterLLM, number: int) -> str:
    """Complete, stream and call a tool at the same time."""

    async def stream() -> str:
        stream = await llm.astream_chat([ChatMessage(f"Repeat: {number}")])
        return [item async for item in stream][-1].message.content or ""

    completed, streamed, called = await asyncio.gather(
        llm.acomplete(f"Repeat: {number}"), stream(), llm.apredict_and_call([MULTIPLY], CALL)
    )
    assert (completed.text, streamed, str(called)) == (str(number), str(number), "42")
    return completed.text


def test_one_loop_after_another(emulated_llm):
    before = open_files()
    for number in range(10):
        asyncio.run(ask(emulated_llm, number))
    assert falls_to(before + 2 * 3)  # both ends of what waits for the next call
    asyncio.run(emulated_llm.aclose())
    assert falls_to(before)


def test_threads_with_loops_of_their_own(emulated_llm, fast_switching):
    def work(first: int) -> list[str]:
        return [asyncio.run(ask(emulated_llm, first + step)) for step in range(4)]

    before = open_files()
    with ThreadPoolExecutor(THREADS) as pool:
        for first, found in enumerate(pool.map(work, range(THREADS))):
            assert found == [str(first + step) for step in range(4)]
    asyncio.run(emulated_llm.aclose())
    assert falls_to(before)


def test_loops_inside_a_running_loop(on_emulator):
    async def run(llm: MonsterLLM) -> None:
        for number in range(10):
            assert asyncio_run(ask(llm, number)) == str(number)
            assert await ask(llm, number) == str(number)
            found = run_async_tasks([llm.acomplete(f"Repeat: {n}") for n in range(4)])
            assert [one.text for one in found] == [str(n) for n in range(4)]

    before = open_files()
    llm = on_emulator()
    asyncio.run(run(llm))
    del llm
    assert falls_to(before)


@pytest.mark.parametrize("name", ["astream_chat", "astream_complete"])
def test_a_loop_may_end_right_after_a_stream_was_left(emulated_llm, caplog, name):
    async def leave() -> None:
        given = "Count to 50" if name == "astream_complete" else [ChatMessage("Count to 50")]
        async for item in await getattr(emulated_llm, name)(given):
            if item.delta:
                break

    before = open_files()
    for _ in range(10):
        asyncio.run(leave())
    assert falls_to(before)
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_an_async_stream_can_be_closed_early(emulated_llm):
    stream = await emulated_llm.astream_complete("Count to 50")
    assert await anext(stream)
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(
    "is_dropped_first", [True, False], ids=["llm-goes-first", "loop-goes-first"]
)
def test_a_loop_may_be_closed_without_being_shut_down(on_emulator, monkeypatch, is_dropped_first):
    found = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: found.append(args.exc_value))
    before = open_files()
    for _ in range(3):
        llm, loop = on_emulator(), asyncio.new_event_loop()
        assert loop.run_until_complete(ask(llm, 7)) == "7"
        if is_dropped_first:
            del llm
            gc.collect()
        loop.close()
    llm = loop = None
    assert falls_to(before)
    assert found == []
