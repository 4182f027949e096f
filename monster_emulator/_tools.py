"""Functions that a conversation describes, and the call that answers a question.

The server shows a model no `tools`: clients write them into the conversation, as JSON, and say how
a call is to be written. This reads both from the text, whoever wrote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ._messages import Turn
from ._words import words_of

RESULT_ROLES = frozenset({"tool", "ipython", "function"})

_WRITTEN_RESULT = re.compile(
    r"^Result of (?:\w[\w.-]*\(.*?\)|an earlier function call): (?P<said>.*)$", re.S
)
_TAGGED_RESULT = re.compile(r"<tool_response>\s*(.*?)\s*</tool_response>", re.S)
_MUST = re.compile(r"\b(?:answer with a function call now|call the function \S+ now)\b", re.I)
_SCHEMA = re.compile(r"\bschema\b", re.I)
_SCHEMA_KEYWORDS = frozenset({"properties", "anyOf", "oneOf", "allOf", "enum", "items", "$ref"})
_SMALL_WORDS = """
    a about all an and any are as at be by can do does find for from get give has have how i in
    into is it its look make me my now of on one or please set some such tell that the their them
    then these this to up use using was what when where which who will with you your
"""
_SMALL = frozenset(_SMALL_WORDS.split())
_SYNONYMS = (
    frozenset({"add", "plus", "sum", "addition", "adds"}),
    frozenset({"multiply", "times", "product", "multiplies", "multiplied"}),
    frozenset({"subtract", "minus", "difference", "subtracts"}),
    frozenset({"divide", "divided", "quotient", "divides"}),
    frozenset({"temperature", "weather", "forecast"}),
)
_SIGNS = {"+": "plus", "*": "times", "-": "minus", "/": "divided"}


class Function(NamedTuple):
    """A function that a conversation describes."""

    name: str
    description: str
    parameters: dict[str, Any]


def functions_in(turns: Sequence[Turn]) -> list[Function]:
    """Find the functions that a conversation describes."""
    found = {}
    for turn in turns:
        if turn.role in RESULT_ROLES or turn.role == "assistant":
            continue
        for value in objects_in(turn.content):
            inner = value.get("function", value)
            match inner:
                case {"name": str(name), "parameters": dict(parameters)}:
                    if "properties" in parameters or parameters.get("type") == "object":
                        about = str(inner.get("description") or "")
                        found[name] = Function(name, about, parameters)
    return list(found.values())


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Find the JSON objects that stand in a text."""
    decoder = json.JSONDecoder()
    place = text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            yield value
        place = text.find("{", end)


def schemas_in(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Find the JSON schemas that a conversation asks an answer to satisfy."""
    texts = [turn.content for turn in turns if turn.role in ("system", "user")]
    objects = [value for text in texts if _SCHEMA.search(text) for value in objects_in(text)]
    return [value for value in objects if not _SCHEMA_KEYWORDS.isdisjoint(value)]


def question_in(turns: Sequence[Turn]) -> str:
    """Return what the user said last, without what a client wrote before it."""
    asked = [turn for turn in turns if turn.role == "user" and result_in(turn) is None]
    turn = asked[-1] if asked else turns[-1]
    has_instructions = functions_in([turn]) or schemas_in([turn])
    return turn.content.rsplit("\n\n", 1)[-1] if has_instructions else turn.content


def result_in(turn: Turn) -> str | None:
    """Return what a function returned; None if the turn is not a result."""
    if tagged := _TAGGED_RESULT.findall(turn.content):
        return " and ".join(map(_tagged_text, tagged))
    written = _WRITTEN_RESULT.match(turn.content)
    if turn.role in RESULT_ROLES:
        return written["said"] if written else turn.content
    return written["said"] if written and turn.role == "user" else None


def best_function(
    functions: Sequence[Function], question: str, turns: Sequence[Turn]
) -> Function | None:
    """Return the function that a question asks for; None if none of them fits."""
    if not functions:
        return None
    asked = _meant(question)
    best = max(functions, key=lambda function: _fit(function, asked))
    must = any(_MUST.search(turn.content) for turn in turns if turn.role != "assistant")
    return best if must or _fit(best, asked) >= 2 else None


def written_call(name: str, arguments: Any, turns: Sequence[Turn]) -> str:
    """Write a call in the way that the conversation asks for."""
    prompt = "\n".join(
        turn.content for turn in turns if turn.role not in ("assistant", *RESULT_ROLES)
    )
    if "<tool_call>" in prompt:
        return hermes_call(name, arguments)
    if "[TOOL_CALLS]" in prompt:
        return f"[TOOL_CALLS] [{_call(name, 'arguments', arguments)}]"
    return _call(name, "parameters", arguments)


def hermes_call(name: str, arguments: Any) -> str:
    """Write a call as models of the family Hermes do, and as the later server reads it."""
    return f"<tool_call>\n{_call(name, 'arguments', arguments)}\n</tool_call>"


def _call(name: str, key: str, arguments: Any) -> str:
    return json.dumps({"name": name, key: arguments}, ensure_ascii=False)


def _tagged_text(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if not isinstance(value, dict):
        return text
    return str(value.get("content", f"Error: {value.get('error', text)}"))


def _meant(text: str) -> set[str]:
    """Collect the words that carry meaning, with those that mean the same."""
    for sign, word in _SIGNS.items():
        text = re.sub(rf"(?<=\d)\s*{re.escape(sign)}\s*(?=\d)", f" {word} ", text)
    words = {word for word in words_of(text) if word not in _SMALL}
    same: set[str] = set().union(*(group for group in _SYNONYMS if group & words))
    return words | {word.removesuffix("s") for word in words if len(word) > 3} | same


def _fit(function: Function, asked: set[str]) -> int:
    """Rate a function: two for a word of its name, one for a word of its description."""
    named = _meant(function.name) & asked
    about = _meant(function.description) & asked
    return 2 * len(named) + len(about - named)
