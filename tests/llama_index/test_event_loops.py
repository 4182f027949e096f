"""One instance serves loops that run inside one another, and loops that end in mid-stream."""

from __future__ import annotations

import asyncio
import os

import pytest
from llama_index.core.async_utils import asyncio_run, run_async_tasks
from llama_index.core.base.llms.types import ChatMessage

from llama_index_monster import MonsterLLM
from tests.endurance.resources import falls_to, open_files
from tests.llama_index.toolbox import MULTIPLY

CALL = 'Repeat: {"name": "multiply", "parameters": {"a": 6, "b": 7}}'

pytestmark = pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="file descriptors are counted in /proc"
)


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
