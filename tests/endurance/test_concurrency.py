"""One instance serves many at a time, and everyone gets the answer to their own question."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from monster_emulator import Emulator
from tests.endurance.models import MODELS, Model, piece_of
from tests.scripted_replies import small_talk

pytestmark = pytest.mark.no_cover  # the same code many times

THREADS = 104
REUSING_THREADS = 40
COROUTINES = 128
"""More than the 100 connections that httpx and aiohttp allow unless they are told otherwise."""
PATIENCE = httpx.Timeout(60)


class Gate:
    """Let nobody through before everybody has come: so all of them are there at once.

    Args:
        app: The application behind it.
        size: How many make everybody.
    """

    def __init__(self, app: ASGIApp, size: int) -> None:
        self._app = app
        self._missing = size
        self._open = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._open.set()
        await asyncio.wait_for(self._open.wait(), 60)
        await self._app(scope, receive, send)


@pytest.fixture
def gated() -> Iterator[Callable[[int], str]]:
    """Start emulators that answer nobody before this many have asked; give their addresses."""
    with ExitStack() as emulators:

        def start(size: int) -> str:
            emulator = Emulator(replies=small_talk)
            emulator._recorder._app = Gate(emulator._recorder._app, size)
            return emulators.enter_context(emulator).base_url

        yield start


def questions(count: int) -> list[str]:
    return [f"Repeat: {place}" for place in range(count)]


def answers(count: int) -> list[str]:
    return [str(place) for place in range(count)]


def test_many_threads_at_a_time(gated: Callable[[int], str]) -> None:
    base_url = gated(THREADS)
    models = [make(base_url, timeout=PATIENCE) for make in MODELS]
    ways = [way for model in models for way in (model.ask, model.read)]

    def ask(place: int) -> str:
        return ways[place % 4](f"Repeat: {place}")

    with ThreadPoolExecutor(THREADS) as pool, models[0].llm, models[1].llm:
        assert list(pool.map(ask, range(THREADS))) == answers(THREADS)


def test_many_threads_that_use_connections_again(emulator: Emulator) -> None:
    # so many threads keep the server, in the same process, from what it has to do: it may close a
    # connection while the next request is on its way
    models = [make(emulator.base_url, max_retries=2, timeout=PATIENCE) for make in MODELS]
    together = threading.Barrier(REUSING_THREADS)

    def ask(place: int) -> list[str]:
        together.wait(30)
        question, model = f"Repeat: {place}", models[place % 2]
        return [model.ask(question), model.read(question), model.ask(question)]

    with ThreadPoolExecutor(REUSING_THREADS) as pool:
        found = list(pool.map(ask, range(REUSING_THREADS)))
    assert found == [[one] * 3 for one in answers(REUSING_THREADS)]


async def ask_together(models: list[Model], count: int) -> list[str]:
    """Ask many questions at a time: calls and streams, of each model in turn."""
    ways = itertools.cycle([way for model in models for way in (model.aask, model.aread)])
    try:
        return await asyncio.gather(*(next(ways)(one) for one in questions(count)))
    finally:
        for model in models:
            await model.llm.aclose()


async def test_many_coroutines_at_a_time(gated: Callable[[int], str]) -> None:
    base_url = gated(COROUTINES)
    models = [make(base_url, timeout=PATIENCE) for make in MODELS]
    assert await ask_together(models, COROUTINES) == answers(COROUTINES)


@pytest.mark.slow
async def test_hundreds_of_coroutines_at_one_instance(
    make: type[Model], gated: Callable[[int], str]
) -> None:
    model = make(gated(512), timeout=PATIENCE)
    assert await ask_together([model], 512) == answers(512)


async def test_streams_that_are_read_in_turns_stay_apart(model: Model) -> None:
    streams = dict(enumerate([await model.astream(question) for question in questions(20)]))
    texts = [""] * len(streams)
    while streams:
        for place, stream in list(streams.items()):
            item = await anext(stream, None)
            if item is None:
                del streams[place]
            else:
                texts[place] += piece_of(item)
    assert texts == answers(20)
    await model.llm.aclose()
