"""Run the doctor in this process, as the command line does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from monster_core.doctor.command import main
from monster_emulator import Emulator
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

    def expect_failure(self, name: str, *said: str) -> None:
        """Check that nothing but this check failed, and what is said of it."""
        assert self.names("failed") == [name]
        self.expect(name, "failed", *said)

    def expect(self, name: str, status: str, *said: str) -> None:
        """Check how a check ended, and what is said of it."""
        assert self.check(name)["status"] == status
        assert [one for one in said if one not in self.said(name)] == [], self.said(name)


@pytest.fixture
def examine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Examined]:
    """Examine an endpoint with the emulator's key, and read the JSON that is written."""
    monkeypatch.setenv("MONSTER_API_KEY", KEY)

    def run(where: Emulator | ScriptedServer | str, *options: str, **variables: str) -> Examined:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        address = where if isinstance(where, str) else where.base_url
        status = main(["doctor", "--json", "--timeout", "10", "--base-url", address, *options])
        return Examined(status, json.loads(capsys.readouterr().out))

    return run


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers that give scripted replies."""
    with ExitStack() as servers:
        yield lambda *replies, **how: servers.enter_context(ScriptedServer(*replies, **how))
