"""What docs/integrations.md shows of other packages works with them.

FastAPI is in the group of the tests. The others are run by ``pytest -m slow``, each if it is
installed: ``pip install --group integrations``, and CrewAI in an environment of its own.
"""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from monster_emulator import Emulator
from tests.docs.pages import PAGES, Block, blocks

BY_NEEDS = {block.needs: block for block in blocks(PAGES["integrations"]) if block.needs}
PRINTING = [block for block in BY_NEEDS.values() if block.output is not None]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Emulator]:
    with Emulator() as emulator:
        monkeypatch.setenv("MONSTER_API_BASE", emulator.base_url)
        monkeypatch.setenv("MONSTER_API_KEY", emulator.api_key)
        monkeypatch.chdir(tmp_path)
        yield emulator


def names_of(block: Block) -> dict[str, Any]:
    """Run a block as a program, and return its names."""
    for package in block.needs:
        top = "openinference" if package.startswith("openinference") else package.replace("-", "_")
        if importlib.util.find_spec(top) is None:
            pytest.skip(f"{package} is not installed")
    source = "\n" * (block.line - 1) + block.text
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "docs/integrations.md", "exec"), names)
    return names


def test_every_block_is_run() -> None:
    others = {("fastapi",), ("streamlit",), ("ray",)}
    assert {block.needs for block in PRINTING} | others == BY_NEEDS.keys()


def test_an_answer_that_fastapi_streams_ends_with_its_reader(emulator: Emulator) -> None:
    server = uvicorn.Server(uvicorn.Config(names_of(BY_NEEDS["fastapi",])["app"], port=0))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        _wait_until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}/ask"
        assert httpx.get(address, params={"question": "Count to 5."}).text == "1, 2, 3, 4, 5"

        emulator.pace = 0.02
        with httpx.stream("GET", address, params={"question": "Count to 900."}) as response:
            assert next(response.iter_text()) == "1"
        _wait_until(lambda: emulator.aborted == 1 and emulator.in_progress == 0)
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("block", PRINTING, ids=lambda block: block.needs[0])
def test_an_example_prints_what_it_shows(
    block: Block, emulator: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    names_of(block)
    assert block.output is not None
    assert block.output in capfd.readouterr().out


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_streamlit_shows_the_answer(emulator: Emulator) -> None:
    testing = pytest.importorskip("streamlit.testing.v1")
    app = testing.AppTest.from_string(BY_NEEDS["streamlit",].text).run(timeout=60)
    app.chat_input[0].set_value("Count to 5.").run(timeout=60)
    shown = [(message.name, message.markdown[0].value) for message in app.chat_message]
    assert shown == [("user", "Count to 5."), ("assistant", "1, 2, 3, 4, 5")]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_ray_asks_again_only_what_has_no_answer(emulator: Emulator, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    answer_all = names_of(BY_NEEDS["ray",])["answer_all"]
    prompts, answers = tmp_path / "prompts", tmp_path / "answers"
    prompts.mkdir()
    ids = list(range(1000))
    table = arrow.table({"id": ids, "prompt": [f"Count to {one % 9 + 1}." for one in ids]})
    parquet.write_table(table, prompts / "1.parquet")

    settings = {"MONSTER_API_BASE": emulator.base_url, "MONSTER_API_KEY": emulator.api_key}
    options: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "num_cpus": 3}
    ray.init(runtime_env={"env_vars": settings}, logging_level="error", **options)
    try:
        emulator.fail(next=400, times=100)
        answer_all(str(prompts), str(answers))
        emulator.requests.clear()
        answer_all(str(prompts), str(answers))
    finally:
        ray.shutdown()
    assert len(emulator.requests) == 100
    files = sorted(answers.glob("*.parquet"))
    written = [id for file in files for id in parquet.read_table(file)["id"].to_pylist()]
    assert sorted(written) == ids
    assert len(files) > 3


def _wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
