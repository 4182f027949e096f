"""The quick start runs without a key, and says in one sentence what is wrong."""

from __future__ import annotations

import os
import runpy
from unittest.mock import patch

import pytest

from monster_emulator import Emulator
from tests.conftest import ROOT

PATH = str(ROOT / "examples" / "quickstart.py")


def start(**settings: str) -> int:
    with patch.dict(os.environ, settings), pytest.raises(SystemExit) as ended:
        runpy.run_path(PATH, run_name="__main__")
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_it_needs_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert start() == 0
    printed = capsys.readouterr()
    assert "asking a local emulator" in printed.out
    for framework in ("LangChain", "LlamaIndex"):
        assert f"{framework} asks meta-llama/Meta-Llama-3.1-8B-Instruct at http://127.0.0.1:" in (
            printed.out
        )
    assert printed.out.count("The capital of France is Paris. (") == 2
    assert printed.out.count("It had lost a bit. (") == 2
    assert printed.out.count("Call get_weather with {'city': 'Rome'}") == 2
    assert printed.out.count("Person(name='Ana', age=34)") == 2
    assert printed.err == ""


def test_it_asks_the_endpoint_that_is_named(
    monster_emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    base_url, key = monster_emulator.base_url, monster_emulator.api_key
    assert start(MONSTER_API_BASE=base_url, MONSTER_API_KEY=key) == 0
    assert base_url in capsys.readouterr().out
    assert len(monster_emulator.requests) == 8


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"MONSTER_API_KEY": "wrong"}, "api_key or MONSTER_API_KEY"),
        ({"MONSTER_API_KEY": ""}, "set MONSTER_API_KEY"),
        ({"MONSTER_MODEL": "gpt-9"}, "Check the model's name"),
        ({"MONSTER_API_BASE": "http://127.0.0.1:9/v1"}, "that the server runs"),
        ({"MONSTER_API_BASE": "http://llm.example/v1"}, "allow_http=True"),
        ({"MONSTER_TIMEOUT": "soon"}, "MONSTER_TIMEOUT"),
    ],
    ids=["wrong key", "no key", "unknown model", "dead port", "no encryption", "no number"],
)
def test_a_mistake_is_told_in_one_sentence(
    monster_emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, str],
    said: str,
) -> None:
    working = {
        "MONSTER_API_BASE": monster_emulator.base_url,
        "MONSTER_API_KEY": monster_emulator.api_key,
        "MONSTER_MAX_RETRIES": "0",
    }
    assert start(**{**working, **settings}) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
