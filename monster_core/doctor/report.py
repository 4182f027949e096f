"""Hold what an examination found: a setting, the result of a check, and the whole report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["CheckResult", "Finding", "Report", "Setting", "Status"]

Status = Literal["ok", "note", "failed", "skipped"]
"""How a check ended; "note" means that it works, and that there is something to know about it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Hold one setting and where it comes from.

    Args:
        name: The environment variable.
        value: The value, with secrets masked.
        source: The option of the command line, "variable", "default" or "not set".
    """

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold what a check found.

    Args:
        status: How it ended.
        detail: What was found.
        advice: What to do about it; empty where there is nothing to do, or ``detail`` says it.
    """

    status: Status
    detail: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Hold the finding of a check by its name, and how long the check took.

    Args:
        name: The check.
        status: How it ended.
        detail: What was found.
        advice: What to do about it.
        seconds: How long it took; 0 where nothing was tried.
    """

    name: str
    status: Status
    detail: str
    advice: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Hold everything that an examination found.

    Args:
        versions: The versions of this package, of Python and of what is installed.
        settings: The settings.
        results: The results of all checks, in their order.
    """

    versions: Mapping[str, str]
    settings: Sequence[Setting]
    results: Sequence[CheckResult]

    @property
    def failed(self) -> list[str]:
        """The names of the checks that failed."""
        return [result.name for result in self.results if result.status == "failed"]

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "ok": not self.failed,
            "versions": dict(self.versions),
            "settings": [asdict(setting) for setting in self.settings],
            "checks": [
                {**asdict(result), "seconds": round(result.seconds, 4)} for result in self.results
            ],
        }
