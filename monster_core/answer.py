"""Read the server's JSON: a full answer, or a stream's events, into plain values.

Tolerates what servers leave out, send as null or add; refuses what is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from monster_core.errors import (
    MonsterError,
    ResponseError,
    StreamInterruptedError,
    stream_error,
)

__all__ = [
    "Answer",
    "Choice",
    "Chunk",
    "StreamReader",
    "ToolCall",
    "ToolCallDelta",
    "Usage",
    "add_usage",
    "call_id",
    "no_stream",
    "read_answer",
]


@dataclass(slots=True)
class Usage:
    """Count the tokens of one request.

    Args:
        prompt_tokens: Tokens the server read.
        completion_tokens: Tokens the server wrote.
        total_tokens: Both together.
        cached_tokens: Prompt tokens it found in its cache, if it says so.
        reasoning_tokens: Written tokens that were reasoning, if it says so.
    """

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(slots=True)
class ToolCall:
    """Hold one tool call of an answer.

    Args:
        id: Identifies the call; a tool's result names it.
        name: The function to call.
        arguments: The arguments as JSON text, as the model wrote them.
    """

    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class ToolCallDelta:
    """Hold one piece of a streamed tool call.

    Args:
        index: Which call of the answer the piece belongs to, from 0.
        id: The call's id, on its first piece only.
        name: The function's name, on the first piece only.
        arguments: The next piece of the arguments' JSON text.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str


@dataclass(slots=True)
class Choice:
    """Hold one of the answers to a request.

    Args:
        index: Its place among the n answers.
        text: What the model wrote.
        tool_calls: The calls it asks for.
        finish_reason: Why it ended: "stop", "length" or what else the server says.
        stop_reason: The stop text or stop token id (0 is one) that ended it.
        logprobs: The tokens' log probabilities, as the server sent them.
        reasoning: The reasoning that preceded the text, where a server sends it.
    """

    index: int
    text: str
    tool_calls: list[ToolCall]
    finish_reason: str | None
    stop_reason: str | int | None
    logprobs: dict[str, Any] | None
    reasoning: str | None = None


@dataclass(slots=True)
class Answer:
    """Hold a full answer.

    Args:
        id: The server's id of the answer.
        model: The model that answered, as the server names it.
        created: When, in seconds since the epoch.
        choices: The n answers in order.
        usage: Token counts, None if the server sent none.
        raw: The body as it came.
    """

    id: str
    model: str
    created: int
    choices: list[Choice]
    usage: Usage | None
    raw: dict[str, Any] = field(repr=False)


@dataclass(slots=True)
class Chunk:
    """Hold what one event of a stream added.

    Args:
        id: The server's id of the answer.
        model: The model that answers.
        text: The next piece of text.
        tool_calls: Pieces of tool calls.
        reasoning: The next piece of reasoning.
        logprobs: Log probabilities of this piece's tokens, as the server sent them.
        finish_reason: Why the answer ended, on one chunk only.
        stop_reason: As in :class:`Choice`, beside the finish reason.
        usage: Token counts, on the last chunk only.
        is_last: Whether nothing follows.
        cut_call: The call that max_tokens cut short, with all of its arguments so far; it stands
            beside the finish reason.
        raw: The event as it came; empty on a last chunk that no event brought.
    """

    id: str
    model: str
    text: str = ""
    tool_calls: list[ToolCallDelta] | None = None
    reasoning: str | None = None
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    usage: Usage | None = None
    is_last: bool = False
    cut_call: ToolCallDelta | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


def read_answer(body: bytes) -> Answer:
    """Read the body of a reply of 200.

    Args:
        body: The bytes as they came.

    Returns:
        The answer; ids of tool calls are made where the server sent none.

    Raises:
        ResponseError: The body is no answer.
        StatusError: The body is an error in spite of its status.
    """
    data = _parse(body)
    if not isinstance(data.get("choices"), list) or not data["choices"]:
        if _is_error(data):
            raise stream_error(data.get("error") or data, None)
        raise ResponseError(f"The server's reply holds no choices: {_shown(body)}")
    answer_id = _text(data.get("id"))
    choices = [
        _read_choice(choice, position, answer_id)
        for position, choice in enumerate(data["choices"])
        if isinstance(choice, dict)
    ]
    if not choices:
        raise ResponseError(f"The server's reply holds no choice that is one: {_shown(body)}")
    return Answer(
        id=answer_id,
        model=_text(data.get("model")),
        created=_whole(data.get("created")) or 0,
        choices=choices,
        usage=_read_usage(data.get("usage")),
        raw=data,
    )


