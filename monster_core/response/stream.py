"""Read the events of a stream into chunks.

Tolerates what servers leave out, send as null or add; refuses what is not a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from monster_core.errors import (
    MonsterError,
    ResponseError,
    StreamInterruptedError,
    stream_error,
)
from monster_core.response.completion import (
    NO_JSON,
    arguments_of,
    is_error,
    json_or_none,
    read_logprobs,
    read_usage,
    shown,
    stop_reason_of,
    text_of,
    whole_number,
)
from monster_core.response.types import Chunk, ToolCallDelta, Usage, new_call_id

__all__ = ["StreamDecoder", "no_stream"]


def no_stream(body: bytes) -> MonsterError:
    """Make the error for a response with status 200 that is not a stream of events.

    Args:
        body: The beginning of what came.

    Returns:
        The error that the body describes, or one that shows the body.
    """
    try:
        data = orjson.loads(body)
    except ValueError:
        data = None
    if is_error(data):
        return stream_error(data.get("error") or data, None)
    return ResponseError(
        "The server answered 200 with no event stream: "
        f"{body[:200].decode('utf-8', 'replace') or 'an empty body'!r}. "
        "Check the base URL: it ends in /v1 as a rule."
    )


class StreamDecoder:
    """Turn the data of a stream's events into chunks, and know a whole stream from a cut one.

    A stream holds one choice: events of a further one are refused, not mixed in.
    """

    __slots__ = ("_calls", "_finished", "_id", "_model", "_text", "_usage", "is_done")

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: _CallIdentities | None = None
        self._finished = False
        self._id = ""
        self._model = ""
        self._usage: Usage | None = None
        self.is_done = False
        """Whether ``[DONE]`` has come."""

    @property
    def is_complete(self) -> bool:
        """Whether the response has come to its end, with or without ``[DONE]``."""
        return self.is_done or self._finished

    @property
    def partial_text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    def read(self, data: bytes) -> Chunk | None:
        """Read the data of one event.

        Args:
            data: The event's data.

        Returns:
            What it added; None for an event that adds nothing.

        Raises:
            StatusError: It is an error event.
            ResponseError: It cannot be read.
        """
        if data == b"[DONE]":
            self.is_done = True
            return None
        try:
            event = orjson.loads(data)
            choices = event["choices"]
            if not choices:
                self._note(event)
                return None
            choice = choices[0]
            delta = choice["delta"]
            text = delta.get("content") or ""
            if len(choices) > 1 or choice.get("index"):
                raise ResponseError("The server streams several answers into one: ask with n=1.")
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return self._read_odd(data)
        return self._chunk(event, choice, delta, text)

    def end(self) -> Chunk:
        """Close the stream.

        Returns:
            The last chunk; it carries the usage.

        Raises:
            StreamInterruptedError: The stream ended with neither a finish reason nor [DONE].
        """
        if not self.is_complete:
            raise self.interrupted("The stream ended before its answer was complete")
        return Chunk(self._id, self._model, usage=self._usage, is_last=True)

    def interrupted(self, what: str) -> StreamInterruptedError:
        """Make the error for a stream that broke off.

        Args:
            what: What happened, without a final period.
        """
        error = StreamInterruptedError(
            f"{what}: neither a finish reason nor [DONE] has come. What had arrived is in "
            "partial_text; ask again for a whole answer."
        )
        error.partial_text = self.partial_text
        return error

    def _chunk(
        self, event: dict[str, Any], choice: dict[str, Any], delta: dict[str, Any], text: Any
    ) -> Chunk | None:
        if event.get("usage") is not None or not self._id:
            self._note(event)
        finish_reason = choice.get("finish_reason")
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        logprobs, stop_reason = choice.get("logprobs"), choice.get("stop_reason")
        calls, refusal = delta.get("tool_calls"), delta.get("refusal")
        if text:
            if not isinstance(text, str):
                raise ResponseError(f"The server sent content that is not text: {text!r:.200}")
            self._text.append(text)
        elif not (finish_reason or logprobs or calls or reasoning or refusal):
            return None
        deltas: list[ToolCallDelta] | None = None
        if calls:
            self._calls = self._calls or _CallIdentities()
            deltas = self._calls.read(calls)
        if finish_reason is not None:
            finish_reason = None if self._finished else text_of(finish_reason) or None
            self._finished = self._finished or finish_reason is not None
        return Chunk(
            self._id,
            self._model,
            text,
            deltas,
            (text_of(reasoning) or None) if reasoning else None,
            read_logprobs(logprobs) if logprobs is not None else None,
            finish_reason,
            None if stop_reason is None else stop_reason_of(stop_reason),
            None,
            False,
            None,
            event,
            (text_of(refusal) or None) if refusal else None,
        )

    def _note(self, event: dict[str, Any]) -> None:
        self._id = self._id or text_of(event.get("id"))
        self._model = self._model or text_of(event.get("model"))
        self._usage = read_usage(event.get("usage")) or self._usage

    def _read_odd(self, data: bytes) -> Chunk | None:
        """Say what an event is that is not a chunk."""
        event = json_or_none(data)
        if event is NO_JSON:
            error = ResponseError(f"The stream holds an event that is not JSON: {shown(data)}")
            error.partial_text = self.partial_text
            raise error
        if is_error(event):
            raise stream_error(event.get("error") or event, self.partial_text)
        if isinstance(event, dict) and event.get("usage"):
            self._note(event)
            return None
        if isinstance(event, dict) and _is_empty_event(event):
            return None
        choice = _choice_without_delta(event)
        if choice is not None:
            return self._chunk(event, choice, {}, "")
        error = ResponseError(f"The stream holds an event that is not a chunk: {shown(data)}")
        error.partial_text = self.partial_text
        raise error


@dataclass(slots=True)
class _SentCall:
    """Hold what has arrived of a streamed call.

    Args:
        index: Its index among the calls of the response.
        sent_id: Its first id, as the server sent it.
        name: Its name; empty until it has arrived.
        arguments: The pieces of its arguments.
        open_braces: How many braces they open and do not close, those in texts among them.
        may_be_whole: Whether they may be a whole object in spite of what has been tried.
        is_given: Whether its first delta has been given.
    """

    index: int
    sent_id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    open_braces: int = 0
    may_be_whole: bool = True
    is_given: bool = False

    def add(self, arguments: str) -> None:
        if arguments:
            self.arguments.append(arguments)
        self.open_braces += arguments.count("{") - arguments.count("}")

    def is_followed_by(self, sent_id: str, name: str, arguments: str) -> bool:
        """Return whether a piece with this id, name and arguments begins a further call."""
        has_another_id = sent_id not in ("", self.sent_id)
        if not name or not self.name:
            return False
        if name != self.name:
            return has_another_id or bool(self.arguments)
        return has_another_id and bool(arguments) and self._is_whole()

    def _is_whole(self) -> bool:
        if self.open_braces or not (self.may_be_whole and self.arguments):
            return False
        self.may_be_whole = isinstance(json_or_none("".join(self.arguments).encode()), dict)
        return self.may_be_whole


class _CallIdentities:
    """Give every streamed tool call one index, one id and its name once.

    vLLM 0.5.0 repeats the name on every delta and sends neither id nor index, later ones repeat the
    name with a new id; today's servers send id and name once and an index always. Gateways send
    several calls under one index: a piece with another name, or with another id after a whole
    object, begins a further call. A call is not given before its name has arrived.
    """

    __slots__ = ("_calls", "_ids", "_index_of_id", "_own_indexes")

    def __init__(self) -> None:
        self._calls: dict[int, _SentCall] = {}  # the last one under each index that was sent
        self._own_indexes: set[int] = set()
        self._ids: set[str] = set()
        self._index_of_id: dict[str, int] = {}

    def read(self, calls: Any) -> list[ToolCallDelta]:
        deltas: list[ToolCallDelta] = []
        for position, call in enumerate(calls if isinstance(calls, list) else []):
            if not isinstance(call, dict):
                continue
            raw_function = call.get("function")
            function: dict[str, Any] = raw_function if isinstance(raw_function, dict) else {}
            name, arguments = text_of(function.get("name")), arguments_of(function.get("arguments"))
            sent_id = text_of(call.get("id"))
            index = self._index(call.get("index"), sent_id, position)
            sent = self._calls.get(index)
            if sent is None or sent.is_followed_by(sent_id, name, arguments):
                sent = self._begin(index, sent_id)
            sent.name = sent.name or name
            sent.add(arguments)
            if sent.is_given:
                deltas.append(ToolCallDelta(sent.index, None, None, arguments))
            elif sent.name or arguments:
                sent.is_given = True
                new_id = self._new_id(sent.sent_id)
                deltas.append(ToolCallDelta(sent.index, new_id, sent.name, arguments))
        return deltas

    def _begin(self, index: int, sent_id: str) -> _SentCall:
        """Begin a call, which may not be the first one under its index."""
        own_index = max(self._own_indexes) + 1 if index in self._own_indexes else index
        self._own_indexes.add(own_index)
        begun = self._calls[index] = _SentCall(own_index, sent_id)
        return begun

    def _new_id(self, sent: str) -> str:
        """Return the id that the server sent, or another one if an earlier call has it."""
        new_id = sent if sent and sent not in self._ids else new_call_id()
        self._ids.add(new_id)
        return new_id

    def _index(self, sent_index: Any, sent_id: str, position: int) -> int:
        index = whole_number(sent_index)
        if index is not None:
            return index
        if sent_id:
            return self._index_of_id.setdefault(sent_id, len(self._index_of_id))
        return position


def _is_empty_event(event: dict[str, Any]) -> bool:
    """Return whether an event has no choice: a gateway's keep-alive."""
    choices = event.get("choices")
    return (choices is None and "id" in event) or choices == []


def _choice_without_delta(event: Any) -> dict[str, Any] | None:
    """Return the choice of an event that adds no text; gateways send such a one first, or last."""
    choices = event.get("choices") if isinstance(event, dict) else None
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    if not isinstance(choice, dict) or choice.get("index") or not choice.keys() <= _CHOICE_KEYS:
        return None
    return choice if choice.get("delta") is None else None


_CHOICE_KEYS = frozenset(
    {"content_filter_results", "delta", "finish_reason", "index", "logprobs", "stop_reason"}
)
