"""CONTRIBUTING names files that are there."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_files_to_change_are_there() -> None:
    rows = [row.split("|")[2:4] for row in PAGE.splitlines() if row.startswith("| ")]
    named = {
        name
        for cells in rows
        for cell in cells
        for name in re.findall(r"`((?:\w+/)+[\w./]*)`", cell)
    }
    assert len(named) > 25
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
