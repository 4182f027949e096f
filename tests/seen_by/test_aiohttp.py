"""With async_transport="aiohttp", what stands at httpx's client sees async requests as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.seen_by import ways
from tests.seen_by.test_mocks import test_a_mocked_send_answers as a_mocked_send_answers
from tests.seen_by.test_mocks import test_pook_answers as pook_answers
from tests.seen_by.ways import Way


@pytest.mark.parametrize("is_answered", [pook_answers, a_mocked_send_answers])
@pytest.mark.parametrize(
    "ask, is_stream",
    [
        (ways.ainvoke, False),
        (ways.astream, True),
        (ways.acomplete, False),
        (ways.astream_complete, True),
    ],
)
async def test_a_mock_at_the_client_answers(
    is_answered: Callable[[Way, bool], Awaitable[None]],
    ask: Way,
    is_stream: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MONSTER_ASYNC_TRANSPORT", "aiohttp")
    await is_answered(ask, is_stream)
