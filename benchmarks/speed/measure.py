"""Measure one case in a process of its own, and print its figures as JSON.

    python -m speed.measure '{"part": "chunk", "client": "ChatMonster", "mode": "sync", ...}'

Every figure is that of the quickest of several tries (nothing but other processes makes one
slower), in microseconds of this process' CPU unless its name says otherwise. What a chunk costs is
the difference between a long stream and a short one, divided by the chunks between them; so it
holds nothing of what a call costs.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections.abc import Callable, Iterator
from statistics import median

from speed.cases import Case
from speed.clients import CLIENTS, Address, make_client, make_model
from speed.modes import MODES, Mode, cpu_of

__all__ = ["measure"]

Figures = Iterator[tuple[str, float]]

SHORT = 20
"""Chunks of a short stream, and tokens of an answer."""


def measure(case: Case) -> dict[str, float]:
    """Measure one case.

    Args:
        case: What to measure; nothing else may have been measured in this process before.

    Returns:
        The value of every figure.
    """
    return dict(_PARTS[case.part](case))


def _chunk(case: Case) -> Figures:
    mode = MODES[case.mode]()
    paces = {"in blocks": (0, 200, 12), "one by one": (1000, 80, 4)}
    if CLIENTS[case.client].role in ("floor", "ready-made"):
        del paces["one by one"]  # it reads nothing
    for name, kind in CLIENTS[case.client].kinds.items():
        for pace, (interval, between, tries) in paces.items():
            if kind is not None:
                short, long = (
                    _stream_of(case, mode, tries, Address(case.origin, kind, count, interval))
                    for count in (SHORT, SHORT + between)
                )
                yield f"chunk, {name}, {pace}", (long - short) / between
    client = make_client(case.client, Address(case.origin))
    mode.streams(client, 5)
    yield "first text, wall", median(mode.first_text(client) for _ in range(case.tries(60)))


def _stream_of(case: Case, mode: Mode, tries: int, address: Address) -> float:
    client = make_client(case.client, address)
    mode.streams(client, 2)
    return _quickest(case, tries, lambda: mode.streams(client, 1))


def _call(case: Case) -> Figures:
    mode = MODES[case.mode]()
    client = make_client(case.client, Address(case.origin))
    mode.calls(client, 20)
    mode.streams(client, 5)
    times = 40
    yield "call", _quickest(case, 5, lambda: mode.calls(client, times)) / times
    yield f"stream of {SHORT}", _quickest(case, 3, lambda: mode.streams(client, times)) / times


def _quickest(case: Case, tries: int, work: Callable[[], object]) -> float:
    costs = []
    for _ in range(case.tries(tries)):
        gc.collect()
        costs.append(cpu_of(work))
    return min(costs)


def _at_64(case: Case) -> Figures:
    mode, width = MODES[case.mode](), 64
    client = make_client(case.client, Address(case.origin))
    mode.calls_at_once(client, width)
    yield "call, 64 at once", _quickest(case, 2, lambda: mode.calls_at_once(client, width)) / width
    count = case.tries(25)
    client = make_client(case.client, Address(case.origin, count=count, interval=10_000))
    mode.streams_at_once(client, 1)
    cost = cpu_of(lambda: mode.streams_at_once(client, width))
    yield "chunk, 64 streams at once", cost / (width * count)


def _calls_at_512(case: Case) -> Figures:
    mode, width = MODES[case.mode](), 512
    client = make_client(case.client, Address(case.origin))
    mode.calls_at_once(client, 8)
    yield "call, 512 at once", cpu_of(lambda: mode.calls_at_once(client, width)) / width


def _streams_at_512(case: Case) -> Figures:
    mode, width, count = MODES[case.mode](), 512, case.tries(25)
    client = make_client(case.client, Address(case.origin, count=count, interval=80_000))
    mode.streams_at_once(client, 1)
    before = _peak()
    cost = cpu_of(lambda: mode.streams_at_once(client, width))
    yield "chunk, 512 streams at once", cost / (width * count)
    yield "peak of 512 streams, MB", _peak()
    yield "512 streams on top, MB", _peak() - before


def _peak() -> float:
    in_kilobytes = 1 if sys.platform != "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / in_kilobytes / 1024


def _construction(case: Case) -> Figures:
    construct = make_model(case.client, Address(case.origin))
    yield "first construction", cpu_of(construct)
    kept = []
    costs = [cpu_of(lambda: kept.append(construct())) for _ in range(case.tries(200))]
    yield "construction", median(costs)


def _length(case: Case) -> Figures:
    mode = MODES[case.mode]()
    for kind in ("text", "tools"):
        for count, tries in ((500, 12), (case.tries(40) * 500, 1)):
            client = make_client(case.client, Address(case.origin, kind, count))
            mode.streams(client, 1)
            cost = _quickest(case, tries, lambda one=client: mode.streams(one, 1))  # type: ignore[misc]
            label = "short" if count == 500 else "long"
            yield f"chunk, {kind}, {label} answer", cost / count


def _history(case: Case) -> Figures:
    mode = MODES[case.mode]()
    client = make_client(case.client, Address(case.origin))
    window, calls = case.tries(200), case.tries(4800)
    mode.calls(client, 50)
    gc.collect()
    yield "call, early", cpu_of(lambda: mode.calls(client, window)) / window
    mode.calls(client, calls - window)
    gc.collect()
    yield "call, late", cpu_of(lambda: mode.calls(client, window)) / window


_PARTS: dict[str, Callable[[Case], Figures]] = {
    "chunk": _chunk,
    "call": _call,
    "64 at once": _at_64,
    "512 calls": _calls_at_512,
    "512 streams": _streams_at_512,
    "construction": _construction,
    "length": _length,
    "history": _history,
}

if __name__ == "__main__":
    print(json.dumps(measure(Case(**json.loads(sys.argv[1])))))
