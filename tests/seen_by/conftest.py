"""Tests here are about the default transport, whatever the rest of the suite runs over."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def default_transport(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send async requests with httpx's own transport."""
    monkeypatch.delenv("MONSTER_ASYNC_TRANSPORT", raising=False)
