"""docs/emulator.md is true: its table of faults is the emulator's."""

from __future__ import annotations

import re
from dataclasses import fields

from monster_emulator import Emulator
from monster_emulator._faults import FAULTS, Status
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "emulator.md").read_text("utf-8")


def test_the_table_of_faults_is_complete() -> None:
    table = PAGE.partition("<!-- faults -->")[2].partition("<!-- end of faults -->")[0]
    rows = [row.split("|")[1:3] for row in table.strip().splitlines()[2:]]
    documented = {
        fault.strip().strip("`").partition(",")[0]: set(re.findall(r"`(\w+)`", arguments))
        for fault, arguments in rows
    }
    assert documented == {
        "a status": _arguments(Status) - {"status"},
        **{name: _arguments(kind) for name, kind in FAULTS.items()},
    }


def _arguments(kind: type) -> set[str]:
    return {one.name for one in fields(kind)} - {"delay"}


def test_the_attributes_that_it_tells_are_there() -> None:
    table = PAGE.partition("| attribute | meaning |")[2].partition("\n\n")[0]
    names = re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in table.splitlines()[2:]))
    assert len(names) == 6
    assert [name for name in names if not hasattr(Emulator, name)] == []


def test_faults_in_words_are_faults() -> None:
    words = re.findall(r"'(?:x-emulator-fault: )?(\w+; [^']+)'|\"(\w+; [^\"]+)\"", PAGE)
    assert len(words) >= 4
    for one, other in words:
        Emulator().fail(one or other)
