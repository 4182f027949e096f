"""Decide which second request serves a call: a follow-up, or the same question asked again.

Where tools may be called and none is, the text is asked for anew, guided. A response that breaks
its schema is asked for again, once, if the caller allows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from monster_core.errors import StructuredAnswerError
from monster_core.json_values import read_json
from monster_core.response.json import parse_json_text
from monster_core.response.types import Choice, Chunk, Completion, Usage, add_usage

if TYPE_CHECKING:
    from monster_core.request.builder import ChatRequest
    from monster_core.response.pipeline import ResponseStream

__all__ = ["HeldChunks", "second_request"]

_BEGINNINGS = {"object": "{", "array": "["}


def second_request(request: ChatRequest, completion: Completion) -> ChatRequest | None:
    """Return the request whose response takes the place of a completion; None if it stands.

    Args:
        request: The first request.
        completion: Its completion.
    """
    if request.follow_up is not None:
        return None if completion.has_tool_calls else request.follow_up
    if request.ask_again is None or len(completion.choices) > 1:
        return None
    [choice] = completion.choices
    if choice.finish_reason == "length" or choice.refusal:  # the next would end in the same way
        return None
    problem, is_json = _problem(choice, request)
    return request.ask_again(problem, is_json) if problem else None


def _problem(choice: Choice, request: ChatRequest) -> tuple[str | None, bool]:
    """Return what is wrong with a response, and whether it is JSON at least."""
    if request.schema is not None:
        try:
            value = parse_json_text(choice.text, choice.finish_reason)
        except StructuredAnswerError as error:
            return str(error), False
        return _misfit(value, request.schema), True
    if not choice.tool_calls:
        return "It called no function.", False
    for call in choice.tool_calls:
        if call.problem is not None:
            return call.problem, False
        parameters = request.spec.tool_parameters.get(call.name)
        if parameters is None:
            return f"{call.name!r} is not one of the functions.", False
        problem = _misfit(read_json(call.arguments or "{}"), parameters)
        if problem is not None:
            return f"The arguments of {call.name!r} do not fit. {problem}", True
    return None, True


def _misfit(value: Any, schema: Mapping[str, Any]) -> str | None:
    from monster_core.json_schema import SchemaError, validate

    try:
        validate(value, schema)
    except SchemaError as error:
        return f"It does not satisfy the schema: {error}."
    return None


class HeldChunks:
    """Hold back the chunks of a stream until it is clear that no second request follows.

    They are given as soon as a tool call begins, or a text that begins like JSON of its schema.

    Args:
        request: The request of the stream.
        reader: What reads the stream.
    """

    def __init__(self, request: ChatRequest, reader: ResponseStream) -> None:
        self._request = request
        self._reader = reader
        self._held: list[Chunk] = []
        self._text = ""
        self._is_given = False
        kind = (request.schema or {}).get("type")
        self._beginning = _BEGINNINGS.get(kind) if isinstance(kind, str) else None
        self._usage: Usage | None = None

    def take(self, chunk: Chunk) -> Iterable[Chunk]:
        """Return the chunks to give after the next one has come.

        Args:
            chunk: The next chunk.
        """
        if self._is_given:
            return (chunk,)
        self._held.append(chunk)
        self._text += chunk.text
        self._usage = chunk.usage
        self._is_given = self._reader.has_tool_calls or self._begins_like_json()
        if not self._is_given:
            return ()
        given, self._held = self._held, []
        return given

    def end(self) -> tuple[list[Chunk], ChatRequest | None]:
        """Return the chunks that are still held, or else the request whose stream replaces them."""
        if self._is_given:
            return [], None
        second = self._second_request()
        return (self._held, None) if second is None else ([], second)

    def with_usage(self, chunk: Chunk) -> Chunk:
        """Return a chunk of the second stream, whose last one counts the tokens of both.

        Args:
            chunk: The next chunk.
        """
        if chunk.is_last:
            chunk.usage = add_usage(chunk.usage, self._usage)
        return chunk

    def _second_request(self) -> ChatRequest | None:
        last = self._held[-1]
        reason = next((chunk.finish_reason for chunk in self._held if chunk.finish_reason), None)
        refusal = "".join(chunk.refusal or "" for chunk in self._held)
        calls = list((last.finished_calls or {}).values())
        choice = Choice(0, self._text, calls, reason, None, None, refusal=refusal)
        completion = Completion(last.id, last.model, 0, [choice], last.usage, {})
        return second_request(self._request, completion)

    def _begins_like_json(self) -> bool:
        return self._beginning is not None and self._text.lstrip().startswith(self._beginning)
