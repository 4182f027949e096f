"""What child processes do: ask, and say what they were answered."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable

from tests.endurance.models import Model

__all__ = ["ask_all_ways", "forked", "outcome"]


def ask_all_ways(model: Model, name: str) -> str:
    """Call and stream, without and with async; return the name if every answer holds it.

    Args:
        model: Whom to ask.
        name: What no other process asks for.
    """

    async def ask() -> list[str]:
        call, stream = model.aask(f"Repeat: {name}-acall"), model.aread(f"Repeat: {name}-astream")
        return [*await asyncio.gather(call, stream)]

    found = [model.ask(f"Repeat: {name}-call"), model.read(f"Repeat: {name}-stream")]
    found += asyncio.run(ask())
    expected = [f"{name}-{way}" for way in ("call", "stream", "acall", "astream")]
    return name if found == expected else f"{name} was answered {found}"


def forked(work: Callable[[], str]) -> Callable[[], str]:
    """Fork a child that does some work; return what waits for what it returned.

    Args:
        work: What the child does.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.write(writing, outcome(work).encode())
        os._exit(0)
    os.close(writing)

    def wait() -> str:
        with open(reading, "rb") as pipe:
            said = pipe.read().decode()
        os.waitpid(child, 0)
        return said

    return wait


def outcome(work: Callable[[], str]) -> str:
    """Return what some work returns, or how it fails.

    Args:
        work: The work.
    """
    try:
        return work()
    except BaseException:
        return traceback.format_exc()
