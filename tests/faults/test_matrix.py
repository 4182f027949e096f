"""Each fault of the matrix, met by each class in each way."""

from __future__ import annotations

import time
from contextlib import nullcontext
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from monster_emulator import Emulator
from tests.faults.columns import COLUMNS, Column, Reached
from tests.faults.matrix import MATRIX
from tests.faults.outcomes import Answers, Fails, Row

CARRIED = ["status_code", "server_message", "request_id", "retry_after", "partial_text"]


@pytest.mark.parametrize("column", COLUMNS, ids=str)
@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.name)
def test_a_fault(
    row: Row,
    column: Column,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for words in row.script:
        emulator.fail(words)
    settings: dict[str, Any] = {"timeout": 10, "max_retries": 2, **row.settings}
    place = row.at(emulator, monkeypatch, tmp_path) if row.at else nullcontext(emulator.base_url)
    with (
        place as base_url,
        column.opened(
            model=emulator.model, api_key=emulator.api_key, base_url=base_url, **settings
        ) as user,
    ):
        reached = user.ask(f"Repeat: {row.asked}")
        expect(row, column, reached)
        promised = row.stream if column.streams else row.call
        assert len(emulator.requests) == promised.requests
        user.wait_until(lambda: emulator.in_progress == 0, "the server is free again")
        if not row.at:
            emulator.recover()
            if "hang_up" in row.script:
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
    assert carried == {**dict.fromkeys(CARRIED), **_told(promised), **promised.attributes}
    assert reached.text == (error.partial_text or "")


def _told(promised: Fails) -> dict[str, Any]:
    """Name what the emulator says of a status by itself."""
    status = promised.attributes.get("status_code")
    phrases = {one.value: one.phrase for one in HTTPStatus}
    return {"server_message": phrases.get(status, f"Status {status}")} if status else {}
