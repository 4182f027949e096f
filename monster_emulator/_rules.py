"""What the emulator answers where no reply is scripted: a few fixed rules over the last turns.

It counts, repeats what it is asked to repeat, calls a function whose name the question mentions,
fills a schema that the prompt shows, and gives a tool's result back. Everything else it says back.
The same request always gets the same answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ._constraints import Constraint
from ._conversation import Turn
from ._filling import Words, fill
from ._prompts import (
    Function,
    functions_in,
    hermes_call,
    last_results,
    question_in,
    schemas_in,
    written_call,
)

_MOST_COUNTED = 1000
_COUNT = re.compile(r"\bcount\b.*?(?:\bfrom (\d{1,9}) )?\b(?:up )?to (\d{1,9})\b", re.I | re.S)
_REPEAT = re.compile(
    r"^(?:please )?(?:say|repeat|echo)(?: after me)?(?: this)?:?\s+(.+)$", re.I | re.S
)
_QUOTED_KEY = re.compile(r"[`'\"](\w+)[`'\"]")


def reply(turns: Sequence[Turn], choice: int = 0) -> str:
    """Return the answer to a conversation; further choices of a request end in their number."""
    said = _reply(turns)
    return f"{said} ({choice + 1})" if choice else said


def texts_within(constraint: Constraint, turns: Sequence[Turn]) -> list[str]:
    """List what would answer a conversation; the constraint decides how far it may."""
    words = _words(turns)
    if constraint.calls:
        return [_forced_call(constraint.calls, turns)]
    if constraint.choices:
        return sorted(constraint.choices, key=lambda choice: -words.place_of(choice))
    if constraint.is_json:
        return [text for value in _values(constraint, turns) for text in spelled(value)]
    answer = _reply(turns).rstrip(".")
    return [answer, f"{answer}.", *words.names, *words.numbers]


def spelled(value: Any) -> list[str]:
    """Write a value as JSON in the two ways that a guide may ask for."""
    return [json.dumps(value, ensure_ascii=False, separators=s) for s in ((", ", ": "), (",", ":"))]


def _reply(turns: Sequence[Turn]) -> str:
    if results := last_results(turns):
        listed = " and ".join(result.rstrip(".") for result in results)
        return f"The result{' is' if len(results) == 1 else 's are'} {listed}."
    is_asked = turns[-1].role == "user"
    question = question_in(turns[-1:]) if is_asked else turns[-1].content
    if found := _REPEAT.match(question.strip()):
        return found[1]
    if is_asked and (function := _function_for(turns)):
        return written_call(function.name, fill(function.parameters, _words(turns)), turns)
    if schemas := schemas_in(turns):
        return spelled(fill(schemas[-1], _words(turns)))[0]
    return _count(question) or f"You said: {question}"


def _count(question: str) -> str:
    found = _COUNT.search(question)
    first, last = (int(found[1] or 1), int(found[2])) if found else (1, 0)
    return ", ".join(map(str, range(first, min(last, first + _MOST_COUNTED - 1) + 1)))


def _words(turns: Sequence[Turn]) -> Words:
    """Return the words that values are taken from: the last question, and what tools returned."""
    return Words("\n".join([*last_results(turns), question_in(turns)]))


def _function_for(turns: Sequence[Turn]) -> Function | None:
    """Return the first function whose name shares a word with the question."""
    asked = Words(question_in(turns))
    functions = functions_in(turns)
    return next((one for one in functions if asked.mention_a_part_of(one.name)), None)


def _forced_call(names: Sequence[str], turns: Sequence[Turn]) -> str:
    functions = {f.name: f for f in functions_in(turns) if f.name in names}
    function = _function_for(turns)
    if function is None or function.name not in functions:
        function = next(iter(functions.values()), Function(names[0], {}))
    return hermes_call(function.name, fill(function.parameters, _words(turns)))


def _values(constraint: Constraint, turns: Sequence[Turn]) -> Iterator[Any]:
    """Yield instances of the schema, or of those that the conversation shows."""
    if constraint.schema is not None:
        yield fill(constraint.schema, _words(turns))
        return
    yield from (fill(schema, _words(turns)) for schema in reversed(schemas_in(turns)))
    words = _words(turns)
    keys = dict.fromkeys(_QUOTED_KEY.findall(question_in(turns)))
    yield {key: words.name() for key in keys} or {"answer": _reply(turns)}
