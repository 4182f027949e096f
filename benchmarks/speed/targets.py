"""Say what this project wants to cost, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from speed.clients import OVER_AIOHTTP
from speed.results import Results, key

__all__ = ["Target", "targets"]

_FLOORS = {"ChatMonster": "LangChain alone", "MonsterLLM": "LlamaIndex alone"}
_LEAST = {"ChatMonster": "LangChain + raw httpx", "MonsterLLM": "LlamaIndex + raw httpx"}
_PEERS = {"ChatMonster": "ChatOpenAI", "MonsterLLM": "OpenAILike"}
_CALL_LIMITS = {"sync": 1.1, "async": 1.15}
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
        least: What the least integration comes to, the framework with raw httpx in it; None where
            there is none to compare.
        spread: The least and the most that a round found.
    """

    name: str
    figure: float
    limit: float
    unit: str = "x"
    least: float | None = None
    spread: tuple[float, float] = (0.0, 0.0)

    @property
    def is_met(self) -> bool:
        """Whether the figure keeps within the limit."""
        return self.figure <= self.limit

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the least integration does not keep within the limit either."""
        return self.least is not None and self.least > self.limit


def targets(results: Results) -> list[Target]:
    """Return every target whose figures were measured.

    Args:
        results: What was measured.
    """
    return [
        Target(name, median(figures), limit, unit, least, (min(figures), max(figures)))
        for name, figures, limit, unit, least in _all(results)
        if figures
    ]


_Row = tuple[str, list[float], float, str, float | None]


def _all(results: Results) -> Iterator[_Row]:
    for ours, floor in _FLOORS.items():
        for mode, over in (("sync", ""), ("async", ""), ("async", OVER_AIOHTTP)):
            yield from _near_the_floor(results, ours + over, floor, f"raw httpx{over}", mode)
        for mode in ("sync", "async"):
            yield from _below_the_peers(results, ours, mode)
        yield from _many_at_once(results, ours)
        yield from _not_growing(results, ours)
        name = f"{ours}: a further model of equal settings with its first call"
        costs, least = (_costs_of_a_new_model(results, one) for one in (ours, _LEAST[ours]))
        yield name, costs, 150, "us", median(least) if least else None
    yield from _importing(results)


def _costs_of_a_new_model(results: Results, name: str) -> list[float]:
    new, known = (key(name, "sync", one) for one in ("call of a new model", "call"))
    return [one[new] - one[known] for one in results.rounds if new in one and known in one]


def _near_the_floor(results: Results, ours: str, floor: str, raw: str, mode: str) -> Iterator[_Row]:
    for figure in [*_CHUNKS, "call"]:
        alone = figure.replace("one by one", "in blocks")  # the floor reads nothing
        parts = key(floor, mode, alone), key(raw, mode, figure)
        ratios = results.ratios(key(ours, mode, figure), *parts)
        least = results.ratio(key(f"{floor.split()[0]} + {raw}", mode, figure), *parts)
        limit = _CALL_LIMITS[mode] if figure == "call" else 1.15
        yield f"{ours}, {mode}: {figure}, to {floor} + {raw}", ratios, limit, "x", least


def _below_the_peers(results: Results, ours: str, mode: str) -> Iterator[_Row]:
    figures = ["call", *(one for one in _CHUNKS if "logprobs" not in one)]
    limits = {_PEERS[ours]: 0.4} | ({"ChatMistralAI": 1.0} if ours == "ChatMonster" else {})
    for peer, limit in limits.items():
        for figure in figures:
            ratios = results.ratios(key(ours, mode, figure), key(peer, mode, figure))
            least = results.ratio(key(_LEAST[ours], mode, figure), key(peer, mode, figure))
            yield f"{ours}, {mode}: {figure}, to {peer}", ratios, limit, "x", least


def _many_at_once(results: Results, ours: str) -> Iterator[_Row]:
    limits = {
        "call, 64 at once": 0.1,
        "chunk, 512 streams at once": 0.15,
        "512 streams on top, MB": 1 / 3,
    }
    name = ours + OVER_AIOHTTP
    for figure, limit in limits.items():
        peer = key(_PEERS[ours], "async", figure)
        ratios = results.ratios(key(name, "async", figure), peer)
        least = results.ratio(key(_LEAST[ours] + OVER_AIOHTTP, "async", figure), peer)
        yield f"{name}: {figure}, to {_PEERS[ours]}", ratios, limit, "x", least


def _not_growing(results: Results, ours: str) -> Iterator[_Row]:
    for kind in ("text", "tools"):
        for ending, said in (("", ""), (", no collector", ", with the garbage collector off")):
            long, short = (f"chunk, {kind}, {size} answer{ending}" for size in ("long", "short"))
            ratios = results.ratios(key(ours, "sync", long), key(ours, "sync", short))
            alone = (key(_FLOORS[ours], "sync", one) for one in (long, short))
            least = results.ratio(*alone)
            yield (
                f"{ours}: a chunk of 20,000 ({kind}), to one of 500{said}",
                ratios,
                1.1,
                "x",
                least,
            )
    ratios = results.ratios(key(ours, "sync", "call, late"), key(ours, "sync", "call, early"))
    yield f"{ours}: a call after 5,300, to one after 50", ratios, 1.1, "x", None


def _importing(results: Results) -> Iterator[_Row]:
    pairs = [
        ("langchain_monster", "langchain_core.language_models"),
        ("ChatMonster", "BaseChatModel"),
        ("llama_index_monster", "llama_index.core.llms"),
    ]
    for ours, base in pairs:
        ratios = results.ratios(key(ours, "", "import, ms"), key(base, "", "import, ms"))
        yield f"import {ours}, to {base}", ratios, 1.1, "x", None
