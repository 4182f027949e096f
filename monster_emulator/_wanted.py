"""What the emulator would like to say within a constraint, which decides how far it may."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ._brain import reply, said_in
from ._constraints import Constraint
from ._filling import fill, last_mention, spelled
from ._messages import Turn
from ._patterns import fits
from ._tools import best_function, functions_in, hermes_call, question_in, schemas_in
from ._words import Words

_KEYS = re.compile(r"[`'\"](\w+)[`'\"]")


def wanted(constraint: Constraint, turns: Sequence[Turn]) -> list[str]:
    """List what would answer a conversation."""
    said = said_in(turns)
    if constraint.calls:
        return [_written_call(constraint.calls, turns, said)]
    if constraint.choices:
        return sorted(constraint.choices, key=lambda choice: -last_mention(choice, said))
    if constraint.is_json:
        values = [*_calls(turns, said), *_instances(constraint, turns, said)]
        return [text for value in values for text in spelled(value)]
    answer = reply(turns).rstrip(".")
    return [answer, f"{answer}.", *Words(said).spans()]


def _written_call(names: Sequence[str], turns: Sequence[Turn], said: str) -> str:
    functions = [function for function in functions_in(turns) if function.name in names]
    best = best_function(functions, question_in(turns), turns) or next(iter(functions), None)
    if best is None:  # none of them has parameters
        return hermes_call(names[0], {})
    return hermes_call(best.name, fill(best.parameters, Words(said), fits))


def _calls(turns: Sequence[Turn], said: str) -> Iterator[Any]:
    """Yield calls of the function that fits, in every shape in which a guide may ask for one."""
    function = best_function(functions_in(turns), question_in(turns), turns)
    if function is None:
        return
    arguments = fill(function.parameters, Words(said), fits)
    for key in ("parameters", "arguments"):
        yield {"name": function.name, key: arguments}
        yield [{"name": function.name, key: arguments}]


def _instances(constraint: Constraint, turns: Sequence[Turn], said: str) -> Iterator[Any]:
    if constraint.schema is not None:
        yield fill(constraint.schema, Words(said), fits)
        return
    yield from (fill(schema, Words(said), fits) for schema in reversed(schemas_in(turns)))
    words = Words(said)
    keys = list(dict.fromkeys(_KEYS.findall(said)))
    words.phrases = [pair for pair in words.phrases if pair[0] not in keys]
    yield {key: words.phrase(key) or words.number(key) for key in keys} or {"answer": reply(turns)}
