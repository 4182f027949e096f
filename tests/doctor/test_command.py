"""The command line: what it takes, what it writes, how it ends."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from monster_core.doctor.command import main
from monster_core.version import __version__
from monster_emulator import Emulator
from tests.doctor.conftest import KEY


def test_it_writes_a_line_for_each_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONSTER_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "80")
    with Emulator() as emulator:
        status = main(["doctor", "--base-url", emulator.base_url])
    written = capsys.readouterr().out
    assert status == 0
    assert __version__ in written
    assert f"*** ({len(KEY)} characters)" in written
    assert KEY not in written
    assert "Nothing failed." in written
    assert max(len(line) for line in written.splitlines()) <= 80
    assert "\x1b" not in written


def test_what_failed_stands_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONSTER_API_KEY", "sk-another-one")
    with Emulator() as emulator:
        assert main(["doctor", "--base-url", emulator.base_url]) == 1
    assert capsys.readouterr().out.endswith("Failed: key.\n")


def test_a_variable_that_is_not_read_is_pointed_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONSTER_BASE_URL", "http://127.0.0.1:9/v1")
    main(["doctor", "--json", "--base-url", "http://127.0.0.1:9/v1"])
    assert "MONSTER_API_BASE" in capsys.readouterr().out


@pytest.mark.parametrize("variable", ["MONSTER_TIMEOUT", "MONSTER_MAX_RETRIES"])
def test_a_variable_that_cannot_be_used_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "soon")
    assert main(["doctor"]) == 1
    written = " ".join(capsys.readouterr().out.split())
    assert f"The environment variable {variable}" in written


@pytest.mark.parametrize(
    "arguments, status", [((), 2), (("examine",), 2), (("doctor", "--key"), 2)]
)
def test_a_wrong_command_line_is_status_2(
    arguments: tuple[str, ...], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == status
    assert "usage: monsterapi" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_not_an_error() -> None:
    command = [sys.executable, "-m", "monster_core", "doctor", "--base-url", "http://127.0.0.1:9"]
    with subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(30) == 1


def test_it_can_be_interrupted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("socket.create_connection", interrupt)
    assert main(["doctor", "--base-url", "http://127.0.0.1:9/v1"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_what_a_terminal_cannot_write_is_written_in_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MONSTER_API_KEY", KEY)
    written = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", written)
    with Emulator(replies=lambda body: "Gr\u00fc\u00df dich!") as emulator:
        main(["doctor", "--base-url", emulator.base_url])
    written.seek(0)
    assert "'Gr\\xfc\\xdf dich!'" in written.read()


def test_json_needs_neither_rich_nor_a_framework() -> None:
    alone = (
        "import sys; missing = ('rich', 'rich.console', 'langchain_core', 'llama_index'); "
        "sys.modules.update(dict.fromkeys(missing)); "
        "from monster_core.doctor.command import main; "
        "print(main(['doctor']), file=sys.stderr); sys.exit(main(sys.argv[1:]))"
    )
    with Emulator(api_key="") as emulator:
        options = ["doctor", "--json", "--base-url", emulator.base_url]
        found = subprocess.run(
            [sys.executable, "-W", "error", "-c", alone, *options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    *said, refused = found.stderr.splitlines()
    assert 'pip install "monsterapi-integrations[cli]"' in " ".join(said)
    assert refused == "3"
    assert found.returncode == 1
    assert '"ok": false' in found.stdout  # no key is set


def test_it_is_a_command_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    (script,) = entry_points(group="console_scripts", name="monsterapi")
    assert script.load() is main
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--help"])
    assert ended.value.code == 0
    assert "exit status: 0 nothing failed" in capsys.readouterr().out
