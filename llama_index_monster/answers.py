"""Translate the core's answers and chunks into LlamaIndex's responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)

from llama_index_monster.tool_calls import (
    CallReading,
    GivenCall,
    StreamedCalls,
    given_calls,
)
from monster_core.answer import Answer, Chunk, Usage
from monster_core.errors import ResponseError
from monster_core.json_values import copied
from monster_core.unvalidated import Unvalidated

__all__ = ["StreamedAnswer", "to_chat_response", "to_completion_response"]


_ALL_CALLS = CallReading()
_response = Unvalidated(ChatResponse)
_chat_message = Unvalidated(ChatMessage)
_text_block = Unvalidated(TextBlock)


def to_chat_response(answer: Answer, reading: CallReading = _ALL_CALLS) -> ChatResponse:
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
    """Translate a chat's response, full or streamed, into a completion's.

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


class StreamedAnswer:
    """Collect a stream: each response holds everything so far and shares nothing with the others.

    The last one holds the whole text, every call, why it ended, and the usage.

    Args:
        reading: How the answer's calls are given.
    """

    __slots__ = ("_calls", "_end", "_event", "_logprobs", "_reasoning", "_text")

    def __init__(self, reading: CallReading = _ALL_CALLS) -> None:
        self._calls = StreamedCalls(reading)
        self._text = ""
        self._reasoning = ""
        self._logprobs: list[list[LogProb]] = []
        self._end: dict[str, Any] = {}
        self._event: dict[str, Any] = {}

    def add(self, chunk: Chunk) -> ChatResponse:
        """Take the next chunk and return the response as it stands now.

        Args:
            chunk: The core's chunk.
        """
        self._text += chunk.text
        additional = {"thinking_delta": chunk.reasoning} if chunk.reasoning else {}
        self._reasoning += chunk.reasoning or ""
        if chunk.finish_reason is not None:
            self._end = {"finish_reason": chunk.finish_reason, "stop_reason": chunk.stop_reason}
        self._event = chunk.raw or copied(self._event)
        self._calls.add(chunk.tool_calls or ())
        return _response(
            message=_message(self._text, self._reasoning, self._given_calls(chunk)),
            delta=chunk.text,
            raw={**self._event, "usage": _usage(chunk.usage, self._event)},
            logprobs=self._all_logprobs(chunk.logprobs),
            additional_kwargs={**additional, **self._end, **_counts(chunk.usage)},
        )

    def _given_calls(self, chunk: Chunk) -> list[GivenCall]:
        is_over = chunk.is_last or bool(self._end)
        return self._calls.given(self._end.get("finish_reason"), is_over=is_over)

    def _all_logprobs(self, new: dict[str, Any] | None) -> list[list[LogProb]] | None:
        self._logprobs += _logprobs(new) or []
        return self._logprobs.copy() or None


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
    return LogProb(
        token=str(token.get("token") or ""),
        logprob=_IMPOSSIBLE if logprob is None else logprob,
        bytes=token.get("bytes") or [],
    )


_IMPOSSIBLE = -9999.0
"""The log probability that vLLM itself writes for a token of probability 0."""
