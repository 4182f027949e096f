"""Fixtures of the endurance tests: servers, and models that talk to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from monster_emulator import Emulator
from tests.core.scripted_server import Reply, ScriptedServer, answer, events, token
from tests.endurance.models import MODELS, Model, piece_of

Serve = Callable[..., ScriptedServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that give scripted replies."""
    with ExitStack() as servers:
        yield lambda *replies: servers.enter_context(ScriptedServer(*replies))


@pytest.fixture(params=MODELS, ids=["langchain", "llama_index"])
def make(request: pytest.FixtureRequest) -> type[Model]:
    """Return what makes models: of the one framework, then of the other."""
    return request.param


@pytest.fixture
def emulator(monster_emulator: Emulator) -> Emulator:
    """Return a running emulator."""
    return monster_emulator


@pytest.fixture
def model(make: type[Model], emulator: Emulator) -> Iterator[Model]:
    """Return a model that talks to the emulator."""
    made = make(emulator.base_url)
    yield made
    made.llm.close()


@dataclass
class HalfRead:
    """A stream that is half read, and held by an event until the rest is asked for."""

    model: Model
    server: ScriptedServer
    items: Any
    held: threading.Event
    first: str

    def rest(self) -> str:
        """Return all its text."""
        self.held.set()
        return self.first + "".join(map(piece_of, self.items))


@pytest.fixture
def half_read(make: type[Model], serve: Serve) -> Iterator[HalfRead]:
    """Begin a stream, whose server answers every other request with "other"."""
    held = threading.Event()
    server = serve(half_a_stream(held), answer("other"))
    model = make(server.base_url)
    items = model.stream("Hello")
    yield HalfRead(model, server, items, held, piece_of(next(items)))
    model.llm.close()


def half_a_stream(held: threading.Event) -> Reply:
    """Return a stream of "Hello" that waits for an event in its middle.

    Args:
        held: The event.
    """
    return events(token("Hel"), held, token("lo"), token("", "stop"), "[DONE]")


@pytest.fixture
def is_freed(emulator: Emulator) -> Callable[[], bool]:
    """Return what waits until the server answers nobody any more, some seconds at most."""

    def wait() -> bool:
        until = time.monotonic() + 5
        while emulator.in_progress and time.monotonic() < until:
            time.sleep(0.005)
        return emulator.in_progress == 0 and emulator.aborted == 1

    return wait
