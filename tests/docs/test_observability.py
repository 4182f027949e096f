"""The examples of docs/observability.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sentry_sdk

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "observability.md").read_text("utf-8")
SECTION = re.compile(r"^## (?P<title>.+?)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = {
    found["title"]: code
    for found in SECTION.finditer(PAGE)
    for code in BLOCK.findall(found["text"])
}
PRINTED = {
    "Answer in the endpoint's place": "Paris.",
    "Record and replay": "Paris",
    "OpenTelemetry": "/v1/chat/completions 200",
    "Sentry": "",
}


def test_every_example_is_run() -> None:
    assert EXAMPLES.keys() == PRINTED.keys()
    assert len(BLOCK.findall(PAGE)) == len(EXAMPLES)


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_prints_what_it_promises(
    title: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[title], f"observability.md, {title}", "exec"), {"__name__": "__main__"})
    sentry_sdk.init(dsn="", default_integrations=False, auto_enabling_integrations=False)
    assert PRINTED[title] in capsys.readouterr().out


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE)
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []
