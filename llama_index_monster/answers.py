"""Translate the core's answers and chunks into LlamaIndex's responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)

from llama_index_monster.growing_text import GrowingText
from llama_index_monster.pending import Pending
from llama_index_monster.tool_calls import (
    CallReading,
    GivenCall,
    StreamedCalls,
    given_calls,
)
from monster_core.errors import ResponseError
from monster_core.json_values import copied
from monster_core.response.types import Chunk, Completion, Usage
from monster_core.unvalidated import Unvalidated

__all__ = ["StreamedAnswer", "to_chat_response", "to_completion_response", "to_streamed_completion"]


_ALL_CALLS = CallReading()
_streamed_response = Pending(ChatResponse)
_streamed_completion = Pending(CompletionResponse)
_chat_message = Unvalidated(ChatMessage)
_text_block = Unvalidated(TextBlock)
_log_prob = Unvalidated(LogProb)  # the core has looked at the tokens


def to_chat_response(answer: Completion, reading: CallReading = _ALL_CALLS) -> ChatResponse:
    """Translate a full answer; of several, the first is the message and ``raw`` holds them all.

    Args:
        answer: The core's answer.
        reading: How its calls are given.

    Raises:
        ResponseError: The server sent no answer at all.
    """
    if not answer.choices:
        raise ResponseError("The server's reply holds no choice.")
    choice = answer.choices[0]
    calls = given_calls(choice.tool_calls, choice.finish_reason, reading)
    return ChatResponse(
        message=_message(choice.text, choice.reasoning, calls),
        raw={**answer.raw, "usage": _usage(answer.usage, answer.raw)},
        logprobs=_logprobs(choice.logprobs),
        additional_kwargs={
            **_counts(answer.usage),
            "finish_reason": choice.finish_reason,
            "stop_reason": choice.stop_reason,
        },
    )


def to_completion_response(response: ChatResponse) -> CompletionResponse:
    """Translate a chat's response into a completion's.

    Args:
        response: The chat's response.
    """
    completion = CompletionResponse(
        text=response.message.content or "",
        delta=response.delta,
        raw=response.raw,
        additional_kwargs={**response.message.additional_kwargs, **response.additional_kwargs},
    )
    completion.logprobs = response.logprobs
    return completion


def to_streamed_completion(response: ChatResponse) -> CompletionResponse:
    """Translate a chat's streamed response into a completion's.

    Args:
        response: The chat's response; nobody else has it.
    """
    return _streamed_completion(
        lambda: to_completion_response(response).__dict__, delta=response.delta
    )


class StreamedAnswer:
    """Collect a stream: each response holds everything so far in lists and dicts of its own.

    The last one holds the whole text, every call, why it ended, and the usage.

    Args:
        reading: How the answer's calls are given.
    """

    __slots__ = ("_calls", "_end", "_event", "_logprobs", "_reasoning", "_text", "_tokens")

    def __init__(self, reading: CallReading = _ALL_CALLS) -> None:
        self._calls = StreamedCalls(reading)
        self._text = GrowingText()
        self._reasoning = GrowingText()
        self._tokens: list[dict[str, Any]] = []  # with their log probabilities
        self._logprobs: list[list[LogProb]] = []  # of those that somebody has looked at
        self._end: dict[str, Any] = {}
        self._event: dict[str, Any] = {}

    def add(self, chunk: Chunk) -> ChatResponse:
        """Take the next chunk and return the response as it stands now.

        Args:
            chunk: The core's chunk.
        """
        told: dict[str, Any] = {}
        self._text.pieces.append(chunk.text)
        if chunk.reasoning:
            self._reasoning.pieces.append(chunk.reasoning)
            told["thinking_delta"] = chunk.reasoning
        if chunk.tool_calls:
            self._calls.add(chunk.tool_calls)
        if chunk.logprobs:
            self._tokens += chunk.logprobs["content"]
        if chunk.finish_reason is not None:
            self._end = {"finish_reason": chunk.finish_reason, "stop_reason": chunk.stop_reason}
        self._event = chunk.raw or copied(self._event)
        told.update(self._end)
        told.update(_counts(chunk.usage))
        moment = _Moment(
            self._event,
            chunk.usage,
            len(self._text.pieces),
            len(self._reasoning.pieces),
            len(self._tokens),
            self._calls.moment(),
            self._end.get("finish_reason"),
            chunk.is_last or bool(self._end),
        )
        return _streamed_response(
            partial(self._fields_at, moment), delta=chunk.text, additional_kwargs=told
        )

    def _fields_at(self, moment: _Moment) -> dict[str, Any]:
        calls = self._calls.given(moment.calls, moment.finish_reason, is_over=moment.is_over)
        text = self._text.until(moment.texts)
        return {
            "message": _message(text, self._reasoning.until(moment.reasonings), calls),
            "raw": {**moment.event, "usage": _usage(moment.usage, moment.event)},
            "logprobs": self._logprobs_until(moment.tokens) or None,
        }

    def _logprobs_until(self, count: int) -> list[list[LogProb]]:
        known = self._logprobs
        if len(known) < count:
            found = map(_candidates, self._tokens[len(known) : count])
            known = self._logprobs = [*known, *found]  # as one: another thread may do the same
        return [list(one) for one in known[:count]]


class _Moment(NamedTuple):
    """Say how much of a stream had come when one of its responses was given."""

    event: dict[str, Any]
    usage: Usage | None
    texts: int
    reasonings: int
    tokens: int
    calls: tuple[int, ...]
    finish_reason: str | None
    is_over: bool


def _message(text: str, reasoning: str | None, calls: Sequence[GivenCall]) -> ChatMessage:
    thinking = [ThinkingBlock(content=reasoning)] if reasoning else []
    return _chat_message(
        role=MessageRole.ASSISTANT,
        blocks=[*thinking, _text_block(text=text), *(call.to_block() for call in calls)],
        # beside the blocks: LlamaIndex's programs and chat engines still look here
        additional_kwargs={"tool_calls": [call.to_openai() for call in calls]} if calls else {},
    )


def _counts(usage: Usage | None) -> dict[str, int]:
    if usage is None:
        return {}
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def _usage(usage: Usage | None, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the server said of the usage, its counts surely integers."""
    if usage is None:
        return None
    said = body.get("usage")
    return {**(said if isinstance(said, dict) else {}), **_counts(usage)}


def _logprobs(logprobs: Mapping[str, Any] | None) -> list[list[LogProb]] | None:
    """Return one list per token: the token itself, then its likeliest alternatives."""
    content = logprobs.get("content") if logprobs else None
    if not isinstance(content, list):
        return None
    return [_candidates(token) for token in content if isinstance(token, dict)]


def _candidates(token: Mapping[str, Any]) -> list[LogProb]:
    chosen = _logprob(token)
    others = [_logprob(other) for other in token.get("top_logprobs") or ()]
    if chosen in others:
        others.remove(chosen)
    return [chosen, *others]


def _logprob(token: Mapping[str, Any]) -> LogProb:
    logprob = token.get("logprob")
    return _log_prob(
        token=token["token"],
        logprob=_IMPOSSIBLE if logprob is None else float(logprob),
        bytes=list(token.get("bytes") or ()),
    )


_IMPOSSIBLE = -9999.0
"""The log probability that vLLM itself writes for a token of probability 0."""