def no_stream(body: bytes) -> MonsterError:
    """Make the error for a reply of 200 that was to be a stream and holds no event.

    Args:
        body: The beginning of what came.

    Returns:
        The error that the body tells, or one that shows it.
    """
    try:
        data = orjson.loads(body)
    except ValueError:
        data = None
    if _is_error(data):
        return stream_error(data.get("error") or data, None)
    return ResponseError(
        "The server answered 200 with no event stream: "
        f"{body[:200].decode('utf-8', 'replace') or 'an empty body'!r}. "
        "Check the base URL: it ends in /v1 as a rule."
    )


class StreamReader:
    """Turn the data of a stream's events into chunks, and tell a whole stream from a cut one.

    One answer a stream: events of a further choice are refused, not mixed in.
    """

    __slots__ = ("_calls", "_done", "_finished", "_id", "_model", "_text", "_usage")

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls = _CallIdentities()
        self._done = False
        self._finished = False
        self._id = ""
        self._model = ""
        self._usage: Usage | None = None

    @property
    def is_done(self) -> bool:
        """Whether ``[DONE]`` has come."""
        return self._done

    @property
    def is_complete(self) -> bool:
        """Whether the answer has come to its end, ``[DONE]`` or not."""
        return self._done or self._finished

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
            self._done = True
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
        logprobs = choice.get("logprobs")
        calls = delta.get("tool_calls")
        if text:
            if not isinstance(text, str):
                raise ResponseError(f"The server sent content that is no text: {text!r:.200}")
            self._text.append(text)
        elif not (finish_reason or logprobs or calls or reasoning):
            return None
        if finish_reason is not None:
            finish_reason = None if self._finished else _text(finish_reason) or None
            self._finished = self._finished or finish_reason is not None
        return Chunk(
            self._id,
            self._model,
            text,
            self._calls.read(calls, self._id) if calls else None,
            _text(reasoning) or None,
            _read_logprobs(logprobs) if logprobs is not None else None,
            finish_reason,
            _stop_reason(choice.get("stop_reason")),
            None,
            False,
            None,
            event,
        )

    def _note(self, event: dict[str, Any]) -> None:
        self._id = self._id or _text(event.get("id"))
        self._model = self._model or _text(event.get("model"))
        self._usage = _read_usage(event.get("usage")) or self._usage

    def _read_odd(self, data: bytes) -> Chunk | None:
        """Say what an event is that is no chunk."""
        event = _json(data)
        if event is _NO_JSON:
            error = ResponseError(f"The stream holds an event that is no JSON: {_shown(data)}")
            error.partial_text = self.partial_text
            raise error
        if _is_error(event):
            raise stream_error(event.get("error") or event, self.partial_text)
        if isinstance(event, dict) and event.get("usage"):
            self._note(event)
            return None
        if isinstance(event, dict) and _is_empty_event(event):
            return None
        error = ResponseError(f"The stream holds an event that is no chunk: {_shown(data)}")
        error.partial_text = self.partial_text
        raise error


class _CallIdentities:
    """Give every streamed tool call one index, one id and its name once.

    vLLM 0.5.0 repeats the name on every delta and sends neither id nor index; today's servers
    send id and name once and an index always.
    """

    __slots__ = ("_index_of_id", "_names")

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._index_of_id: dict[str, int] = {}

    def read(self, calls: Any, answer_id: str) -> list[ToolCallDelta]:
        deltas: list[ToolCallDelta] = []
        for position, call in enumerate(calls if isinstance(calls, list) else []):
            if not isinstance(call, dict):
                continue
            raw_function = call.get("function")
            function: dict[str, Any] = raw_function if isinstance(raw_function, dict) else {}
            index = self._index(call, position)
            name = _text(function.get("name"))
            is_first = index not in self._names
            if is_first:
                self._names[index] = name
            deltas.append(
                ToolCallDelta(
                    index,
                    (_text(call.get("id")) or call_id(answer_id, index)) if is_first else None,
                    name if is_first else None,
                    _arguments(function.get("arguments")),
                )
            )
        return deltas

    def _index(self, call: dict[str, Any], position: int) -> int:
        index = _whole(call.get("index"))
        if index is not None:
            return index
        sent_id = _text(call.get("id"))
        if sent_id:
            return self._index_of_id.setdefault(sent_id, len(self._index_of_id))
        return position


def add_usage(one: Usage | None, other: Usage | None) -> Usage | None:
    """Add up the tokens of two requests that served one call.

    Args:
        one: Token counts, or None where there are none.
        other: Likewise.
    """
    if one is None or other is None:
        return one or other
    return Usage(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.total_tokens + other.total_tokens,
        _sum(one.cached_tokens, other.cached_tokens),
        _sum(one.reasoning_tokens, other.reasoning_tokens),
    )


