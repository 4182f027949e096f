"""The pytest fixture `monster_emulator`: a running emulator, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from . import _clock as _clock  # before a test can stop the time

if TYPE_CHECKING:
    from monster_emulator import Emulator


@pytest.fixture
def monster_emulator() -> Iterator[Emulator]:
    """Serve an emulator while the test runs."""
    from monster_emulator import Emulator

    with Emulator() as emulator:
        yield emulator
