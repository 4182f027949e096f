"""Keep what was measured, and compare it."""

from __future__ import annotations

import json
import platform
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path
from statistics import median

__all__ = ["LOAD_AVERAGE", "Results", "key", "this_machine"]

LOAD_AVERAGE = "load average"
"""Under which name a round holds how many processes wanted to run, over the minute before its end;
it is more than the cores where others work beside the benchmark."""

_PACKAGES = [
    "langchain-core",
    "langchain-openai",
    "langchain-mistralai",
    "llama-index-core",
    "llama-index-llms-openai-like",
    "httpx",
    "orjson",
    "pydantic",
]


def key(name: str, mode: str, figure: str) -> str:
    """Name a value.

    Args:
        name: The client, or what was imported.
        mode: "sync", "async", or empty.
        figure: What was measured.
    """
    return f"{name} / {mode} / {figure}"


@dataclass
class Results:
    """Hold every value of every round.

    Args:
        machine: What it was measured on.
        rounds: Values by key, for each round.
    """

    machine: str
    rounds: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what was written."""
        return cls(**json.loads(path.read_text("utf-8")))

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    def value(self, wanted: str) -> float | None:
        """Return the median of a value over the rounds, None if it was not measured.

        Args:
            wanted: Its key.
        """
        values = [one[wanted] for one in self.rounds if wanted in one]
        return median(values) if values else None

    def rounds_with(self, figures: Collection[str]) -> int:
        """Return how many rounds hold one of some figures, of whatever client.

        Args:
            figures: The figures' names.
        """
        return sum(any(name.split(" / ")[-1] in figures for name in one) for one in self.rounds)

    def ratio(self, wanted: str, *parts: str) -> float | None:
        """Return the median over the rounds of one value divided by the sum of others.

        Args:
            wanted: The key of the one.
            *parts: The keys of the others.
        """
        ratios = self.ratios(wanted, *parts)
        return median(ratios) if ratios else None

    def ratios(self, wanted: str, *parts: str) -> list[float]:
        """Return one value divided by the sum of others, in every round that holds all of them.

        Args:
            wanted: The key of the one.
            *parts: The keys of the others.
        """
        return [
            one[wanted] / sum(one[part] for part in parts)
            for one in self.rounds
            if all(name in one for name in (wanted, *parts))
        ]


def this_machine() -> str:
    """Describe this machine, its Python and the packages that are compared."""
    versions = ", ".join(f"{name} {found}" for name, found in _versions().items())
    return (
        f"{cpu_count()} cores of {_processor()}, {platform.system()}, "
        f"{platform.python_implementation()} {platform.python_version()}; {versions}"
    )


def _versions() -> Mapping[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
