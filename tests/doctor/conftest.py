"""Run the doctor in this process, as the command line does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from monster_core.doctor.command import main
from tests.core.scripted_server import ScriptedServer

KEY = "sk-emulator"


@dataclass
class Examined:
    """Hold what an examination told.

    Args:
        status: The exit status.
        report: The JSON object.
    """

    status: int
    report: dict[str, Any]

    def check(self, name: str) -> dict[str, Any]:
        """Return the result of a check."""
        return next(check for check in self.report["checks"] if check["name"] == name)

    def names(self, status: str) -> list[str]:
        """Return the names of the checks that ended so."""
        return [check["name"] for check in self.report["checks"] if check["status"] == status]

    def said(self, name: str) -> str:
        """Return all that is said of a check."""
        check = self.check(name)
        return f"{check['detail']} {check['advice']}"


@pytest.fixture
def examine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Examined]:
    """Examine an endpoint with the emulator's key, and read the JSON that is written."""
    monkeypatch.setenv("MONSTER_API_KEY", KEY)

    def run(*options: str, **variables: str) -> Examined:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        status = main(["doctor", "--json", "--timeout", "10", *options])
        return Examined(status, json.loads(capsys.readouterr().out))

    return run


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers that give scripted replies."""
    with ExitStack() as servers:
        yield lambda *replies, **how: servers.enter_context(ScriptedServer(*replies, **how))
