"""What the emulator says: fixed rules over the last turns of a conversation, and no language model.

Each rule knows several phrasings, so that the choices of one request (`n`) differ; the same
request always gets the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

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

_OPERATORS = {"plus": "+", "minus": "-", "times": "*", "x": "*", "divided by": "/"}
_NUMBER = r"-?\d{1,15}(?:\.\d{1,6})?"
_SUM = re.compile(
    rf"(?<![\w.-])(?P<left>{_NUMBER})"
    r"(?:\s*(?P<sign>[-+*/])\s*|\s+(?P<word>x|plus|minus|times|divided by)\s+)"
    rf"(?P<right>{_NUMBER})(?![\w%-])",
    re.I,
)
_COUNT = re.compile(r"\bcount\b.*?(?:\bfrom (\d{1,9}) )?\b(?:up )?to (\d{1,9})\b", re.I | re.S)
_REPEAT = re.compile(
    r"^(?:please )?(?:say|repeat|echo)(?: after me)?(?: this)?:?\s+(.+)$", re.I | re.S
)
_NAME = re.compile(r"\b(?:my name is|call me)\s+([^\W\d_][\w'-]*)", re.I)
_ASKS_NAME = re.compile(r"\b(?:what(?:'s| is) my name|who am i)\b", re.I)

_SMALL_TALK: Sequence[tuple[str, Phrasings]] = (
    (r"\bhow are you\b", ("I am well, thank you. How are you?", "Very well, thanks for asking.")),
    (
        r"\b(?:who|what) are you\b|\bwhat(?:'s| is) your name\b",
        (
            "I am an emulator: a set of fixed rules, no language model.",
            "No language model, only a handful of fixed rules.",
        ),
    ),
    (r"\bcapital of france\b", ("The capital of France is Paris.", "Paris.")),
    (r"\bjoke\b", ("Why did the byte feel empty? It had lost a bit.", "I only know fixed jokes.")),
    (
        r"\b(?:haiku|poem)\b",
        (
            "Rules in a quiet row\nEach word falls where it fell before\nSpring without surprise",
            "One byte, then the next\nA small lamp in a long hall\nThe sentence ends here",
        ),
    ),
    (r"\bstory\b", ("Once there was a rule. It was followed. The end.", "Nothing ever happened.")),
    (r"\b(?:unicode|emoji)\b", ("Grüße, 世界! 😀", "Olá, мир! 🚀")),
    (r"\bthank(?:s| you)\b", ("You are welcome.", "My pleasure.")),
    (r"\b(?:bye|goodbye|see you)\b", ("Goodbye!", "See you soon.")),
    (
        r"\b(?:hi|hello|hey|good (?:morning|afternoon|evening))\b",
        ("Hello! How can I help you?", "Hi there! What can I do for you?"),
    ),
)


def reply(turns: Sequence[Turn], choice: int = 0) -> str:
    """Answer a conversation.

    Args:
        turns: The conversation; at least one turn.
        choice: Which of the request's choices the answer is for.

    Returns:
        The answer, the same for the same arguments.
    """
    last = turns[-1]
    if result_in(last) is None and last.role == "user":
        last = last._replace(content=question_in([last]))
    spoken = [*turns[:-1], last]
    rules = (_recollection, _sum, _count, _small_talk)
    phrasings = (
        _repetition(spoken)
        or _call(turns)
        or _instance(turns)
        or _result(turns)
        or next((said for rule in rules if (said := rule(spoken))), None)
        or (f"You said: {last.content}", f"I heard: {last.content}")
    )
    return phrasings[choice % len(phrasings)]


def said_in(turns: Sequence[Turn]) -> str:
    """Collect the words from which values are drawn.

    Args:
        turns: The conversation.

    Returns:
        The last question with the results that followed it; all that the user said, if the
        question holds neither a number nor a name.
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
    told = " and ".join(result.rstrip(".") for result in results)
    verb = "result is" if len(results) == 1 else "results are"
    return (f"The {verb} {told}.", f"I got {told}.")


def _last_results(turns: Sequence[Turn]) -> list[str]:
    """Collect the results at the end of a conversation, in their order."""
    results: list[str] = []
    for turn in reversed(turns):
        result = result_in(turn)
        if result is None:
            break
        results.insert(0, result)
    return results


def _recollection(turns: Sequence[Turn]) -> Phrasings | None:
    if not _ASKS_NAME.search(turns[-1].content):
        return None
    names = [m[1] for t in turns if t.role == "user" for m in _NAME.finditer(t.content)]
    if not names:
        return ("You have not told me your name.", "I do not know your name yet.")
    return (f"Your name is {names[-1]}.", f"You are {names[-1]}.")


def _sum(turns: Sequence[Turn]) -> Phrasings | None:
    found = _SUM.search(turns[-1].content)
    if not found:
        return None
    left, right = Fraction(found["left"]), Fraction(found["right"])
    operator = found["sign"] or _OPERATORS[found["word"].lower()]
    if operator == "/" and not right:
        return ("Nothing can be divided by zero.", "There is no dividing by zero.")
    calculate: dict[str, Callable[[], Fraction]] = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
    }
    result = _shown(calculate[operator]())
    sum_said = " ".join((found["left"], operator, found["right"], "=", result))
    return (sum_said, f"The answer is {result}")


def _shown(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else f"{float(number):.10g}"


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


def _small_talk(turns: Sequence[Turn]) -> Phrasings | None:
    text = turns[-1].content.lower()
    return next((said for pattern, said in _SMALL_TALK if re.search(pattern, text)), None)