def call_id(answer_id: str, index: int, *, choice: int = 0) -> str:
    """Return the id of an answer's call: the same each time the same answer is read.

    Args:
        answer_id: The server's id of the answer.
        index: The call's place among those of its choice.
        choice: The choice's place among the n answers.
    """
    source = answer_id.removeprefix("cmpl-").removeprefix("chatcmpl-")[:24]
    return f"call_{source}_{choice}_{index}" if choice else f"call_{source}_{index}"


def _read_choice(choice: dict[str, Any], position: int, answer_id: str) -> Choice:
    raw_message = choice.get("message")
    message: dict[str, Any] = raw_message if isinstance(raw_message, dict) else {}
    index = _whole(choice.get("index"))
    index = position if index is None else index
    calls = message.get("tool_calls")
    return Choice(
        index=index,
        text=_content(message.get("content")),
        tool_calls=[
            _read_call(call, call_id(answer_id, number, choice=index))
            for number, call in enumerate(calls if isinstance(calls, list) else [])
            if isinstance(call, dict)
        ],
        finish_reason=_text(choice.get("finish_reason")) or None,
        stop_reason=_stop_reason(choice.get("stop_reason")),
        logprobs=_read_logprobs(choice.get("logprobs")),
        reasoning=_text(message.get("reasoning_content") or message.get("reasoning")) or None,
    )


def _read_call(call: dict[str, Any], own_id: str) -> ToolCall:
    raw_function = call.get("function")
    function: dict[str, Any] = raw_function if isinstance(raw_function, dict) else {}
    return ToolCall(
        _text(call.get("id")) or own_id,
        _text(function.get("name")),
        _arguments(function.get("arguments")),
    )


def _arguments(value: Any) -> str:
    """Return arguments as JSON text; some servers send them as an object."""
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else _text(value)


def _read_usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    return Usage(
        prompt,
        completion,
        _count(usage.get("total_tokens")) or prompt + completion,
        _detail(usage.get("prompt_tokens_details"), "cached_tokens"),
        _detail(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def _detail(details: Any, name: str) -> int | None:
    return _whole(details.get(name)) if isinstance(details, Mapping) else None


def _count(value: Any) -> int:
    return _whole(value) or 0


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None  # true and false are no numbers


def _stop_reason(value: Any) -> str | int | None:
    return value if isinstance(value, str) else _whole(value)


def _read_logprobs(logprobs: Any) -> dict[str, Any] | None:
    """Keep the tokens that are well-formed: frameworks merge and validate them."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    return {"content": [_only_known(token) for token in tokens if _is_token(token)]}


def _is_token(token: Any) -> bool:
    others = token.get("top_logprobs") or [] if isinstance(token, dict) else None
    return isinstance(others, list) and all(map(_is_candidate, [token, *others]))


def _is_candidate(candidate: Any) -> bool:
    if not isinstance(candidate, dict) or not isinstance(candidate.get("token"), str):
        return False
    logprob, written = candidate.get("logprob"), candidate.get("bytes") or []
    is_number = logprob is None or type(logprob) in (float, int)
    return is_number and isinstance(written, list) and all(type(byte) is int for byte in written)


def _only_known(token: dict[str, Any]) -> dict[str, Any]:
    if token.keys() <= _TOKEN_KEYS:
        return token
    return {name: value for name, value in token.items() if name in _TOKEN_KEYS}


_TOKEN_KEYS = frozenset({"token", "logprob", "bytes", "top_logprobs"})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _content(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value if isinstance(part, dict))
    raise ResponseError(f"The server sent content that is no text: {value!r:.200}")


def _is_error(data: Any) -> bool:
    return isinstance(data, dict) and bool(data.get("error") or data.get("object") == "error")


def _is_empty_event(event: dict[str, Any]) -> bool:
    """Whether an event has no choice, or choices without a delta: a gateway's keep-alive."""
    choices = event.get("choices")
    return (choices is None and "id" in event) or choices == []


def _parse(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise ResponseError("The server answered 200 with an empty body.")
    data = _json(body)
    if data is _NO_JSON:
        kind = "a web page" if body.lstrip()[:1] == b"<" else "something that is no JSON"
        raise ResponseError(
            f"The server answered 200 with {kind}: {_shown(body)} "
            "Check the base URL: it ends in /v1 as a rule."
        )
    if not isinstance(data, dict):
        raise ResponseError(f"The server's reply is no JSON object: {_shown(body)}")
    return data


def _json(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:  # which keeps the whole text: no error of ours shall carry it along
        return _NO_JSON


_NO_JSON = object()


def _shown(body: bytes) -> str:
    text = body[:200].decode("utf-8", "replace")
    return f"{text!r}{' and more' if len(body) > 200 else ''}."
