"""docs/emulator.md is true: its examples run, its table of faults is the emulator's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from monster_emulator import Emulator
from monster_emulator._fault_text import FAULTS
from monster_emulator._faulty_answers import Status
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "emulator.md").read_text("utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PROGRAMS = [block for block in PYTHON if "def test_" not in block]
TESTS = [block for block in PYTHON if "def test_" in block]


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_runs(number: int) -> None:
    exec(compile(PROGRAMS[number], "docs/emulator.md", "exec"), {"__name__": "__main__"})


def test_the_tests_that_it_shows_pass(tmp_path: Path) -> None:
    (block,) = TESTS
    file = tmp_path / "test_it.py"
    file.write_text(block, "utf-8")
    plugin = ["-p", "monster_emulator.pytest_plugin", "-p", "no:cacheprovider", "-W", "error"]
    command = [sys.executable, "-m", "pytest", "-q", *plugin, "--rootdir", str(tmp_path), str(file)]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        command, cwd=ROOT, env=alone, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{block.count('def test_')} passed" in run.stdout


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


def test_its_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE)
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []
