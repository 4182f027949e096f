"""The notebooks in examples/ run, and print what they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "examples").glob("*.ipynb"))}
FORGET = """
import os
for name in ("MONSTER_API_BASE", "MONSTER_API_KEY"):
    del os.environ[name]
%reset -f
"""
"""What a kernel does so that the next notebook finds neither names nor settings of the last."""


def printed(notebook: Any) -> list[str]:
    return [
        "".join(output["text"] for output in cell.outputs if output["output_type"] == "stream")
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_each_framework_has_a_notebook() -> None:
    assert list(NOTEBOOKS) == ["langchain", "llama_index"]


def test_the_notebooks_print_what_they_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run them one after another in one kernel, which takes seconds to start."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.v4.new_notebook()
    for path in NOTEBOOKS.values():
        read = nbformat.read(path, as_version=4)
        assert any(printed(read))
        notebook.cells += [*read.cells, nbformat.v4.new_code_cell(FORGET)]
    shown = printed(notebook)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, timeout=120, coalesce_streams=True, resources=resources
    ).execute()
    assert printed(notebook) == shown
