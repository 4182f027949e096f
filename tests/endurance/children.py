"""What child processes do: ask, and say what they were answered."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable, Sequence

from tests.endurance.models import Model

__all__ = ["ask_all_ways", "forked"]


def ask_all_ways(models: Sequence[Model], name: str) -> str:
    """Call and stream, without and with async; return the name if every answer holds it.

    Args:
        models: Whom to ask.
        name: What no other process asks for.
    """
    found = []
    for model in models:
        found += [model.ask(f"Repeat: {name}-call"), model.read(f"Repeat: {name}-stream")]
    found += asyncio.run(_ask_all(models, name))
    expected = [f"{name}-call", f"{name}-stream"] * 2 * len(models)
    return name if found == expected else f"{name} was answered {found}"


async def _ask_all(models: Sequence[Model], name: str) -> list[str]:
    calls = [
        ask(f"Repeat: {name}-{way}")
        for model in models
        for ask, way in ((model.aask, "call"), (model.aread, "stream"))
    ]
    return await asyncio.gather(*calls)


def forked(work: Callable[[str], str], names: Sequence[str]) -> Callable[[], list[str]]:
    """Fork a child for each name; return what waits for what they returned.

    Args:
        work: What a child does, given its name.
        names: Their names.
    """
    waits = [_forked(work, name) for name in names]
    return lambda: [wait() for wait in waits]


def _forked(work: Callable[[str], str], name: str) -> Callable[[], str]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.write(writing, _outcome(work, name).encode())
        os._exit(0)
    os.close(writing)

    def wait() -> str:
        with open(reading, "rb") as pipe:
            said = pipe.read().decode()
        os.waitpid(child, 0)
        return said

    return wait


def _outcome(work: Callable[[str], str], name: str) -> str:
    try:
        return work(name)
    except BaseException:
        return traceback.format_exc()
