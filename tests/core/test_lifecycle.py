"""One client serves threads, event loops one after another, and forked processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from monster_core.transport.client import AsyncMonsterClient, MonsterClient
from tests.core.drivers import call, endpoint
from tests.core.scripted_server import ScriptedServer, answer, events, token

Serve = Callable[..., ScriptedServer]


def test_threads_share_one_client(serve: Serve) -> None:
    server = serve(answer("Hello"))
    client = MonsterClient(endpoint(server.base_url))
    with ThreadPoolExecutor(8) as pool:
        texts = [one.choices[0].text for one in pool.map(client.complete, [call()] * 32)]
    client.close()
    assert texts == ["Hello"] * 32
    assert server.connections <= 8


def test_one_event_loop_after_another(serve: Serve) -> None:
    server = serve(answer("Hello"))
    client = AsyncMonsterClient(endpoint(server.base_url))
    for _ in range(3):
        assert asyncio.run(client.complete(call())).choices[0].text == "Hello"
        assert server.clients_left.acquire(timeout=5)  # a loop's connections end with it


def test_many_coroutines_at_a_time(serve: Serve) -> None:
    client = AsyncMonsterClient(endpoint(serve(answer("Hello")).base_url))

    async def ask_often() -> list[str]:
        found = await asyncio.gather(*(client.complete(call()) for _ in range(32)))
        return [one.choices[0].text for one in found]

    assert asyncio.run(ask_often()) == ["Hello"] * 32


def test_cancelling_frees_the_server(serve: Serve) -> None:
    server = serve(events(token("one"), *([0.05, token("more")] * 200)))
    client = AsyncMonsterClient(endpoint(server.base_url))

    async def give_up() -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(_drain(client, begun))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.clients_left.acquire, timeout=5)

    asyncio.run(give_up())


async def _drain(client: AsyncMonsterClient, begun: asyncio.Event) -> None:
    async for _ in client.stream(call(stream=True)):
        begun.set()
