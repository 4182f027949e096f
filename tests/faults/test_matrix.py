"""Each fault of the matrix, met by each class in each way."""

from __future__ import annotations

import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from monster_emulator import Emulator
from tests.faults.columns import Column, Reached, User, columns_of
from tests.faults.matrix import MATRIX
from tests.faults.outcomes import Answers, Row

CARRIED = ["status_code", "server_message", "request_id", "retry_after", "partial_text"]


@pytest.mark.parametrize("place", range(len(MATRIX)), ids=[row.name for row in MATRIX])
def test_a_fault(
    place: int, emulators: list[Emulator], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Meet it in all ways at a time, each at its own server: some faults take a while."""
    row, columns = MATRIX[place], columns_of(place)

    def meet_it(column: Column, emulator: Emulator, base_url: str) -> str:
        try:
            meet(row, column, emulator, base_url)
        except Exception:
            return f"{column}: {traceback.format_exc()}"
        return ""

    with ExitStack() as places, ThreadPoolExecutor(len(columns)) as pool:
        addresses = [
            places.enter_context(row.at(emulator, monkeypatch, tmp_path))
            if row.at
            else emulator.base_url
            for emulator in emulators
        ]
        failures = [*filter(None, pool.map(meet_it, columns, emulators, addresses))]
    assert not failures, "\n".join(failures)


def meet(row: Row, column: Column, emulator: Emulator, base_url: str) -> None:
    """Ask for an answer that does not come as it should, then for one that does."""
    if row.script:
        emulator.fail(row.script)
    settings: dict[str, Any] = {"timeout": 10, "max_retries": 2, **row.settings}
    with closing(User(column, base_url, **settings)) as user:
        expect(row, column, user.ask(f"Repeat: {row.asked}"))
        promised = row.stream if column.streams else row.call
        assert len(emulator.requests) == promised.requests
        user.wait_until(lambda: emulator.in_progress == 0, "the server is free again")
        if not row.at:
            emulator.recover()
            if row.script == "hang_up":
                user.wait_until(lambda: emulator.connections == 0, "the server has hung up")
                time.sleep(0.1)  # a server's count falls a moment before its socket is closed
            assert user.ask(f"Repeat: {row.asked}").text == row.asked, "the next call"
    user.wait_until(lambda: emulator.connections == 0, "all connections are closed")


def expect(row: Row, column: Column, reached: Reached) -> None:
    """Compare what a user has with what the row promises."""
    promised = row.stream if column.streams else row.call
    if isinstance(promised, Answers):
        assert reached.error is None
        assert reached.text == row.asked
        assert reached.seconds >= promised.at_least
        return
    error: Any = reached.error
    assert type(error) is column.class_of(promised.kind), repr(error)
    assert promised.says in str(error)
    assert "sk-emulator" not in str(error)
    assert error.is_retryable is promised.is_retryable
    carried = {name: getattr(error, name, None) for name in CARRIED}
    assert carried == {**dict.fromkeys(CARRIED), **promised.attributes}
    assert reached.text == (error.partial_text or "")
