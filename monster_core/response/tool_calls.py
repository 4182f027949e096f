"""Read the tool calls of a response, whole and streamed: find, number, restore and judge them.

A call that is not certainly whole is never run. Whether it is whole is decided here, once, in the
same way for a whole response and a streamed one: :attr:`ToolCall.problem` says in a sentence what
is wrong. A call is not whole if ``max_tokens``, a stop text or the model itself ended the response
in the middle of it, or if its arguments are not a JSON object.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from monster_core.errors import IGNORED_GUIDE_ADVICE
from monster_core.json_values import read_json
from monster_core.response.json import is_cut
from monster_core.response.tool_call_opening import arguments_text, begins_marked_call
from monster_core.response.tool_call_parser import ToolCallParser
from monster_core.response.types import (
    Choice,
    Chunk,
    ResponseSpec,
    ToolCall,
    ToolCallDelta,
    new_call_id,
)

if TYPE_CHECKING:
    from monster_core.json_schema.mend_stream import JsonMender, MendingRestorer
    from monster_core.json_schema.restore_stream import StreamRestorer

__all__ = ["ToolCallStep", "collect_tool_calls", "parse_arguments"]

_log = logging.getLogger(__name__)

_BEGINNINGS_HELD = ('"', "n", "[")
"""How arguments begin that may stand for an object: a text, null, an empty list."""


def parse_arguments(
    name: str, arguments: str, finish_reason: str | None
) -> tuple[dict[str, Any], str | None]:
    """Parse the arguments of a call.

    Args:
        name: The called tool.
        arguments: The arguments' JSON text.
        finish_reason: Why the response ended.

    Returns:
        The arguments and None; or an empty dict and the sentence that says what is wrong.
    """
    try:
        # none at all are an empty object, unless max_tokens cut them before their first character
        value = read_json(_as_object(arguments) or ("" if finish_reason == "length" else "{}"))
    except ValueError:
        return {}, _problem(name, arguments, finish_reason)
    if isinstance(value, dict):
        return value, None
    return {}, f"The arguments of {name!r} are JSON but not an object."


def _problem(name: str, arguments: str, finish_reason: str | None) -> str:
    if finish_reason == "length":
        what = f"the arguments of {name!r}" if name else "a tool call before its name"
        return f"max_tokens cut {what}: raise max_tokens and ask again."
    if not is_cut(arguments.strip()):
        return f"The arguments of {name!r} are not JSON."
    return (
        f"The arguments of {name!r} end before they are complete: the model or a stop text ended "
        "the response."
    )


def collect_tool_calls(choice: Choice, spec: ResponseSpec) -> None:
    """Find the calls in the text of a choice, and judge those and the ones that the server sent.

    Args:
        choice: The choice as the server sent it; it is changed.
        spec: What is known of the request.
    """
    calls = choice.tool_calls
    if spec.tool_names:
        parser = _parser(spec)
        for call in calls:
            call.name = parser.tools.fitting(call.name) or call.name
        mender = _mender(spec)
        text = choice.text if mender is None else mender.feed(choice.text) + mender.flush()
        pieces = [parser.feed(text), parser.flush()]
        deltas = [delta for _, found in pieces for delta in found]
        calls += _joined(deltas)
        held = pieces[-1][0]
        cut = _cut_call(held, spec, choice.finish_reason, has_calls=bool(calls))
        if cut is not None:
            calls.append(ToolCall(new_call_id(), *cut))
            pieces[-1] = ("", [])
        choice.text = "".join(text for text, _ in pieces)
    choice.tool_calls = calls[: spec.max_tool_calls]
    for call in choice.tool_calls:
        _restore(call, spec)
        _judge(call, choice.finish_reason, spec)


def _cut_call(
    held: str, spec: ResponseSpec, finish_reason: str | None, *, has_calls: bool
) -> tuple[str, str] | None:
    """Return the name and the arguments of a call that max_tokens cut before its name, if any.

    It is a call if a mark of one has begun, or if the server was made to give nothing else. vLLM
    sends such a beginning as text, or not at all in a stream.

    Args:
        held: The end of the text that may begin a call.
        spec: What is known of the request.
        finish_reason: Why the response ended.
        has_calls: Whether the response holds a call.
    """
    if finish_reason != "length":
        return None
    is_forced = bool(spec.argument_schemas) and not has_calls
    if not is_forced and not begins_marked_call(held):
        return None
    name = next(iter(spec.argument_schemas)) if len(spec.argument_schemas) == 1 else ""
    return name, held.strip()


def _mender(spec: ResponseSpec) -> JsonMender | None:
    if not spec.mends_calls:
        return None
    from monster_core.json_schema.mend_stream import JsonMender

    return JsonMender()


def _parser(spec: ResponseSpec) -> ToolCallParser:
    return ToolCallParser(spec.tool_names, spec.tool_parameters)


def _judge(call: ToolCall, finish_reason: str | None, spec: ResponseSpec) -> None:
    call.arguments = _as_object(call.arguments)
    _, call.problem = parse_arguments(call.name, call.arguments, finish_reason)
    is_whole = finish_reason != "length" and not is_cut(call.arguments.strip())
    if call.problem and is_whole and call.name in spec.argument_schemas:
        call.problem = f"{call.problem} {IGNORED_GUIDE_ADVICE}"
    if call.problem:
        _log.warning("A tool call must not be run. %s", call.problem)
    elif not call.arguments:
        call.arguments = "{}"


def _as_object(arguments: str) -> str:
    """Return arguments that are null, an empty list or a text as the object that they stand for."""
    if arguments[:1] == "{":
        return arguments
    if not arguments.strip():
        return ""
    try:
        value = read_json(arguments)
    except ValueError:
        return arguments
    text = arguments_text(value) if value in (None, []) or isinstance(value, str) else None
    return text if text is not None and text[:1] == "{" else arguments


def _joined(deltas: Iterable[ToolCallDelta]) -> list[ToolCall]:
    calls: list[ToolCall] = []
    pieces: list[list[str]] = []
    for delta in deltas:
        if delta.name is not None:
            calls.append(ToolCall(new_call_id(), delta.name, ""))
            pieces.append([])
        pieces[delta.index].append(delta.arguments)
    for call, arguments in zip(calls, pieces, strict=True):
        call.arguments = "".join(arguments)
    return calls


def _restore(call: ToolCall, spec: ResponseSpec) -> None:
    """Drop from the arguments what only the guiding schema had asked for."""
    lowered = spec.argument_schemas.get(call.name)
    if lowered is not None and lowered.changes_instances:
        call.arguments = lowered.restored_text(call.arguments)


class ToolCallStep:
    """Separate the calls of a stream from its text, chunk by chunk.

    Args:
        spec: What is known of the request.
    """

    __slots__ = (
        "_calls",
        "_finish_reason",
        "_held",
        "_indexes",
        "_mender",
        "_parser",
        "_pieces",
        "_restorers",
        "_spec",
        "_withheld",
    )

    def __init__(self, spec: ResponseSpec) -> None:
        self._spec = spec
        self._parser = _parser(spec) if spec.tool_names else None
        self._mender = _mender(spec)
        self._withheld: list[str] | None = [] if spec.withholds_text else None
        self._indexes: dict[tuple[str, int], int] = {}  # each call's index among all of them
        self._calls: dict[int, ToolCall] = {}
        self._pieces: dict[int, list[str]] = {}  # of each call's arguments
        self._restorers: dict[int, StreamRestorer | MendingRestorer] = {}
        self._held: dict[int, str] = {}  # the beginnings that may turn out to be no arguments
        self._finish_reason: str | None = None

    @property
    def has_tool_calls(self) -> bool:
        """Whether a call has begun."""
        return bool(self._calls)

    def take(self, chunk: Chunk) -> None:
        """Read a chunk.

        Args:
            chunk: The chunk; it is changed.
        """
        deltas = self._numbered("sent", chunk.tool_calls) if chunk.tool_calls else []
        if chunk.text and self._parser is not None:
            text = chunk.text if self._mender is None else self._mender.feed(chunk.text)
            chunk.text, found = self._parser.feed(text)
            if found:
                deltas += self._numbered("text", found)
        if chunk.finish_reason:
            self._finish_reason = chunk.finish_reason
            deltas += self._flushed(chunk)
        chunk.tool_calls = (self._completed(deltas) or None) if deltas else None
        if chunk.finish_reason:
            chunk.tool_calls = _merged([*(chunk.tool_calls or ()), *self._rests()]) or None
        if self._withheld is not None:
            self._withhold(chunk)

    def end(self, chunk: Chunk) -> None:
        """Complete the last chunk: with what was still held back, and with all calls, judged.

        Args:
            chunk: The last chunk; it is changed.
        """
        deltas = self._completed(self._flushed(chunk))  # empty, unless no finish reason has come
        chunk.tool_calls = _merged([*deltas, *self._rests()]) or None
        if self._withheld is not None:
            self._withhold(chunk)
        for index, call in self._calls.items():
            call.arguments = "".join(self._pieces[index])
            _judge(call, self._finish_reason, self._spec)
        chunk.finished_calls = self._calls or None

    def _flushed(self, chunk: Chunk) -> list[ToolCallDelta]:
        if self._parser is None:
            return []
        rest, more = self._parser.feed(self._mender.flush()) if self._mender else ("", [])
        text, found = self._parser.flush()
        text = rest + text
        deltas = self._numbered("text", [*more, *found])
        has_calls = bool(self._indexes)
        cut = _cut_call(text, self._spec, self._finish_reason, has_calls=has_calls)
        if cut is None:
            chunk.text += text
            return deltas
        return deltas + self._numbered("cut", [ToolCallDelta(0, None, *cut)])

    def _withhold(self, chunk: Chunk) -> None:
        withheld = self._withheld or []
        withheld.append(chunk.text)
        if self._calls:
            chunk.text, self._withheld = "".join(withheld), None
        else:
            chunk.text, self._withheld = "", withheld

    def _numbered(self, source: str, deltas: list[ToolCallDelta]) -> list[ToolCallDelta]:
        """Number the calls that the server sent as such, and those in its text, through."""
        for delta in deltas:
            delta.index = self._indexes.setdefault((source, delta.index), len(self._indexes))
        return deltas

    def _completed(self, deltas: list[ToolCallDelta]) -> list[ToolCallDelta]:
        """Give the deltas their calls' ids, and undo what guiding changed in them."""
        most, kept = self._spec.max_tool_calls, []
        for delta in deltas:
            if most is not None and delta.index >= most:
                continue
            if delta.name is not None:
                self._begin(delta, delta.name)
            if delta.index in self._held:
                self._hold(delta)
            restorer = self._restorers.get(delta.index)
            if restorer is not None:
                delta.arguments = restorer.feed(delta.arguments)
            self._pieces[delta.index].append(delta.arguments)
            kept.append(delta)
        return _merged(kept)

    def _hold(self, delta: ToolCallDelta) -> None:
        """Hold the arguments back, unless they begin as an object: they may stand for one."""
        text = self._held[delta.index] + delta.arguments
        if text.lstrip()[:1] in ("", *_BEGINNINGS_HELD):
            self._held[delta.index], delta.arguments = text, ""
        else:
            del self._held[delta.index]
            delta.arguments = text

    def _begin(self, delta: ToolCallDelta, name: str) -> None:
        delta.id = delta.id or new_call_id()
        if self._parser is not None:
            name = delta.name = self._parser.tools.fitting(name) or name
        self._calls[delta.index] = ToolCall(delta.id, name, "")
        self._pieces[delta.index] = []
        self._held[delta.index] = ""
        lowered = self._spec.argument_schemas.get(name)
        if lowered is not None and lowered.changes_instances:
            self._restorers[delta.index] = lowered.stream_restorer()

    def _rests(self) -> list[ToolCallDelta]:
        """Return what is still held back of the calls' arguments, and what their restorers hold."""
        rests = {index: _as_object(text) for index, text in self._held.items() if text}
        for index, restorer in self._restorers.items():
            rests[index] = restorer.feed(rests.get(index, "")) + restorer.flush()
        self._held, self._restorers = {}, {}
        for index, rest in rests.items():
            self._pieces[index].append(rest)
        return [ToolCallDelta(index, None, None, rest) for index, rest in rests.items() if rest]


def _merged(deltas: list[ToolCallDelta]) -> list[ToolCallDelta]:
    """Leave one piece a call: frameworks merge the pieces of chunks, not those within one."""
    if len(deltas) == 1 and (deltas[0].name is not None or deltas[0].arguments):
        return deltas
    merged: dict[int, ToolCallDelta] = {}
    for delta in deltas:
        known = merged.get(delta.index)
        if known is not None:
            known.arguments += delta.arguments
        elif delta.name is not None or delta.arguments:
            merged[delta.index] = delta
    return list(merged.values())
