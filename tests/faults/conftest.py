"""Fixtures of the fault tests: emulators, whose clients ask again after milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from monster_core.transport import retry
from monster_emulator import Emulator
from tests.faults.columns import WAYS


@pytest.fixture
def emulators(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Emulator]]:
    """Run an emulator for each way to ask."""
    monkeypatch.setattr(retry, "_FIRST_DELAY_SECONDS", 0.01)
    with ExitStack() as running:
        yield [running.enter_context(Emulator()) for _ in WAYS]
