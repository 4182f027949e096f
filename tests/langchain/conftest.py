"""Fixtures of the LangChain tests: models that talk to an emulator or to a scripted server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from langchain_monster import ChatMonster
from monster_emulator import Emulator
from tests.core.scripted_server import Reply, ScriptedServer
from tests.recorded_endpoint import MODEL
from tests.scripted_replies import small_talk

Scripted = Callable[..., tuple[ChatMonster, ScriptedServer]]
"""Takes replies and the model's arguments; returns a model and the server it talks to."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Make models whose server gives scripted replies."""
    with ExitStack() as opened:

        def connect(*replies: Reply, **given: Any) -> tuple[ChatMonster, ScriptedServer]:
            server = opened.enter_context(ScriptedServer(*replies))
            told = {"model": MODEL, "api_key": "open-sesame", "base_url": server.base_url}
            llm = ChatMonster(**{**told, "max_retries": 0, "timeout": 5, **given})
            opened.callback(llm.close)
            return llm, server

        yield connect


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    """Run an emulator while the tests run."""
    with Emulator(api_key="open-sesame", replies=small_talk) as running:
        yield running


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    """Return the running emulator, as if it had just been started."""
    running_emulator.requests.clear()
    running_emulator.pace = 0.0
    return running_emulator


@pytest.fixture
def emulated(emulator: Emulator) -> Iterator[ChatMonster]:
    """Make a model that talks to the emulator."""
    with chat_with(emulator) as llm:
        yield llm


def chat_with(emulator: Emulator, **given: Any) -> ChatMonster:
    """Return a model that talks to an emulator.

    Args:
        emulator: The emulator.
        given: Further arguments of the model.
    """
    told = {"model": emulator.model, "api_key": emulator.api_key, "base_url": emulator.base_url}
    return ChatMonster(**{**told, "max_retries": 0, "timeout": 5, **given})
