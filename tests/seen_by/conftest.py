"""Tests here are about the default transport, whatever the rest of the suite runs over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.core.scripted_server import Reply, ScriptedServer


@pytest.fixture(autouse=True)
def default_transport(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send async requests with httpx's own transport."""
    monkeypatch.delenv("MONSTER_ASYNC_TRANSPORT", raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], ScriptedServer]]:
    """Start servers that note what reaches them and keep their connections open."""
    with ExitStack() as servers:
        yield lambda reply: servers.enter_context(ScriptedServer(reply))
