"""docs/doctor.md shows what the doctor writes."""

from __future__ import annotations

import re

import pytest

from monster_core.doctor.command import main
from monster_core.doctor.connection_checks import CONNECTION_CHECKS
from monster_core.doctor.endpoint_checks import ENDPOINT_CHECKS
from monster_core.doctor.model_checks import MODEL_CHECKS
from monster_emulator import Emulator
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "doctor.md").read_text("utf-8")
CHECKS = [check.name for check in (*CONNECTION_CHECKS, *ENDPOINT_CHECKS, *MODEL_CHECKS)]


def without_figures(text: str) -> list[str]:
    text = re.sub(r" +[0-9.]+ (?:ms|s) ", " TIME ", text)
    text = re.sub(r"after \d+ ms", "after TIME", text)
    lines = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text).splitlines()
    return [line.rstrip() for line in lines if line.strip()]


def test_the_page_shows_what_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    with Emulator() as emulator:
        monkeypatch.setenv("MONSTER_API_KEY", emulator.api_key)
        main(["doctor", "--base-url", emulator.base_url, "--model", emulator.model])
    written = capsys.readouterr().out.partition("\nChecks\n")[2].rpartition("\nNothing")[0]
    shown = PAGE.partition("<!-- checks -->\n```text\n")[2].partition("```")[0]
    assert without_figures(written) == without_figures(shown)


def test_the_page_describes_every_check() -> None:
    table = PAGE.partition("## What is checked")[2]
    assert re.findall(r"^\| ([\w ]+) \|", table, re.MULTILINE)[1:] == CHECKS
