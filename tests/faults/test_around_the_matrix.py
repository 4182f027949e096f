"""What takes more than one fault or one call to show."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from monster_core.errors import RateLimitError, StreamInterruptedError
from monster_emulator import Emulator
from tests.faults.columns import Column, User, columns_of

CALLS = 8

every_way = pytest.mark.parametrize("column", columns_of(0), ids=str)


@pytest.fixture
def emulator(emulators: list[Emulator]) -> Emulator:
    return emulators[0]


def opened(column: Column, emulator: Emulator, **settings: Any) -> closing[User]:
    return closing(User(column, emulator.base_url, timeout=10, **settings))


@every_way
def test_a_model_may_ask_for_its_own_faults(emulator: Emulator, column: Column) -> None:
    asked = {"x-emulator-fault": "429; retry_after=0"}
    with opened(column, emulator, default_headers=asked, max_retries=3) as user:
        error = user.ask("Hello").error
    assert type(error) is column.class_of(RateLimitError)
    assert len(emulator.requests) == 4
    with opened(column, emulator) as user:
        assert user.ask("Repeat: abc").text == "abc"


@pytest.mark.parametrize("column", [one for one in columns_of(0) if one.streams], ids=str)
def test_each_retry_meets_its_own_fault(emulator: Emulator, column: Column) -> None:
    for fault in ("503", "reset", "429; retry_after=0.01", "cut; after_tokens=2"):
        emulator.fail(fault)
    with opened(column, emulator, max_retries=5) as user:
        reached = user.ask("Repeat: abcdef")
    assert type(reached.error) is column.class_of(StreamInterruptedError)
    assert reached.text == "ab"
    assert len(emulator.requests) == 4, "nothing is sent again once the answer has begun"


@every_way
@pytest.mark.parametrize("fault", ["reset", "cut; after_tokens=2", "503"])
def test_many_failures_in_a_row_leave_no_connection_behind(
    emulator: Emulator, column: Column, fault: str
) -> None:
    emulator.fail(fault, times=CALLS)
    with opened(column, emulator) as user:
        assert all(user.ask("Repeat: abcdef").error for _ in range(CALLS))
        assert user.ask("Repeat: abcdef").text == "abcdef"
        user.wait_until(lambda: emulator.connections <= 1, "only one connection is kept")
    user.wait_until(lambda: emulator.connections == 0, "all connections are closed")
