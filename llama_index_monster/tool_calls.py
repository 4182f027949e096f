"""Turn the core's tool calls into LlamaIndex's, whole and while they stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

from monster_core.answer import ToolCall, ToolCallDelta
from monster_core.conversation import read_arguments
from monster_core.conversation.partial_json import PartialJson
from monster_core.json_values import copied

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
    """Collect the pieces of an answer's calls.

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
            call.add(delta.arguments)

    def given(self, finish_reason: str | None = None, *, is_over: bool) -> list[GivenCall]:
        """Return the calls as they are now; nothing is shared with what was returned before.

        Args:
            finish_reason: Why the answer ended, if it is known.
            is_over: Whether nothing follows, so that arguments which are no object stay none.
        """
        if is_over:
            calls = [ToolCall(call.id, call.name, call.text) for call in self._calls.values()]
            return given_calls(calls, finish_reason, CallReading())
        return [call.partial() for call in self._calls.values()]


class _StreamedCall:
    """Hold one call that grows; its arguments are parsed as they arrive."""

    __slots__ = ("_json", "id", "name", "text")

    def __init__(self, call_id: str, name: str) -> None:
        self.id = call_id
        self.name = name
        self.text = ""
        self._json = PartialJson()

    def add(self, text: str) -> None:
        self.text += text
        self._json.feed(text)

    def partial(self) -> GivenCall:
        value = self._json.value
        arguments = copied(value) if isinstance(value, dict) else {}
        return GivenCall(self.id, self.name, self.text, arguments)


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
