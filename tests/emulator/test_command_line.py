from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from monster_emulator.__main__ import main

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "monster_emulator"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout
            assert "not a language model" in process.stdout.readline()
            yield process, process.stdout.readline().split()[0]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_even_while_it_streams(number):
    with running("--pace", "0.05", "--api-key", "k", "--model", "a", "b") as (process, base_url):
        body = {
            "model": "b",
            "messages": [{"role": "user", "content": "count to 1000"}],
            "stream": True,
        }
        url, headers = f"{base_url}/chat/completions", {"Authorization": "Bearer k"}
        with httpx.stream("POST", url, json=body, headers=headers, trust_env=False) as response:
            assert response.status_code == 200
            lines = response.iter_lines()
            next(lines)
            process.send_signal(number)
            _, errors = process.communicate(timeout=5)
        assert (process.returncode, errors) == (0, "")


def test_options_reach_the_endpoint_and_faults_happen_in_their_order():
    options = ["--api-key", "", "--model", "m", "--max-model-len", "64"]
    faults = ["--fail", "429; retry_after=2", "--fail", "503; times=2; body=busy"]
    with running(*options, *faults) as (_, base_url):
        replies = [httpx.get(f"{base_url}/models", trust_env=False) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [429, 503, 503, 200]
    assert replies[0].headers["retry-after"] == "2"
    assert replies[1].text == "busy"
    (card,) = replies[3].json()["data"]
    assert (card["id"], card["max_model_len"]) == ("m", 64)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--fail", "cutt"], "There is no fault 'cutt' (did you mean 'cut'?)."),
        (["--fail", "cut; times=0"], "The argument 'times' of a fault must be"),
        (["--port", "0", "--certfile", "nowhere.pem"], "the certificate or its key cannot be read"),
        (["--port", "70000"], "Cannot listen on 127.0.0.1, port 70000"),
        (["--port", "IN USE"], "is already in use on 127.0.0.1; choose another one with --port."),
    ],
)
def test_what_cannot_be_is_one_sentence(endpoint, monkeypatch, capsys, arguments, said):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    port = urlsplit(endpoint.emulator.base_url).port
    assert main([str(port) if one == "IN USE" else one for one in arguments]) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)


def test_the_fixture_is_a_fresh_emulator_for_each_test(tmp_path):
    test = tmp_path / "test_it.py"
    test.write_text(
        "import pytest, urllib.request\n"
        "@pytest.mark.parametrize('_', range(2))\n"
        "def test_it(monster_emulator, _):\n"
        "    key = f'Bearer {monster_emulator.api_key}'\n"
        "    url = monster_emulator.base_url + '/models'\n"
        "    request = urllib.request.Request(url, headers={'Authorization': key})\n"
        "    assert urllib.request.urlopen(request).status == 200\n"
        "    assert len(monster_emulator.requests) == 1\n"
    )
    plugin = ["-p", "monster_emulator.pytest_plugin", "-p", "no:cacheprovider", "-W", "error"]
    command = [sys.executable, "-m", "pytest", "-q", *plugin, "--rootdir", tmp_path, test]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout
