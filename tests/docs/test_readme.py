"""The README is true: its examples run, its tables are those of the code, its links lead on."""

from __future__ import annotations

import inspect
import re
import runpy

import pytest

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core import errors
from monster_core.settings import MonsterSettings
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


def test_the_tables_of_arguments_are_up_to_date() -> None:
    documented = runpy.run_path(str(ROOT / "docs" / "request_fields.py"))["with_tables"](README)
    assert documented == README, "run: python docs/request_fields.py --write"


def test_every_variable_is_documented() -> None:
    variables = {f"MONSTER_{name.upper()}" for name in MonsterSettings.model_fields}
    assert set(re.findall(r"^\| `(MONSTER_\w+)`", README, re.MULTILINE)) == variables


@pytest.mark.parametrize("model", [ChatMonster, MonsterLLM])
def test_every_documented_argument_exists(model: type) -> None:
    settings = README.partition("## Settings")[2].partition("## Errors")[0]
    others = {
        ChatMonster: {"api_base", "async_http_client"},
        MonsterLLM: {"base_url", "http_async_client"},
    }
    arguments = re.findall(r"^\|.*?\|.*?\|", settings, re.MULTILINE)[2:]
    named = {name for row in arguments for name in re.findall(r"`([a-z_]+)`", row)}
    assert named - others[model] <= model.model_fields.keys()  # type: ignore[attr-defined]


def test_every_error_a_call_can_raise_is_documented() -> None:
    table = README.partition("## Errors")[2].partition("## Request fields")[0]
    families = {"MonsterError", "TransportError", "StatusError"}
    kinds = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.MonsterError)
    }
    assert kinds - families - set(re.findall(r"`(\w+)`", table)) == set()


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
