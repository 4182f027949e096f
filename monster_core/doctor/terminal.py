"""Show an examination on a terminal while it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.status import Status as Spinner
from rich.table import Table
from rich.text import Text

from monster_core.doctor.report import CheckResult, Report, Setting

__all__ = ["Terminal"]

_STYLES = {"ok": "green", "note": "yellow", "failed": "bold red", "skipped": "dim"}


class Terminal:
    """Write each result as it comes; a spinner shows the check that runs.

    Args:
        console: Where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner: Spinner | None = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_spinner()  # else the cursor of an interrupted examination stays hidden

    def head(self, versions: Mapping[str, str], settings: Sequence[Setting]) -> None:
        """Write what is installed and what is set."""
        told = ", ".join(f"{name} {version}" for name, version in versions.items())
        self._console.print(Text(told, style="dim"))
        table = self._table(23, 10)
        for setting in settings:
            source = Text(setting.source, style="dim")
            table.add_row(Text(setting.name), source, Text(setting.value))
        self._write("Settings", table)
        self._write("Checks", None)

    def begins(self, check: str) -> None:
        """Show that a check runs."""
        if self._console.is_terminal:
            self._spinner = self._console.status(f"{check} ...", spinner="line")
            self._spinner.start()

    def result(self, result: CheckResult) -> None:
        """Write the result of a check."""
        self._stop_spinner()
        table = self._table(7, 14, 7)
        tried = result.status != "skipped"
        style = _STYLES[result.status]
        detail = Text(result.detail, style="" if tried else style)
        if result.advice:
            detail.append(f"\n{result.advice}", style=style)
        table.add_row(
            Text(result.status, style=style),
            Text(result.name),
            Text(_duration(result.seconds) if tried else "", style="dim", justify="right"),
            detail,
        )
        self._console.print(table)

    def tail(self, report: Report) -> None:
        """Write how the examination ended."""
        failed = report.failed
        if failed:
            end = Text(f"\nFailed: {', '.join(failed)}.", style="bold red")
        else:
            end = Text("\nNothing failed.", style="bold green")
        self._console.print(end)

    def _stop_spinner(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None

    def _write(self, title: str, table: Table | None) -> None:
        self._console.print()
        self._console.print(Text(title, style="bold"))
        if table is not None:
            self._console.print(table)

    def _table(self, *widths: int) -> Table:
        """Return a table of columns of these widths, and a last one that takes what is left."""
        table = Table.grid(padding=(0, 1, 0, 0))
        for width in widths:
            table.add_column(width=width)
        table.add_column(overflow="fold")
        return table


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
