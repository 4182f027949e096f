"""Read the answers of calls that had tools: their calls, whole and streamed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

import orjson

from monster_core.json_schema.restore_stream import StreamRestorer
from monster_core.json_values import read_json, write_json
from monster_core.request.tools import ToolPlan
from monster_core.response.stream import StreamDecoder
from monster_core.response.tool_call_parser import ToolCallParser
from monster_core.response.types import Choice, Chunk, Completion, ToolCall, ToolCallDelta, call_id

__all__ = ["ToolStreamDecoder", "collect_calls"]

_log = logging.getLogger(__name__)


def collect_calls(answer: Completion, plan: ToolPlan) -> Completion:
    """Find the calls in a full answer, and undo in their arguments what guiding them changed.

    Args:
        answer: The answer as the server wrote it.
        plan: How the tools were put to the server.

    Returns:
        The answer with its calls apart from its text.
    """
    return replace(answer, choices=[_collect(choice, answer.id, plan) for choice in answer.choices])


def _collect(choice: Choice, answer_id: str, plan: ToolPlan) -> Choice:
    reader = ToolCallParser(plan.names)
    pieces = [reader.feed(choice.text), reader.flush()]
    text = "".join(piece for piece, _ in pieces)
    deltas = [delta for _, found in pieces for delta in found]
    sent = choice.tool_calls
    found = _joined(deltas, answer_id, choice.index, first=len(sent))
    calls = [*sent, *found][: plan.most_calls]
    return replace(choice, text=text, tool_calls=[_restored(call, plan) for call in calls])


def _joined(
    deltas: Iterable[ToolCallDelta], answer_id: str, choice: int, *, first: int
) -> list[ToolCall]:
    calls: list[ToolCall] = []
    pieces: list[list[str]] = []
    for delta in deltas:
        if delta.name is not None:
            own_id = call_id(answer_id, first + delta.index, choice=choice)
            calls.append(ToolCall(own_id, delta.name, ""))
            pieces.append([])
        pieces[delta.index].append(delta.arguments)
    for call, arguments in zip(calls, pieces, strict=True):
        call.arguments = "".join(arguments)
    return calls


def _restored(call: ToolCall, plan: ToolPlan) -> ToolCall:
    """Drop from the arguments what only the guiding schema had asked for."""
    lowered = plan.lowered.get(call.name)
    if lowered is None or not lowered.changes_instances:
        return call
    try:
        arguments = write_json(lowered.restore(read_json(call.arguments)))
    except (ValueError, TypeError):  # no JSON, or nested too deeply
        return call
    return ToolCall(call.id, call.name, arguments)


class ToolStreamDecoder(StreamDecoder):
    """Read a stream whose text may hold calls.

    Args:
        plan: How the tools were put to the server.
        withholds_text: Whether text is given only once a tool is called.
    """

    __slots__ = ("_arguments", "_places", "_plan", "_reader", "_restorers", "_withheld")

    def __init__(self, plan: ToolPlan, *, withholds_text: bool = False) -> None:
        super().__init__()
        self._withheld: list[str] | None = [] if withholds_text else None
        self._plan = plan
        self._reader = ToolCallParser(plan.names)
        self._places: dict[tuple[str, int], int] = {}  # where each call stands among all of them
        self._arguments: dict[int, list[str]] = {}  # pieces of each call's arguments, as given
        self._restorers: dict[int, StreamRestorer] = {}

    @property
    def has_calls(self) -> bool:
        """Whether a call has been found."""
        return bool(self._arguments)

    def read(self, data: bytes) -> Chunk | None:
        """Read the data of one event; see :meth:`StreamDecoder.read`."""
        chunk = super().read(data)
        if chunk is None:
            return None
        deltas = self._placed("sent", chunk.tool_calls or [])
        if chunk.text:
            chunk.text, found = self._reader.feed(chunk.text)
            deltas += self._placed("told", found)
        if chunk.finish_reason:
            text, found = self._reader.flush()
            chunk.text += text
            deltas += self._placed("told", found)
        chunk.tool_calls = self._tracked(deltas) if deltas else None
        if self._withheld is not None:
            self._withhold(chunk)
        if chunk.finish_reason:
            self._finish(chunk)
        empty = not (chunk.text or chunk.tool_calls or chunk.finish_reason or chunk.reasoning)
        return None if empty and chunk.logprobs is None else chunk

    def end(self) -> Chunk:
        """Close the stream; see :meth:`StreamDecoder.end`."""
        last = super().end()
        text, found = self._reader.flush()  # empty, unless no finish reason ever came
        last.text, deltas = text, self._placed("told", found)
        last.tool_calls = _merged([*self._tracked(deltas), *self._rests()]) or None
        if self._withheld is not None:
            self._withhold(last)
        return last

    def _finish(self, chunk: Chunk) -> None:
        chunk.tool_calls = _merged([*(chunk.tool_calls or ()), *self._rests()]) or None
        if chunk.finish_reason != "length" or not self._arguments:
            return
        index = max(self._arguments)
        arguments = "".join(self._arguments[index])
        if not _is_json(arguments):
            chunk.cut_call = ToolCallDelta(index, None, None, arguments)
            _log.warning("max_tokens cut a tool call short; raise max_tokens and ask again.")

    def _withhold(self, chunk: Chunk) -> None:
        withheld = self._withheld or []
        withheld.append(chunk.text)
        if self._arguments:
            chunk.text, self._withheld = "".join(withheld), None
        else:
            chunk.text, self._withheld = "", withheld

    def _placed(self, source: str, deltas: list[ToolCallDelta]) -> list[ToolCallDelta]:
        """Number calls that the server sent as such, and those in its text, through."""
        for delta in deltas:
            place = self._places.setdefault((source, delta.index), len(self._places))
            if place != delta.index and delta.id == call_id(self._id, delta.index):
                delta.id = call_id(self._id, place)
            delta.index = place
        return deltas

    def _tracked(self, deltas: list[ToolCallDelta]) -> list[ToolCallDelta]:
        """Complete the deltas with their calls' ids, and undo what guiding changed in them."""
        most, kept = self._plan.most_calls, []
        for delta in deltas if most is None else [d for d in deltas if d.index < most]:
            if delta.name is not None:
                delta.id = delta.id or call_id(self._id, delta.index)
                lowered = self._plan.lowered.get(delta.name)
                if lowered is not None and lowered.changes_instances:
                    self._restorers[delta.index] = lowered.stream_restorer()
            restorer = self._restorers.get(delta.index)
            if restorer is not None:
                delta.arguments = restorer.feed(delta.arguments)
            self._arguments.setdefault(delta.index, []).append(delta.arguments)
            kept.append(delta)
        return _merged(kept)

    def _rests(self) -> list[ToolCallDelta]:
        """Return what the calls' restorers still hold back."""
        rests = {index: restorer.flush() for index, restorer in self._restorers.items()}
        self._restorers = {}
        for index, rest in rests.items():
            self._arguments[index].append(rest)
        return [ToolCallDelta(index, None, None, rest) for index, rest in rests.items() if rest]


def _merged(deltas: list[ToolCallDelta]) -> list[ToolCallDelta]:
    """Leave one piece a call: frameworks merge the pieces of chunks, not those within one."""
    merged: dict[int, ToolCallDelta] = {}
    for delta in deltas:
        known = merged.get(delta.index)
        if known is not None:
            known.arguments += delta.arguments
        elif delta.name is not None or delta.arguments:
            merged[delta.index] = delta
    return list(merged.values())


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True
