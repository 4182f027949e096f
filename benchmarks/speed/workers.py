"""Keep one process for each client, and let them take turns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import IO, cast

from speed.cases import Case

__all__ = ["Workers"]


class Workers:
    """Measure cases; only one of the processes works at a time.

    Args:
        origin: Where the server listens.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._kept: dict[tuple[str, str], subprocess.Popen[str]] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._kept.values():
            _end(process)

    def turn(self, case: Case) -> dict[str, float]:
        """Take a turn of a case.

        Args:
            case: What to measure.

        Returns:
            The value of every figure.

        Raises:
            RuntimeError: The process failed; it has said why.
        """
        if case.is_alone:
            process = self._start(case)
            try:
                return _ask(process, case)
            finally:
                _end(process)
        name = case.client, case.mode
        if name not in self._kept:
            self._kept[name] = self._start(case)
        return _ask(self._kept[name], case)

    def _start(self, case: Case) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "speed.measure", case.client, case.mode, self._origin]
        return subprocess.Popen(
            command,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def _ask(process: subprocess.Popen[str], case: Case) -> dict[str, float]:
    asked, answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
    asked.write(f"{case.part}\n")
    asked.flush()
    line = answers.readline()
    if not line:
        raise RuntimeError(f"{case} failed; see above")
    figures: dict[str, float] = json.loads(line)
    return figures


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()
