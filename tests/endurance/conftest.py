"""Fixtures of the endurance tests: servers, and models that talk to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from monster_emulator import Emulator
from tests.core.scripted_server import ScriptedServer
from tests.endurance.models import MODELS, Model

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


@pytest.fixture
def is_freed(emulator: Emulator) -> Callable[[], bool]:
    """Return what waits until the server answers nobody any more, a second at most."""

    def wait() -> bool:
        until = time.monotonic() + 1
        while emulator.in_progress and time.monotonic() < until:
            time.sleep(0.01)
        return emulator.in_progress == 0 and emulator.aborted == 1

    return wait
