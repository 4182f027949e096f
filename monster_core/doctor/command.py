"""The command line: ``monsterapi doctor``, or ``python -m monster_core doctor``.

It needs rich, which is not among the requirements of the package: with what rich itself needs it
takes 14 MB, for a command that runs now and then. ``--json`` works without it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from monster_core.doctor.report import CheckResult, Report
from monster_core.doctor.settings_in_use import installed_versions, settings_in_use

__all__ = ["main"]

ALL_WORKS, SOMETHING_FAILED, WRONG_USAGE, RICH_IS_MISSING, INTERRUPTED = 0, 1, 2, 3, 130

_EXIT_STATUS = """\
exit status: 0 nothing failed; 1 a check failed; 2 the command line is wrong;
3 rich is not installed; 130 interrupted."""

_NO_RICH = (
    "monsterapi doctor writes with rich, which is not installed: "
    'pip install "monsterapi-integrations[cli]", or use --json.'
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line; the process's own if absent.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a model may write what a terminal cannot show
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _report_as_json(options) if options.json else _report_on_terminal(options)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has left, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOMETHING_FAILED


def _report_as_json(options: argparse.Namespace) -> int:
    report = _examine(options, lambda check: None, lambda result: None)
    print(json.dumps(report.to_json(), indent=2))
    return SOMETHING_FAILED if report.failed else ALL_WORKS


def _report_on_terminal(options: argparse.Namespace) -> int:
    try:
        from rich.console import Console
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "rich":
            raise
        print(_NO_RICH, file=sys.stderr)
        return RICH_IS_MISSING
    from monster_core.doctor.terminal import Terminal

    terminal = Terminal(Console(highlight=False, soft_wrap=False))
    terminal.head(installed_versions(), settings_in_use(_given(options)))
    with terminal:
        report = _examine(options, terminal.begins, terminal.result)
    terminal.tail(report)
    return SOMETHING_FAILED if report.failed else ALL_WORKS


def _examine(
    options: argparse.Namespace,
    begins: Callable[[str], object],
    ends: Callable[[CheckResult], object],
) -> Report:
    # httpx and pydantic's models take a while to import: a wrong command line is reported before
    from monster_core.doctor.connection_checks import CONNECTION_CHECKS
    from monster_core.doctor.endpoint_checks import ENDPOINT_CHECKS
    from monster_core.doctor.examination import Examination, examine
    from monster_core.doctor.model_checks import MODEL_CHECKS

    given = {"base_url": options.base_url, "model": options.model, "timeout": options.timeout}
    examination = Examination({name: value for name, value in given.items() if value is not None})
    results = []
    for result in examine(
        examination, (*CONNECTION_CHECKS, *ENDPOINT_CHECKS, *MODEL_CHECKS), begins
    ):
        ends(result)
        results.append(result)
    return Report(installed_versions(), settings_in_use(_given(options)), results)


def _given(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "MONSTER_API_BASE": options.base_url,
        "MONSTER_MODEL": options.model,
        "MONSTER_TIMEOUT": options.timeout,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="monsterapi")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    doctor = commands.add_parser(
        "doctor",
        help="examine the endpoint step by step",
        description="Examine the endpoint that your settings name, step by step, and say of "
        "whatever fails what to do. It sends about seven short requests. The key is read from "
        "MONSTER_API_KEY only, and never shown.",
        epilog=_EXIT_STATUS,
    )
    doctor.add_argument("--base-url", metavar="URL", help="the endpoint (MONSTER_API_BASE)")
    doctor.add_argument("--model", metavar="NAME", help="the model (MONSTER_MODEL)")
    doctor.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="for each check (MONSTER_TIMEOUT)"
    )
    doctor.add_argument("--json", action="store_true", help="write a JSON object; needs no rich")
    return parser
