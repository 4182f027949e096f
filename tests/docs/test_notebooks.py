"""The notebooks in examples/ run, and print what they show."""

from __future__ import annotations

import ast
import inspect
import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.conftest import ROOT
from tests.llama_index.consumers.surroundings import OVERLOOKED, closed_memories, offline_settings

pytest.importorskip("langchain")  # cannot be installed beside the lowest versions

NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "examples").glob("*.ipynb"))}


async def run(source: str, names: dict[str, Any]) -> None:
    """Run a cell as a kernel does: an event loop runs already, and a cell may await."""
    result = eval(compile(source, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.iscoroutine(result):
        await result


def test_each_framework_has_a_notebook() -> None:
    assert list(NOTEBOOKS) == ["langchain", "llama_index"]


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.filterwarnings(*[mark.args[0] for mark in OVERLOOKED])
async def test_a_notebook_prints_what_it_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOKS[name].read_text("utf-8"))["cells"]
    programs = [cell for cell in cells if cell["cell_type"] == "code"]
    assert any(cell["outputs"] for cell in programs)
    names: dict[str, Any] = {"__name__": "__main__"}
    with patch.dict(os.environ), offline_settings(), closed_memories():
        for cell in programs:
            await run("".join(cell["source"]), names)
            shown = [text for output in cell["outputs"] for text in output["text"]]
            assert capsys.readouterr().out == "".join(shown)
