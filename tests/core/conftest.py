"""Fixtures of the core's tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from monster_core.transport import client as client_module
from tests.core.drivers import AsyncDriver, Driver, SyncDriver, endpoint
from tests.core.scripted_server import ScriptedServer


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers that give scripted replies."""
    with ExitStack() as servers:
        yield lambda *replies, **how: servers.enter_context(ScriptedServer(*replies, **how))


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Driver]]:
    """Make clients, sync ones and then async ones."""
    with ExitStack() as clients:

        def open_client(server: ScriptedServer | str, **changes: Any) -> Driver:
            base_url = server if isinstance(server, str) else server.base_url
            driver: Driver = request.param(endpoint(base_url, **changes))
            clients.callback(driver.close)
            return driver

        yield open_client


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Skip the waits between attempts and return how long they would have been."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(client_module, "time", SimpleNamespace(sleep=waits.append))
    monkeypatch.setattr(
        client_module,
        "asyncio",
        SimpleNamespace(sleep=sleep, get_running_loop=asyncio.get_running_loop),
    )
    return waits
