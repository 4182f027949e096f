"""The README is true: its examples run, and a reader meets one at once."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
SECTION = re.compile(r"^##+ (?P<title>.+?)\n(?P<text>.*?)(?=^##+ |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = {
    found["title"].lower().replace(" ", "-"): code
    for found in SECTION.finditer(README)
    for code in BLOCK.findall(found["text"])
}
EMULATED = ["without-a-key"]

PRINTED = {
    "langchain": ["Paris.", "To keep an eye on the mouse."],
    "llamaindex": ["Paris.", "To keep an eye on the mouse."],
    "tools-and-structured-answers": ["'city': 'Rome'", "name='Ana' age=34", "green"],
    "the-same-in-llamaindex": ["'city': 'Rome'", "name='Ana' age=34", "green"],
    "without-a-key": ["The capital of France is Paris."],
}


def run(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(EXAMPLES[title], f"README.md, {title}", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert [text for text in PRINTED[title] if text not in printed] == []


def test_every_example_is_run() -> None:
    assert EXAMPLES.keys() == PRINTED.keys()
    assert len(BLOCK.findall(README)) == len(EXAMPLES)


@pytest.mark.vcr
@pytest.mark.parametrize("title", [title for title in EXAMPLES if title not in EMULATED])
def test_an_example_prints_what_it_promises(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(title, capsys)


@pytest.mark.parametrize("title", EMULATED)
def test_an_example_needs_no_key(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(title, capsys)


def test_a_program_that_runs_stands_on_the_first_two_screens() -> None:
    assert README.index("```python") < README.index("\n## ", README.index("## Without a key") + 1)
    assert README[: README.index("```python")].count("\n") < 40
