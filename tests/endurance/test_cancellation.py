"""However a call is left, the server is freed at once and the next call works."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from monster_emulator import Emulator
from tests.core.scripted_server import reply
from tests.endurance.conftest import Serve
from tests.endurance.models import ASYNC_STREAMS, SYNC_STREAMS, Model, piece_of

LONG = "Count to 500"
Left = Callable[[], bool]
Begin = Callable[[], Any]


@pytest.fixture
def slow(emulator: Emulator) -> Emulator:
    """Return an emulator whose long answers take many seconds."""
    emulator.pace = 0.02
    return emulator


@pytest.fixture(params=SYNC_STREAMS)
def begun(request: pytest.FixtureRequest, slow: Emulator) -> Iterator[tuple[Model, Begin]]:
    """Return a model, and what begins a long stream of it."""
    way = SYNC_STREAMS[request.param]
    model = way.model(slow.base_url)
    yield model, lambda: way.begin(model.llm, LONG)
    model.llm.close()


@pytest.fixture(params=ASYNC_STREAMS)
def abegun(request: pytest.FixtureRequest, slow: Emulator) -> tuple[Model, Begin]:
    """Return a model, and what begins a long async stream of it."""
    way = ASYNC_STREAMS[request.param]
    model = way.model(slow.base_url)
    return model, lambda: way.begin(model.llm, LONG)


def first_piece(stream: Any) -> str:
    return next(piece for item in stream if (piece := piece_of(item)))


async def afirst_piece(stream: Any) -> str:
    async for item in stream:
        if piece := piece_of(item):
            return piece
    raise AssertionError("an empty stream")


async def drain(begin: Begin, begun: asyncio.Event) -> None:
    async for item in await begin():
        if piece_of(item):
            begun.set()


async def works(model: Model, slow: Emulator, is_freed: Left) -> bool:
    """Whether the server is freed and answers the next call."""
    freed = await asyncio.to_thread(is_freed)
    slow.pace = 0.0
    answered = await model.aask("Repeat: next") == "next"
    await model.llm.aclose()
    return freed and answered


class TestSyncStreams:
    def test_closing(self, begun: tuple[Model, Begin], is_freed: Left) -> None:
        model, begin = begun
        stream = begin()
        assert first_piece(stream)
        stream.close()
        assert is_freed()
        assert model.ask("Repeat: next") == "next"

    def test_dropping(self, begun: tuple[Model, Begin], is_freed: Left) -> None:
        model, begin = begun
        streams = [begin()]
        assert first_piece(streams[0])
        streams.append(streams)  # type: ignore[arg-type]  # a cycle: the collector drops it
        del streams
        gc.collect()
        assert is_freed()
        assert model.ask("Repeat: next") == "next"

    def test_an_error_of_the_readers_own(self, begun: tuple[Model, Begin], is_freed: Left) -> None:
        model, begin = begun

        def read() -> None:
            for item in begin():
                assert not piece_of(item), "a reader's own error"

        with pytest.raises(AssertionError, match="own error"):
            read()
        assert is_freed()
        assert model.ask("Repeat: next") == "next"

    def test_an_interrupt_while_it_waits(
        self, begun: tuple[Model, Begin], slow: Emulator, is_freed: Left
    ) -> None:
        model, begin = begun
        stream = begin()
        assert first_piece(stream)
        slow.pace = 30.0  # no further token comes: it is blocked in a read
        with interrupted_when(lambda: True), pytest.raises(KeyboardInterrupt):
            for _ in stream:
                pass
        del stream
        assert is_freed()
        slow.pace = 0.0
        assert model.ask("Repeat: next") == "next"

    @pytest.mark.no_cover  # the tracer of coverage may be what the exception interrupts
    def test_an_exception_thrown_into_its_thread(
        self, begun: tuple[Model, Begin], is_freed: Left
    ) -> None:
        model, begin = begun
        started, ended = threading.Event(), threading.Event()

        def work() -> None:
            with suppress(Stop):
                try:
                    for item in begin():
                        if piece_of(item):
                            started.set()
                finally:
                    ended.set()

        thread = threading.Thread(target=work)
        thread.start()
        assert started.wait(10)
        throw_into(thread)
        assert ended.wait(5)
        thread.join(5)
        assert is_freed()
        assert model.ask("Repeat: next") == "next"


class TestAsyncStreams:
    async def test_closing(
        self, abegun: tuple[Model, Begin], slow: Emulator, is_freed: Left
    ) -> None:
        model, begin = abegun
        stream = await begin()
        assert await afirst_piece(stream)
        await stream.aclose()
        assert await works(model, slow, is_freed)

    async def test_breaking_out(
        self, abegun: tuple[Model, Begin], slow: Emulator, is_freed: Left
    ) -> None:
        model, begin = abegun
        async for item in await begin():
            if piece_of(item):
                break
        assert await works(model, slow, is_freed)

    @pytest.mark.skipif(not hasattr(asyncio, "timeout"), reason="new in Python 3.11")
    async def test_a_timeout_block(
        self, abegun: tuple[Model, Begin], slow: Emulator, is_freed: Left
    ) -> None:
        model, begin = abegun

        async def read() -> None:
            async with asyncio.timeout(None) as limit:  # type: ignore[attr-defined, unused-ignore]
                async for item in await begin():
                    if piece_of(item):
                        limit.reschedule(0)

        with pytest.raises(TimeoutError):
            await read()
        assert await works(model, slow, is_freed)

    async def test_cancelling_one_of_many(
        self, abegun: tuple[Model, Begin], slow: Emulator, is_freed: Left
    ) -> None:
        model, begin = abegun
        begun = asyncio.Event()
        task = asyncio.create_task(drain(begin, begun))
        others = [asyncio.create_task(model.aread(f"Repeat: {place}")) for place in range(5)]
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.gather(*others) == [str(place) for place in range(5)]
        assert await works(model, slow, is_freed)


class TestCalls:
    """Calls that are cancelled before a byte of an answer has come."""

    async def test_while_it_waits_for_the_answer(
        self, make: type[Model], slow: Emulator, is_freed: Left
    ) -> None:
        model = make(slow.base_url)
        task = asyncio.create_task(model.aask(LONG))
        while not slow.in_progress:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await works(model, slow, is_freed)

    @pytest.mark.clock
    @pytest.mark.parametrize("way", ["aask", "aread"])
    async def test_while_it_connects(self, make: type[Model], way: str) -> None:
        with full_listener() as base_url:
            model = make(base_url)
            begun = time.monotonic()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(getattr(model, way)("Hello"), 0.3)
            assert time.monotonic() - begun < 3
            await model.llm.aclose()

    @pytest.mark.clock
    @pytest.mark.parametrize("way", ["aask", "aread"])
    async def test_in_a_pause_between_attempts(
        self, make: type[Model], serve: Serve, way: str
    ) -> None:
        server = serve(reply(429, "busy", {"retry-after": "30"}))
        model = make(server.base_url, max_retries=2)
        begun = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(getattr(model, way)("Hello"), 0.3)
        assert time.monotonic() - begun < 3
        assert len(server.received) == 1
        await model.llm.aclose()

    def test_interrupting_a_call(self, make: type[Model], slow: Emulator, is_freed: Left) -> None:
        model = make(slow.base_url)
        with interrupted_when(lambda: slow.in_progress == 1), pytest.raises(KeyboardInterrupt):
            model.ask(LONG)
        assert is_freed()
        slow.pace = 0.0
        assert model.ask("Repeat: next") == "next"
        model.llm.close()

    @pytest.mark.clock
    def test_interrupting_a_pause(self, make: type[Model], serve: Serve) -> None:
        server = serve(reply(429, "busy", {"retry-after": "30"}))
        begun = time.monotonic()
        with interrupted_when(lambda: bool(server.received)), pytest.raises(KeyboardInterrupt):
            make(server.base_url, max_retries=2).ask("Hello")
        assert time.monotonic() - begun < 3


class Stop(Exception):
    """What a watchdog throws into a thread that it wants to end."""


def throw_into(thread: threading.Thread) -> None:
    assert thread.ident is not None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stop))


@contextmanager
def interrupted_when(is_time: Callable[[], bool]) -> Iterator[None]:
    """Press Ctrl-C a moment after something has become true."""

    def press() -> None:
        while not is_time():
            time.sleep(0.005)
        time.sleep(0.1)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.main_thread().ident
    assert main is not None
    # a shell that starts the tests in the background lets them ignore it
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGINT, earlier)


@contextmanager
def full_listener() -> Iterator[str]:
    """Listen, and let nobody in any more: the next one waits for its connection."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
