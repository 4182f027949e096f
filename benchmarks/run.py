"""Measure what the clients of both frameworks cost, side by side, and write docs/benchmarks.md.

    make bench                                  # everything; half an hour
    make bench OPTIONS=--quick                  # an impression of chunks, calls and construction
    make bench OPTIONS="--only chunk,call --clients 'ChatMonster,LangChain alone,raw httpx'"

Every client has a process of its own, and what is compared takes short turns. The figures go to
.benchmarks/results.json; the page and its plot are written from them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from speed.cases import EVERY, GROUPS, cases
from speed.clients import CLIENTS
from speed.imports import compile_everything, import_figures
from speed.report import page, summary
from speed.results import LOAD_AVERAGE, Results, key, this_machine
from speed.server import running_server
from speed.workers import Workers

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / ".benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "benchmarks.png"
CHOICES = [*GROUPS, "import"]
QUICK = ["chunk", "call", "construction"]


def main() -> None:
    options = _options()
    results = measured(options)
    results.write(options.results)
    print(summary(results))
    if options.page:
        from speed.plot import draw

        PAGE.write_text(page(results), encoding="utf-8")
        draw(results, PLOT)
        print(f"Wrote {PAGE.relative_to(ROOT)} and {PLOT.relative_to(ROOT)}")


def measured(options: argparse.Namespace) -> Results:
    """Measure every round."""
    results = Results(this_machine())
    if "import" in options.only:
        compile_everything()
    with running_server() as origin, Workers(origin) as workers:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
            results.rounds.append(_round(options, workers, number))
            results.write(options.results)
    return results


def _round(options: argparse.Namespace, workers: Workers, number: int) -> dict[str, float]:
    values: dict[str, float] = {}
    for case in cases(options.only, options.clients, number):
        for figure, value in workers.turn(case).items():
            values[key(case.client, case.mode, figure)] = value
    values[LOAD_AVERAGE] = os.getloadavg()[0]
    if "import" in options.only and number % EVERY == 0:
        for name, figures in import_figures().items():
            values |= {key(name, "", figure): value for figure, value in figures.items()}
    return values


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", type=_names(CHOICES), help=f"some of {', '.join(CHOICES)}")
    parser.add_argument("--clients", type=_names([*CLIENTS]), default=[*CLIENTS])
    parser.add_argument("--quick", action="store_true", help="two rounds, without what takes long")
    parser.add_argument("--page", action="store_true", help="write docs/benchmarks.md and .png")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.rounds = 2 if options.quick else options.rounds
    options.only = options.only or (QUICK if options.quick else CHOICES)
    return options


def _names(known: list[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return names

    return read


if __name__ == "__main__":
    main()
