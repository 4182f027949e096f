"""Draw what was measured."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from speed.clients import CLIENTS
from speed.results import Results, key

__all__ = ["draw"]

_PANELS = {
    "a streamed chunk, in blocks": "chunk, text, in blocks",
    "a streamed chunk, one by one": "chunk, text, one by one",
    "a call": "call",
    "one of 64 calls at once": "call, 64 at once",
}
_COLOURS = {"ours": "#1a7f5a", "peer": "#b9bec6", "least": "#e3b341"}
_FRAMEWORKS = ["LangChain", "LlamaIndex"]
_MODES = {"sync": 1.0, "async": 0.6}


def draw(results: Results, path: Path) -> None:
    """Draw the CPU of a chunk and of a call, for ours, the peers and the least integrations.

    Args:
        results: What was measured.
        path: The file to write, a PNG.
    """
    mpl.rcParams.update({"font.size": 9})
    figure = Figure(figsize=(12, 5), layout="constrained")
    measured = [title for title, name in _PANELS.items() if results.rounds_with([name])]
    panels = figure.subplots(len(_FRAMEWORKS), len(measured), squeeze=False)
    for row, framework in zip(panels, _FRAMEWORKS, strict=True):
        for place, (axes, title) in enumerate(zip(row, measured, strict=True)):
            _panel(axes, results, framework, title, has_names=place == 0)
    figure.suptitle("CPU of the client in microseconds (dark: sync, light: async)")
    figure.savefig(path, dpi=65, pil_kwargs={"optimize": True})


def _panel(axes: Axes, results: Results, framework: str, title: str, *, has_names: bool) -> None:
    figure = _PANELS[title]
    names = [
        name
        for name, entry in CLIENTS.items()
        if entry.framework == framework and entry.role in _COLOURS
    ]
    for place, name in enumerate(names):
        for shift, (mode, alpha) in zip((-0.2, 0.2), _MODES.items(), strict=True):
            value = results.value(key(name, mode, figure))
            if value is not None:
                colour = _COLOURS[CLIENTS[name].role]
                bars = axes.barh(place + shift, value, height=0.38, color=colour, alpha=alpha)
                axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set_yticks(range(len(names)), names if has_names else [""] * len(names))
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.set_title(title, fontsize=9)
    axes.set_ylabel(framework if has_names else "")
    axes.spines[["top", "right"]].set_visible(False)
