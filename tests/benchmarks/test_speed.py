from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT

BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package that run.py finds beside itself."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import speed.report
    import speed.server
    import speed.targets
    import speed.wire

    yield speed
    for name in [one for one in sys.modules if one.partition(".")[0] == "speed"]:
        del sys.modules[name]


def lines_of(url: str) -> list[Any]:
    url += "/v1/chat/completions"
    with httpx.stream("POST", url, json={"stream": True}, verify=False) as response:
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_the_server_answers_what_the_address_says(speed: ModuleType) -> None:
    with speed.server.running_server() as origin:
        for kind in ("text", "tools", "openai-tools", "logprobs"):
            for interval in (0, 1):
                events = lines_of(f"{origin}/{kind}/9/{interval}")
                assert events == speed.wire.events_as_json(kind, 9)
                assert len(events) == 9 + 2  # the role before, the usage after
        url = f"{origin}/text/3/0/v1/chat/completions"
        answers = [httpx.post(url, json={}, verify=False).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["choices"][0]["message"]["content"] == " the token of"


@pytest.mark.clock
def test_clients_take_turns_in_rounds(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    names = ["raw httpx", "ChatMonster"]
    options = ["--quick", "--only", "call", "--clients", ",".join(names), "--results", str(written)]
    command = [sys.executable, str(BENCHMARKS / "run.py"), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    rounds = json.loads(written.read_text("utf-8"))["rounds"]
    assert len(rounds) == 2
    for mode in ("sync", "async"):
        keys = [f"{name} / {mode} / call" for name in names]
        assert all(values[one] > 0 for values in rounds for one in keys)
        assert f"| ChatMonster | {mode} |" in done.stdout


def test_a_name_nobody_knows_is_refused() -> None:
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--only", "speeed"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "'speeed' is none of chunk, call" in done.stderr


def test_a_target_compares_the_medians_of_ratios(speed: ModuleType) -> None:
    rounds = [
        {
            "ChatMonster / sync / call": ours,
            "LangChain alone / sync / call": 100,
            "raw httpx / sync / call": raw,
        }
        for ours, raw in [(500, 400), (1100, 900), (9000, 100)]
    ]
    results = speed.results.Results("a machine", rounds)
    (target,) = speed.targets.targets(results)
    assert (target.figure, target.is_met) == (1.1, True)
    assert "1 of 1 met" in speed.report.page(results)


@pytest.mark.parametrize(
    "ours, least, verdict",
    [(540, 600, "met"), (560, 600, "**missed**, by the least, too"), (560, 500, "**missed**")],
)
def test_a_missed_target_says_whether_the_least_integration_misses_it(
    speed: ModuleType, ours: float, least: float, verdict: str
) -> None:
    values = {
        "ChatMonster / sync / call": ours,
        "LangChain + raw httpx / sync / call": least,
        "LangChain alone / sync / call": 100,
        "raw httpx / sync / call": 400,
        "load average": 2.5,
    }
    page = speed.report.page(speed.results.Results("a machine", [values, values]))
    row = next(line for line in page.splitlines() if "raw httpx | 1." in line)
    assert row.endswith(
        f"| 1.10 | {least / 500:.2f} | {ours / 500:.2f} to {ours / 500:.2f} | {verdict} |"
    )
    assert "load average\nmeanwhile: 2.50 to 2.50;" in page
