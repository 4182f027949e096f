"""Write the tables of what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from speed.clients import CLIENTS
from speed.imports import IMPORTS
from speed.own_work import STEPS
from speed.results import LOAD_AVERAGE, Results, key
from speed.targets import Target, targets

__all__ = ["page", "summary"]

_HEAD = """# What a client costs

What a user pays for a client is the CPU between the framework and the socket. `make bench` measures
it and writes this page, on {machine}.

Rounds: {rounds}; a table that fewer of them hold says how many. The machine's load average
meanwhile: {load}; above the number of its cores, other work took part of them, and the figures are
higher than on a machine that does nothing else.

![CPU of a chunk and of a call](benchmarks.png)

How it is measured:

- Server and client are separate processes. The server sends bytes that were written beforehand,
  shaped as vLLM 0.5.0 shapes them; a tool call is streamed to the peers as OpenAI does it, for they
  lose the other.
- A figure is the client process' CPU, user's and system's, in microseconds: the median of the
  rounds. Every client has a process of its own, and what is compared takes turns of a second and
  less, for a processor's speed changes while one measures. A ratio is the median of the rounds'
  ratios, and says more than the figures do.
- A chunk's cost is what a long stream costs above a short one, divided by the chunks between them
  (200 or 60), so that it holds nothing of the call. *In blocks* all is sent at once, eight chunks a
  segment, and the client reads many at a time; *one by one* a chunk comes every millisecond, in a
  segment of its own, as from a model at work: then every chunk is a read, and wakes the process.
- *Alone* is the framework with a model that does nothing but construct the chunk it is to give.
  *Ready-made* is the same with chunks constructed beforehand. *Raw httpx* is a client of httpx,
  `iter_lines` and `json.loads`. *LangChain + raw httpx* and *LlamaIndex + raw httpx* are models
  that ask with that client and construct what the framework takes, without a check, a deadline or
  a retry: the least an integration does.
- Many calls at once are threads (sync) or tasks (async). 512 at once are made with a client whose
  connections are not open yet. Streams at once get a chunk every 10 ms (64) or 80 ms (512), and
  their figure holds the call, spread over 25 chunks.
- Bytecode is compiled before anything is imported.
- Peers have their defaults. A `-` is what a client cannot do or nobody compares.

"""

_CHUNK = [
    f"chunk, {k}, {p}" for k in ("text", "tools", "logprobs") for p in ("in blocks", "one by one")
]
_OWN = [f"{step}, {kind}" for kind in ("text", "tools", "logprobs") for step in STEPS]
_CALL = ["call", "call of a new model", "stream of 20", "first text, wall"]
_AT_ONCE = [
    "call, 64 at once",
    "call, 512 at once",
    "chunk, 64 streams at once",
    "chunk, 512 streams at once",
]
_MEMORY = ["peak of 512 streams, MB", "512 streams on top, MB"]
_CONSTRUCTION = ["construction", "first construction"]
_GROWTH = [
    f"chunk, {kind}, {size} answer{ending}"
    for kind in ("text", "tools")
    for ending in ("", ", no collector")
    for size in ("short", "long")
]
_GROWTH += ["call, early", "call, late"]
_IMPORT = ["import, ms", "import, wall ms", "modules", "framework modules on top"]

_SECTIONS = [
    ("A streamed chunk", _CHUNK, ("sync", "async")),
    ("A chunk without network and framework", _OWN, ("sync",)),
    ("A call", _CALL, ("sync", "async")),
    ("Many at once", _AT_ONCE, ("sync", "async")),
    ("Memory", _MEMORY, ("async",)),
    ("Construction", _CONSTRUCTION, ("sync",)),
    ("Growth", _GROWTH, ("sync",)),
    ("Import", _IMPORT, ("",)),
]

_NOTES = {
    "A chunk without network and framework": "What a client does itself with bytes that have "
    "arrived: reading them (*LangChain + raw httpx*: `json.loads`), and converting what they say "
    "into the framework's objects. What it does beyond the least: of text, every chunk is checked; "
    "a call gets one id, and its arguments are judged at its end; each candidate of a token is "
    "checked. Every response of a stream of `MonsterLLM` holds all that came before it, as "
    "LlamaIndex's consumers read it: each call with its arguments so far, once as a block and once "
    "in OpenAI's form, and the log probabilities of every token.",
    "A call": "*Stream of 20* is a whole stream of 20 chunks in blocks. *First text* is wall time, "
    "from the call to the first piece of text. *Call of a new model* makes a model of the same "
    "settings for each call.",
    "Growth": "An answer of 500 chunks and one of 20,000, in blocks, read without looking at more "
    "than the delta; calls after 50 and after 5,300 others, weighed against the same work done "
    "beside them. LangChain keeps every chunk until a stream ends, so Python's garbage collector "
    "has more to look through, whatever the model: *no collector* is the same with it off.",
    "Memory": "The process' peak, and how far it is above what it was before.",
    "Import": "`langchain_monster` gives its class when it is asked for, as LangChain's packages "
    "do; `ChatMonster` and the names of other classes stand for `from ... import`.",
}


_TARGETS = """\
*The least* is what the framework with raw httpx in it comes to by the same measure. It is more than
what the framework and raw httpx cost apart: apart, each runs in a warm processor cache; together,
each finds what the other and the wait for the server have left of it. Of the {missed} targets that
are missed, the least misses {beyond} as well: there, the limit is below what any integration costs
on this machine. Where ours is below the least, it does the same with less than httpx's own
functions for reading lines, `json` and the constructors of the framework.
*Rounds* are the lowest and the highest figure of a round: where they lie
far apart, as they do for what waits for the server on a machine with other work, the median says
little. Beside the growth of a stream stands that of the framework alone.
"""


_WHERE = """\
Where the time of what is missed goes:

