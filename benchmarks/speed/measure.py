"""Measure one client in a process of its own: a part a line from stdin, its figures as JSON.

    python -m speed.measure ChatMonster sync http://127.0.0.1:8000

Figures are microseconds of this process' CPU unless a name says otherwise. A turn is short, for a
processor's speed changes from one second to the next: what is compared must lie close together. It
begins with work that is not measured, for the process has slept since its last one.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from speed.clients import CLIENTS, Address, Client, make_client, make_model
from speed.modes import MODES, Mode, cpu_of
from speed.own_work import STEPS, steps

__all__ = ["Measured", "figures"]

SHORT = 20
"""Chunks of a short stream, and tokens of an answer."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Measured:
    """Say what is measured.

    Args:
        client: One of CLIENTS.
        mode: How it is asked.
        origin: Where the server listens.
    """

    client: str
    mode: Mode
    origin: str

    def address(self, kind: str = "text", count: int = SHORT, interval: int = 0) -> Address:
        """Return an address of the server's; see Address."""
        return Address(self.origin, kind, count, interval)


def figures(part: str, measured: Measured) -> Iterator[Figures]:
    """Take one turn after another; the first is preceded by a warm-up.

    Args:
        part: One of the parts.
        measured: What is measured.
    """
    return _PARTS[part](measured)


def _chunk(measured: Measured) -> Iterator[Figures]:
    """Compare long streams with short ones: the difference holds nothing of what a call costs."""
    entry, mode = CLIENTS[measured.client], measured.mode
    paces = {"in blocks": (0, 200, 5), "one by one": (1000, 60, 1)}
    if entry.role in ("floor", "ready-made"):
        del paces["one by one"]  # it reads nothing
    streams = {
        (name, pace): [
            make_client(measured.client, measured.address(kind, count, interval))
            for count in (SHORT, SHORT + between)
        ]
        for name, kind in entry.kinds.items()
        for pace, (interval, between, _) in paces.items()
        if kind is not None
    }
    for pair in streams.values():
        for client in pair:
            mode.streams(client, 2)
    plain = make_client(measured.client, measured.address())
    mode.streams(plain, 5)
    while True:
        gc.collect()
        found: Figures = {}
        for (name, pace), pair in streams.items():
            _, between, times = paces[pace]
            mode.streams(pair[0], 2)
            short, long = (
                cpu_of(lambda one=one, times=times: mode.streams(one, times)) for one in pair
            )  # type: ignore[misc]
            found[f"chunk, {name}, {pace}"] = (long - short) / (times * between)
        found["first text, wall"] = median(mode.first_text(plain) for _ in range(15))
        yield found


def _cost_of(mode: Mode, client: Client, streams: int) -> float:
    return cpu_of(lambda: mode.streams(client, streams))


def _own_work(measured: Measured) -> Iterator[Figures]:
    """Do what is between the socket and the framework, on bytes that have arrived."""
    times = 20
    works = [(kind, *steps(measured.client, kind)) for kind in CLIENTS[measured.client].kinds]
    while True:
        gc.collect()
        found: Figures = {}
        for kind, *work, count in works:
            for name, step in zip(STEPS, work, strict=True):
                deque(step(), maxlen=0)
                cost = cpu_of(lambda step=step: [deque(step(), maxlen=0) for _ in range(times)])
                found[f"{name}, {kind}"] = cost / (times * count)
        yield found


