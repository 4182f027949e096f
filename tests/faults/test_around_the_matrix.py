"""What takes more than one server, one fault or one call to show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from monster_core.errors import RateLimitError, RedirectError, StreamInterruptedError
from monster_emulator import Emulator
from tests.faults.columns import COLUMNS, Column, User

every_column = pytest.mark.parametrize("column", COLUMNS, ids=str)
CALLS = 8


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Emulator]:
    with Emulator(api_key="") as other:
        yield other


@every_column
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_neither_request_nor_key_to_another_host(
    emulator: Emulator, elsewhere: Emulator, column: Column, status: int
) -> None:
    target = f"{elsewhere.base_url}/chat/completions"
    emulator.fail("redirect", to=target, status=status)
    with opened(column, emulator) as user:
        error = user.ask("Hello").error
    assert type(error) is column.class_of(RedirectError)
    assert target in str(error)
    assert elsewhere.requests == []


@every_column
def test_a_model_may_ask_for_its_own_faults(emulator: Emulator, column: Column) -> None:
    asked = {"x-emulator-fault": "429; retry_after=0"}
    with opened(column, emulator, default_headers=asked, max_retries=3) as user:
        error = user.ask("Hello").error
    assert type(error) is column.class_of(RateLimitError)
    assert len(emulator.requests) == 4
    with opened(column, emulator) as user:
        assert user.ask("Repeat: abc").text == "abc"


@pytest.mark.parametrize("column", [one for one in COLUMNS if one.streams], ids=str)
def test_each_retry_meets_its_own_fault(emulator: Emulator, column: Column) -> None:
    for fault in ("503", "reset", "429; retry_after=0.01", "cut; after_tokens=2"):
        emulator.fail(fault)
    with opened(column, emulator, max_retries=5) as user:
        reached = user.ask("Repeat: abcdef")
    assert type(reached.error) is column.class_of(StreamInterruptedError)
    assert reached.text == "ab"
    assert len(emulator.requests) == 4, "nothing is sent again once the answer has begun"


@every_column
@pytest.mark.parametrize("fault", ["reset", "cut; after_tokens=2", "503"])
def test_many_failures_in_a_row_leave_no_connection_behind(
    emulator: Emulator, column: Column, fault: str
) -> None:
    emulator.fail(fault, times=CALLS)
    with opened(column, emulator, max_retries=0) as user:
        assert all(user.ask("Repeat: abcdef").error for _ in range(CALLS))
        assert user.ask("Repeat: abcdef").text == "abcdef"
        user.wait_until(lambda: emulator.connections <= 1, "only one connection is kept")
    user.wait_until(lambda: emulator.connections == 0, "all connections are closed")


def opened(column: Column, emulator: Emulator, **settings: Any) -> AbstractContextManager[User]:
    """Make a model that talks to an emulator."""
    told: dict[str, Any] = {
        "model": emulator.model,
        "api_key": emulator.api_key,
        "base_url": emulator.base_url,
        "timeout": 10,
    }
    return column.opened(**{**told, **settings})
