"""What clients write into a conversation: functions, schemas, results, and how to write a call.

The server of 0.5 shows a model no `tools`: clients write them into the text, as JSON. This reads
them from the text, whoever wrote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ._conversation import Turn

_RESULT_ROLES = frozenset({"tool", "ipython", "function"})
_WRITTEN_RESULT = re.compile(
    r"^Result of (?:\w[\w.-]*\(.*?\)|an earlier function call): (?P<said>.*)$", re.S
)
_TAGGED_RESULT = re.compile(r"<tool_response>\s*(.*?)\s*</tool_response>", re.S)
_SCHEMA_KEYWORDS = frozenset({"properties", "anyOf", "oneOf", "allOf", "enum", "items", "$ref"})


class Function(NamedTuple):
    """A function that a conversation describes."""

    name: str
    parameters: dict[str, Any]


def functions_in(turns: Sequence[Turn]) -> list[Function]:
    """Find the functions that a conversation describes."""
    found = {}
    for value in _objects_in(_instructions(turns)):
        match value.get("function", value):
            case {"name": str(name), "parameters": dict(parameters)}:
                if "properties" in parameters or parameters.get("type") == "object":
                    found[name] = Function(name, parameters)
    return list(found.values())


def schemas_in(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Find the JSON schemas that a conversation asks an answer to satisfy."""
    texts = [turn.content for turn in turns if turn.role in ("system", "user")]
    objects = [value for text in texts if "schema" in text.lower() for value in _objects_in(text)]
    return [value for value in objects if not _SCHEMA_KEYWORDS.isdisjoint(value)]


def question_in(turns: Sequence[Turn]) -> str:
    """Return what the user said last, without what a client wrote before it."""
    asked = [turn for turn in turns if turn.role == "user" and result_in(turn) is None]
    turn = asked[-1] if asked else turns[-1]
    has_instructions = functions_in([turn]) or schemas_in([turn])
    return turn.content.rsplit("\n\n", 1)[-1] if has_instructions else turn.content


def last_results(turns: Sequence[Turn]) -> list[str]:
    """Return what functions returned at the end of a conversation, in their order."""
    results: list[str] = []
    for turn in reversed(turns):
        result = result_in(turn)
        if result is None:
            break
        results.insert(0, result)
    return results


def result_in(turn: Turn) -> str | None:
    """Return what a function returned; None if the turn is not a result."""
    if tagged := _TAGGED_RESULT.findall(turn.content):
        return " and ".join(map(_tagged_text, tagged))
    written = _WRITTEN_RESULT.match(turn.content)
    if turn.role in _RESULT_ROLES:
        return written["said"] if written else turn.content
    return written["said"] if written and turn.role == "user" else None


def written_call(name: str, arguments: Any, turns: Sequence[Turn]) -> str:
    """Write a call in the way that the conversation asks for."""
    instructions = _instructions(turns)
    if "<tool_call>" in instructions:
        return hermes_call(name, arguments)
    if "[TOOL_CALLS]" in instructions:
        return f"[TOOL_CALLS] [{_call(name, 'arguments', arguments)}]"
    return _call(name, "parameters", arguments)


def hermes_call(name: str, arguments: Any) -> str:
    """Write a call as models of the family Hermes do, and as the later server reads it."""
    return f"<tool_call>\n{_call(name, 'arguments', arguments)}\n</tool_call>"


def _instructions(turns: Sequence[Turn]) -> str:
    written = [turn for turn in turns if turn.role not in ("assistant", *_RESULT_ROLES)]
    return "\n".join(turn.content for turn in written)


def _objects_in(text: str) -> Iterator[dict[str, Any]]:
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
