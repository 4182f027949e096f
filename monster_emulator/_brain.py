"""What the emulator says where no reply is scripted: fixed rules over the last turns.

It repeats what it is asked to repeat, counts, calls the function that fits the question, fills
the schema that the prompt asks for, and gives a tool's result back; otherwise it repeats what the
user said.

Each rule knows several phrasings, so that the choices of one request (`n`) differ; the same
request always gets the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ._filling import fill, spelled
from ._messages import Turn
from ._patterns import fits
from ._tools import (
    best_function,
    functions_in,
    question_in,
    result_in,
    schemas_in,
    written_call,
)
from ._words import Words

MOST_COUNTED = 1000

Phrasings = tuple[str, ...]

_COUNT = re.compile(r"\bcount\b.*?(?:\bfrom (\d{1,9}) )?\b(?:up )?to (\d{1,9})\b", re.I | re.S)
_REPEAT = re.compile(
    r"^(?:please )?(?:say|repeat|echo)(?: after me)?(?: this)?:?\s+(.+)$", re.I | re.S
)


def reply(turns: Sequence[Turn], choice: int = 0) -> str:
    """Return the answer to a conversation, the same for the same arguments."""
    last = turns[-1]
    if result_in(last) is None and last.role == "user":
        last = last._replace(content=question_in([last]))
    spoken = [*turns[:-1], last]
    phrasings = (
        _repetition(spoken)
        or _call(turns)
        or _instance(turns)
        or _result(turns)
        or _count(spoken)
        or (f"You said: {last.content}", f"I heard: {last.content}")
    )
    return phrasings[choice % len(phrasings)]


def said_in(turns: Sequence[Turn]) -> str:
    """Return the words that values are taken from.

    These are the last question with the results that followed it; or all that the user said, if
    the question holds neither a number nor a name.
    """
    question = question_in(turns)
    words = Words(question)
    if not (words.numbers or words.phrases):
        question = "\n".join(question_in([turn]) for turn in turns if turn.role == "user")
    return "\n".join([*_last_results(turns), question])


def _call(turns: Sequence[Turn]) -> Phrasings | None:
    if turns[-1].role != "user" or result_in(turns[-1]) is not None:
        return None
    question = question_in(turns)
    function = best_function(functions_in(turns), question, turns)
    if function is None:
        return None
    arguments = fill(function.parameters, Words(said_in(turns)), fits)
    return (written_call(function.name, arguments, turns),)


def _instance(turns: Sequence[Turn]) -> Phrasings | None:
    schemas = schemas_in(turns)
    return (spelled(fill(schemas[-1], Words(said_in(turns)), fits))[0],) if schemas else None


def _result(turns: Sequence[Turn]) -> Phrasings | None:
    results = _last_results(turns)
    if not results:
        return None
    listed = " and ".join(result.rstrip(".") for result in results)
    verb = "result is" if len(results) == 1 else "results are"
    return (f"The {verb} {listed}.", f"I got {listed}.")


def _last_results(turns: Sequence[Turn]) -> list[str]:
    """Collect the results at the end of a conversation, in their order."""
    results: list[str] = []
    for turn in reversed(turns):
        result = result_in(turn)
        if result is None:
            break
        results.insert(0, result)
    return results


def _count(turns: Sequence[Turn]) -> Phrasings | None:
    found = _COUNT.search(turns[-1].content)
    if not found:
        return None
    first, last = int(found[1] or 1), int(found[2])
    numbers = [str(n) for n in range(first, min(last, first + MOST_COUNTED - 1) + 1)]
    return (", ".join(numbers), " ".join(numbers)) if numbers else None


def _repetition(turns: Sequence[Turn]) -> Phrasings | None:
    if result_in(turns[-1]) is not None:
        return None
    found = _REPEAT.match(turns[-1].content.strip())
    return (found[1],) if found else None
