"""Keep what an example registers to the example."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monster_core import model_families, server_profiles


@pytest.fixture(autouse=True)
def registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the tables of families and servers as they were."""
    monkeypatch.setattr(model_families, "FAMILIES", model_families.FAMILIES.copy())
    monkeypatch.setattr(model_families, "_PATTERNS", model_families._PATTERNS.copy())
    monkeypatch.setattr(server_profiles, "SERVER_PROFILES", server_profiles.SERVER_PROFILES.copy())
    yield
    model_families._FOUND.clear()
