"""Every code block of the documentation runs, and prints what the page says.

The blocks of a page share their names, and run one after another, as in a notebook. The settings
name an emulator, which says what ``SAID`` holds.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk

from monster_core.doctor.command import _parser as doctor_options
from monster_core.settings import MonsterSettings
from monster_emulator import Emulator
from monster_emulator.__main__ import _parser as emulator_options
from tests.conftest import ROOT
from tests.docs.pages import PAGES, Block, blocks
from tests.llama_index.consumers.surroundings import OVERLOOKED, closed_memories, offline_settings

SAID = {
    "What is the capital of France?": "The capital of France is Paris.",
    "Tell me a joke.": "Why did the byte feel empty? It had lost a bit.",
}
"""What the emulator answers to the questions of the pages; the rest it answers by its rules."""

PROGRAMS = {
    name: [
        block
        for block in blocks(path)
        if block.language == "python" and not block.is_test and not block.needs
    ]
    for name, path in PAGES.items()
}
TESTS = [
    (name, block)
    for name, path in PAGES.items()
    for block in blocks(path)
    if block.language == "python" and block.is_test
]


def said(body: dict[str, Any]) -> str | None:
    content = body["messages"][-1]["content"]
    return SAID.get(content) if isinstance(content, str) else None


@pytest.fixture(autouse=True)
def endpoint_of_the_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with Emulator(replies=said) as emulator, offline_settings(), closed_memories():
        monkeypatch.setenv("MONSTER_API_BASE", emulator.base_url)
        monkeypatch.setenv("MONSTER_API_KEY", emulator.api_key)
        monkeypatch.chdir(tmp_path)
        yield
    sentry_sdk.init(dsn="", default_integrations=False, auto_enabling_integrations=False)


def run(name: str, block: Block, names: dict[str, Any]) -> None:
    source = "\n" * (block.line - 1) + block.text  # so that a traceback tells the page's line
    exec(compile(source, f"docs/{name}.md", "exec"), names)


@pytest.mark.parametrize("name", [name for name, programs in PROGRAMS.items() if programs])
@pytest.mark.filterwarnings(*[mark.args[0] for mark in OVERLOOKED])
def test_the_programs_of_a_page_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if any("from langchain." in block.text for block in PROGRAMS[name]):
        pytest.importorskip("langchain")  # cannot be installed beside the lowest versions
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in PROGRAMS[name]:
        run(name, block, names)
        printed = capsys.readouterr().out
        if block.output is not None:
            assert printed.rstrip() == block.output.rstrip(), f"docs/{name}.md:{block.line}"


def test_a_page_shows_what_its_programs_print() -> None:
    silent = [
        f"docs/{name}.md:{block.line}"
        for name, path in PAGES.items()
        for block in blocks(path)
        if block.language == "python" and not block.is_test
        if "print(" in block.text and block.output is None
    ]
    assert silent == [], "a block of text after it shall hold what it prints"


def _changes() -> list[Any]:
    return [
        pytest.param(name, block, id=f"{name}-{block.line}")
        for name, path in PAGES.items()
        for block in blocks(path)
        if block.language == "diff"
    ]


@pytest.mark.parametrize("name, block", _changes())
def test_what_a_change_makes_of_a_program_runs(name: str, block: Block) -> None:
    lines = [line[1:] for line in block.text.splitlines() if not line.startswith("-")]
    run(name, replace(block, text="\n".join(lines)), {"__name__": "__main__"})


def test_the_tests_of_the_pages_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, block in TESTS:
        (tmp_path / f"test_{name}_{block.line}.py").write_text(block.text, "utf-8")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = ["monster_emulator.pytest_plugin", "pytest_asyncio.plugin", "no:cacheprovider"]
    options = [option for plugin in plugins for option in ("-p", plugin)]
    settings = "asyncio_default_fixture_loop_scope=function"
    status = pytest.main(
        [*options, "-q", "-o", settings, "-W", "error", "--rootdir", str(tmp_path), str(tmp_path)]
    )
    printed = capsys.readouterr().out
    assert status == pytest.ExitCode.OK, printed
    tests = [re.findall(r"^(?:async )?def test_", block.text, re.MULTILINE) for _, block in TESTS]
    assert f"{sum(map(len, tests))} passed" in printed


def test_what_a_page_installs_can_be_installed() -> None:
    named = {
        extra
        for path in [ROOT / "README.md", *PAGES.values()]
        for extras in re.findall(r"monsterapi-integrations\[([\w,-]+)\]", path.read_text("utf-8"))
        for extra in extras.split(",")
    }
    assert named - set(metadata("monsterapi-integrations").get_all("Provides-Extra") or ()) == set()


def _commands() -> Iterator[str]:
    """Yield every line for a shell that a page, the README or CONTRIBUTING shows."""
    for path in [*PAGES.values(), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for block in blocks(path):
            yield from block.text.splitlines() if block.language == "sh" else ()


def test_a_command_of_a_page_is_one_that_there_is() -> None:
    settings = {f"MONSTER_{name.upper()}" for name in MonsterSettings.model_fields}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for line in _commands():
        match shlex.split(line, comments=True):
            case ["export", *assignments]:
                assert {one.partition("=")[0] for one in assignments} <= settings, line
            case ["python", "-m", "monster_emulator", *options]:
                emulator_options().parse_args(options)
            case ["monsterapi", *arguments]:
                doctor_options().parse_args(arguments)
            case ["make", *targets] | [_, "make", *targets]:
                named = [target for target in targets if "=" not in target]
                assert [one for one in named if f"\n{one}:" not in makefile] == [], line
            case ["pip" | "curl", *_] | [".venv/bin/python" | ".venv/bin/ruff", *_]:
                pass
            case _:
                pytest.fail(f"what is {line}?")
