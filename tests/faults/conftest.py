"""Fixtures of the fault tests: one emulator for all of them, as if just started for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monster_core.transport import retry
from monster_emulator import Emulator
from tests.scripted_replies import small_talk


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    """Run an emulator while the tests run."""
    with Emulator(replies=small_talk) as running:
        yield running


@pytest.fixture
def emulator(running_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return the running emulator, whose clients ask again after milliseconds."""
    monkeypatch.setattr(retry, "_FIRST_DELAY_SECONDS", 0.01)
    running_emulator.recover()
    running_emulator.requests.clear()
    return running_emulator