- A call, and chunks that come one by one, wait for the server, and what runs after a wait finds
  cold caches: the framework's code costs more then than *alone*, whoever wrote the integration.
- What `ChatMonster` does itself with a chunk costs less than `json.loads` and LangChain's
  constructors do. `MonsterLLM` does more than the least with calls and log probabilities, for
  each response holds everything so far; *A chunk without network and framework* has the figures.
- Of 512 streams, LangChain keeps every chunk until its stream ends, and LlamaIndex makes an event
  of each; the least integration needs hardly less memory and CPU.
- The first call of a further model holds its construction, in which LangChain and pydantic validate
  some 60 fields, and its serialization for traces, both in cold caches.
"""


_WHERE_GROWTH = """\
- A long answer keeps Python's garbage collector busy with LangChain's chunks.
"""


def page(results: Results) -> str:
    """Write the page.

    Args:
        results: What was measured.
    """
    head = _HEAD.format(
        machine=results.machine, rounds=len(results.rounds), load=_range(results, LOAD_AVERAGE)
    )
    return head + "\n".join(_parts(results))


def summary(results: Results) -> str:
    """Write the tables alone, for a terminal.

    Args:
        results: What was measured.
    """
    return "\n".join(_parts(results))


def _parts(results: Results) -> Iterator[str]:
    checked = targets(results)
    if checked:
        met = sum(target.is_met for target in checked)
        yield f"## Targets: {met} of {len(checked)} met\n"
        beyond = sum(target.is_out_of_reach and not target.is_met for target in checked)
        yield _TARGETS.format(missed=len(checked) - met, beyond=beyond)
        rows = [
            [
                one.name,
                *map(_number, (one.figure, one.limit, one.least)),
                " to ".join(map(_number, one.spread)),
                _verdict(one),
            ]
            for one in checked
        ]
        yield _table(["target", "figure", "at most", "the least", "rounds", ""], rows)
        yield _WHERE + (_WHERE_GROWTH if results.rounds_with(_GROWTH) else "")
    for title, figures, modes in _SECTIONS:
        names = [*IMPORTS] if title == "Import" else [*CLIENTS]
        rows = list(_rows(results, names, figures, modes))
        if rows:
            yield f"## {title}\n"
            count = results.rounds_with(figures)
            if count != len(results.rounds):
                yield f"Rounds: {count}.\n"
            if title in _NOTES:
                yield _NOTES[title] + "\n"
            yield _table(["", "", *figures], rows)


def _verdict(target: Target) -> str:
    if target.is_met:
        return "met"
    return "**missed**, by the least, too" if target.is_out_of_reach else "**missed**"


def _rows(
    results: Results, names: Iterable[str], figures: list[str], modes: tuple[str, ...]
) -> Iterator[list[str]]:
    for mode in modes:
        for name in names:
            values = [results.value(key(name, mode, figure)) for figure in figures]
            if any(value is not None for value in values):
                yield [name, mode, *map(_number, values)]


def _range(results: Results, name: str) -> str:
    values = sorted(one[name] for one in results.rounds if name in one)
    return f"{_number(values[0])} to {_number(values[-1])}" if values else "-"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    show: Callable[[float], str] = "{:.2f}".format if value < 10 else "{:,.0f}".format
    return show(value)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows])