def _call(measured: Measured) -> Iterator[Figures]:
    mode, times = measured.mode, 40

    def make() -> Client:
        return make_client(measured.client, measured.address())

    client = make()
    while True:
        gc.collect()
        mode.calls(client, 20)
        mode.streams(client, 5)
        yield {
            "call": cpu_of(lambda: mode.calls(client, times)) / times,
            "call of a new model": cpu_of(lambda: [mode.calls(make(), 1) for _ in range(times)])
            / times,
            f"stream of {SHORT}": cpu_of(lambda: mode.streams(client, times // 2)) / (times // 2),
        }


def _at_64(measured: Measured) -> Iterator[Figures]:
    mode, width, count = measured.mode, 64, 25
    calling = make_client(measured.client, measured.address())
    streaming = make_client(measured.client, measured.address(count=count, interval=10_000))
    mode.streams_at_once(streaming, width)
    while True:
        gc.collect()
        mode.calls_at_once(calling, width)
        calls = median(cpu_of(lambda: mode.calls_at_once(calling, width)) for _ in range(3))
        streams = cpu_of(lambda: mode.streams_at_once(streaming, width))
        yield {
            "call, 64 at once": calls / width,
            "chunk, 64 streams at once": streams / (width * count),
        }


def _calls_at_512(measured: Measured) -> Iterator[Figures]:
    mode, width = measured.mode, 512
    client = make_client(measured.client, measured.address())
    mode.calls_at_once(client, 8)
    yield {"call, 512 at once": cpu_of(lambda: mode.calls_at_once(client, width)) / width}


def _streams_at_512(measured: Measured) -> Iterator[Figures]:
    mode, width, count = measured.mode, 512, 25
    client = make_client(measured.client, measured.address(count=count, interval=80_000))
    mode.streams_at_once(client, 1)
    before = _peak()
    cost = cpu_of(lambda: mode.streams_at_once(client, width))
    yield {
        "chunk, 512 streams at once": cost / (width * count),
        "peak of 512 streams, MB": _peak(),
        "512 streams on top, MB": _peak() - before,
    }


def _peak() -> float:
    in_kilobytes = 1 if sys.platform != "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / in_kilobytes / 1024


def _construction(measured: Measured) -> Iterator[Figures]:
    construct = make_model(measured.client, measured.address())
    first = cpu_of(construct)
    while True:
        kept: list[object] = []
        costs = [cpu_of(lambda: kept.append(construct())) for _ in range(100)]  # noqa: B023
        yield {"first construction": first, "construction": median(costs[20:])}


def _length(measured: Measured) -> Iterator[Figures]:
    """Compare one long answer with as many chunks in short ones, in turn."""
    found: dict[str, list[float]] = {}
    for kind in ("text", "tools"):
        clients = {
            count: make_client(measured.client, measured.address(kind, count))
            for count in (500, 20_000)
        }
        for client in clients.values():
            measured.mode.streams(client, 1)
        for ending in ["", ", no collector"] * 3:
            for count, client in clients.items():
                gc.collect()
                if ending:
                    gc.disable()
                cost = _cost_of(measured.mode, client, 20_000 // count) / 20_000
                gc.enable()
                length = "short" if count == 500 else "long"
                found.setdefault(f"chunk, {kind}, {length} answer{ending}", []).append(cost)
    yield {name: median(costs) for name, costs in found.items()}


def _history(measured: Measured) -> Iterator[Figures]:
    """Compare early calls with late ones, each against the same work done beside it."""
    mode, window = measured.mode, 100
    client = make_client(measured.client, measured.address())
    mode.calls(client, 50)

    def against_work() -> float:
        gc.collect()
        ratios = []
        for _ in range(5):
            calls = cpu_of(lambda: mode.calls(client, window))
            ratios.append(calls / cpu_of(_fixed_work))
        return median(ratios)

    early, beside = against_work(), cpu_of(_fixed_work) / window
    mode.calls(client, 4800)
    yield {"call, early": early * beside, "call, late": against_work() * beside}


def _fixed_work() -> None:
    for number in range(3000):
        json.loads(json.dumps({"numbers": [*range(number, number + 20)], "text": "word " * 20}))


_PARTS: dict[str, Callable[[Measured], Iterator[Figures]]] = {
    "chunk": _chunk,
    "call": _call,
    "own work": _own_work,
    "64 at once": _at_64,
    "512 calls": _calls_at_512,
    "512 streams": _streams_at_512,
    "construction": _construction,
    "length": _length,
    "history": _history,
}


def _serve(client: str, mode: str, origin: str) -> None:
    measured = Measured(client, MODES[mode](), origin)
    turns: dict[str, Iterator[Figures]] = {}
    for line in sys.stdin:
        part = line.strip()
        if part not in turns:
            turns[part] = figures(part, measured)
        print(json.dumps(next(turns[part])), flush=True)
    measured.mode.close()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
