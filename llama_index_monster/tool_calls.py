"""Turn the core's tool calls into LlamaIndex's, whole and while they stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

from llama_index_monster.growing_text import GrowingText
from monster_core.json_values import copied
from monster_core.response.partial_json import PartialJson
from monster_core.response.tool_arguments import read_arguments
from monster_core.response.types import ToolCall, ToolCallDelta

__all__ = ["CallReading", "GivenCall", "StreamedCalls", "first_call_only", "given_calls"]


@dataclass(frozen=True, slots=True)
class CallReading:
    """Hold how an answer's calls are given to the caller.

    Args:
        names: The caller's name of a tool by the name that was sent, where the two differ.
        is_parallel: Whether calls behind the first one are wanted.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    is_parallel: bool = True


@dataclass(frozen=True, slots=True)
class GivenCall:
    """Hold one call as it is at one moment.

    Args:
        id: Identifies the call.
        name: The tool to call, by the caller's name.
        text: Its arguments' JSON text so far.
        arguments: Their value so far; the text itself once it is known to be no JSON object.
    """

    id: str
    name: str
    text: str
    arguments: dict[str, Any] | str

    def to_block(self) -> ToolCallBlock:
        """Return the call as a content block."""
        return ToolCallBlock(tool_call_id=self.id, tool_name=self.name, tool_kwargs=self.arguments)

    def to_openai(self) -> dict[str, Any]:
        """Return the call as a plain dict in OpenAI's shape."""
        function = {"name": self.name, "arguments": self.text}
        return {"id": self.id, "type": "function", "function": function}


def given_calls(
    calls: Iterable[ToolCall], finish_reason: str | None, reading: CallReading
) -> list[GivenCall]:
    """Return the calls of a whole answer.

    Args:
        calls: The core's calls.
        finish_reason: Why the answer ended.
        reading: How they are given.
    """
    given = [_given(call, finish_reason, reading) for call in calls]
    return given if reading.is_parallel else given[:1]


def first_call_only(message: ChatMessage) -> ChatMessage:
    """Return a message without the calls behind its first one.

    Args:
        message: The message; it is not changed.
    """
    blocks = list(_without_later_calls(message.blocks))
    kwargs = dict(message.additional_kwargs)
    if isinstance(kwargs.get("tool_calls"), list):
        kwargs["tool_calls"] = kwargs["tool_calls"][:1]
    return ChatMessage(role=message.role, blocks=blocks, additional_kwargs=kwargs)


class StreamedCalls:
    """Collect the pieces of an answer's calls, and tell the calls as they were at any moment.

    Args:
        reading: How they are given.
    """

    __slots__ = ("_calls", "_reading")

    def __init__(self, reading: CallReading) -> None:
        self._reading = reading
        self._calls: dict[int, _StreamedCall] = {}

    def add(self, deltas: Iterable[ToolCallDelta]) -> None:
        """Take the next pieces.

        Args:
            deltas: The core's pieces.
        """
        for delta in deltas:
            call = self._calls.get(delta.index)
            if call is None:
                if self._calls and not self._reading.is_parallel:
                    continue
                name = delta.name or ""
                call = _StreamedCall(delta.id or "", self._reading.names.get(name, name))
                self._calls[delta.index] = call
            call.text.pieces.append(delta.arguments)

    def moment(self) -> tuple[int, ...]:
        """Return the present moment: of how many pieces each call consists."""
        return tuple(len(call.text.pieces) for call in self._calls.values())

    def given(
        self, moment: tuple[int, ...], finish_reason: str | None, *, is_over: bool
    ) -> list[GivenCall]:
        """Return the calls as they were at a moment; nothing is shared with what was returned.

        Args:
            moment: The moment.
            finish_reason: Why the answer had ended, if that was known.
            is_over: Whether nothing followed, so that arguments which are no object stay none.
        """
        # later calls have no count yet, and one may be added while this runs
        calls = zip(list(self._calls.values()), moment)  # noqa: B905
        if is_over:
            whole = [ToolCall(call.id, call.name, call.text.until(count)) for call, count in calls]
            return given_calls(whole, finish_reason, CallReading())
        return [call.partial(count) for call, count in calls]


class _StreamedCall:
    """Hold one call that grows; its arguments are parsed as they are asked for."""

    __slots__ = ("_lock", "_parsers", "id", "name", "text")

    def __init__(self, call_id: str, name: str) -> None:
        self.id = call_id
        self.name = name
        self.text = GrowingText()
        self._parsers: list[tuple[int, PartialJson]] = []  # and of how many pieces each knows
        self._lock = Lock()

    def partial(self, count: int) -> GivenCall:
        with self._lock:
            value = copied(self._value(count))
        arguments = value if isinstance(value, dict) else {}
        return GivenCall(self.id, self.name, self.text.until(count), arguments)

    def _value(self, count: int) -> Any:
        """Parse on from the nearest earlier moment that somebody has looked at.

        The last place and one more are kept: who has read the end may read all from the start.
        """
        usable = [one for one in self._parsers if one[0] <= count]
        parsed, parser = max(usable, key=_pieces_known, default=(0, PartialJson()))
        for piece in self.text.pieces[parsed:count]:
            parser.feed(piece)
        others = [one for one in self._parsers if one[1] is not parser]
        last = max(others, key=_pieces_known, default=None)
        self._parsers = [(count, parser), *([last] if last else [])]
        return parser.value


def _pieces_known(place: tuple[int, PartialJson]) -> int:
    return place[0]


def _given(call: ToolCall, finish_reason: str | None, reading: CallReading) -> GivenCall:
    arguments, problem = read_arguments(call, finish_reason)
    name = reading.names.get(call.name, call.name)
    return GivenCall(call.id, name, call.arguments, call.arguments if problem else arguments)


def _without_later_calls(blocks: Iterable[Any]) -> Iterator[Any]:
    has_call = False
    for block in blocks:
        is_call = isinstance(block, ToolCallBlock)
        if not (is_call and has_call):
            yield block
        has_call = has_call or is_call
