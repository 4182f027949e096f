"""With async_transport="aiohttp", what stands at httpx's client sees async requests as well.

respx, pytest-httpx and OpenTelemetry's instrumentation of httpx stand at httpx's own transport,
which is not used then.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.scripted_server import Reply, ScriptedServer
from tests.seen_by import test_mocks, test_recorders, test_tracers
from tests.seen_by.mocks import MOCKS_AT_THE_CLIENT
from tests.seen_by.test_tracers import start_sentry as start_sentry
from tests.seen_by.ways import ASYNC_WAY, Way

Serve = Callable[[Reply], ScriptedServer]
IS_OPEN = test_tracers.IS_OPEN


@pytest.fixture(autouse=True)
def aiohttp(default_transport: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONSTER_ASYNC_TRANSPORT", "aiohttp")


@ASYNC_WAY
@pytest.mark.parametrize("name", MOCKS_AT_THE_CLIENT)
async def test_a_mock_answers(
    way: Way, name: str, request: pytest.FixtureRequest, serve: Serve
) -> None:
    await test_mocks.test_a_mock_answers(way, MOCKS_AT_THE_CLIENT[name], request)
    await test_mocks.test_a_mock_answers_over_an_open_connection_which_serves_on_afterwards(
        way, name, request, serve
    )


@ASYNC_WAY
@IS_OPEN
async def test_vcrpy_records_and_replays(way: Way, is_open: bool, tmp_path: Path) -> None:
    await test_recorders.test_what_is_recorded_is_replayed_when_the_endpoint_is_gone(
        way, is_open, tmp_path
    )


@ASYNC_WAY
@IS_OPEN
async def test_sentry_sees_a_span(
    way: Way,
    is_open: bool,
    serve: Serve,
    start_sentry: Callable[[], test_tracers._KeptInMemory],
) -> None:
    await test_tracers.test_sentry_sees_a_span_and_the_endpoint_its_header(
        way, is_open, serve, start_sentry
    )
