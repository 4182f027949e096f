"""Say what this project wants to cost, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from speed.results import Results, key

__all__ = ["Target", "targets"]

_FLOORS = {"ChatMonster": "LangChain alone", "MonsterLLM": "LlamaIndex alone"}
_PEER = "ChatOpenAI"
_CHUNKS = [
    f"chunk, {kind}, {pace}"
    for kind in ("text", "tools", "logprobs")
    for pace in ("in blocks", "one by one")
]


@dataclass(frozen=True)
class Target:
    """Compare a figure with the most it may be.

    Args:
        name: What is compared.
        figure: What was measured.
        limit: The most it may be.
        unit: What both are counted in; "x" for a ratio.
    """

    name: str
    figure: float
    limit: float
    unit: str = "x"

    @property
    def is_met(self) -> bool:
        """Whether the figure keeps within the limit."""
        return self.figure <= self.limit


def targets(results: Results) -> list[Target]:
    """Return every target whose figures were measured.

    Args:
        results: What was measured.
    """
    return [
        Target(name, figure, limit, unit)
        for name, figure, limit, unit in _all(results)
        if figure is not None
    ]


_Row = tuple[str, float | None, float, str]


def _all(results: Results) -> Iterator[_Row]:
    for ours, floor in _FLOORS.items():
        for mode in ("sync", "async"):
            yield from _near_the_floor(results, ours, floor, mode)
            yield from _far_below(results, ours, mode)
        yield from _not_growing(results, ours)
        cost = results.value(key(ours, "sync", "construction"))
        yield f"{ours}: construction after the first", cost, 100, "us"
    yield from _importing(results)


def _near_the_floor(results: Results, ours: str, floor: str, mode: str) -> Iterator[_Row]:
    for figure in [*_CHUNKS, "call"]:
        alone = figure.replace("one by one", "in blocks")  # the floor reads nothing
        parts = key(floor, mode, alone), key("raw httpx", mode, figure)
        ratio = results.ratio(key(ours, mode, figure), *parts)
        yield f"{ours}, {mode}: {figure}, to {floor} + raw httpx", ratio, 1.15, "x"


def _far_below(results: Results, ours: str, mode: str) -> Iterator[_Row]:
    for figure, limit in {"call, 64 at once": 0.1, "chunk, 512 streams at once": 0.25}.items():
        ratio = results.ratio(key(ours, mode, figure), key(_PEER, mode, figure))
        yield f"{ours}, {mode}: {figure}, to {_PEER}", ratio, limit, "x"


def _not_growing(results: Results, ours: str) -> Iterator[_Row]:
    for kind in ("text", "tools"):
        for ending, said in (("", ""), (", no collector", ", with the garbage collector off")):
            long, short = (f"chunk, {kind}, {size} answer{ending}" for size in ("long", "short"))
            ratio = results.ratio(key(ours, "sync", long), key(ours, "sync", short))
            yield f"{ours}: a chunk of 20,000 ({kind}), to one of 500{said}", ratio, 1.1, "x"
    ratio = results.ratio(key(ours, "sync", "call, late"), key(ours, "sync", "call, early"))
    yield f"{ours}: a call after 5,300, to one after 50", ratio, 1.1, "x"


def _importing(results: Results) -> Iterator[_Row]:
    pairs = [
        ("langchain_monster", "langchain_core.language_models"),
        ("ChatMonster", "BaseChatModel"),
        ("llama_index_monster", "llama_index.core.llms"),
    ]
    for ours, base in pairs:
        ratio = results.ratio(key(ours, "", "import, ms"), key(base, "", "import, ms"))
        yield f"import {ours}, to {base}", ratio, 1.1, "x"
