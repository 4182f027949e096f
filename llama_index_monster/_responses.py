"""Convert the core's completions and chunks into LlamaIndex's responses."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Generator, Mapping
from contextlib import closing
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)
from pydantic import TypeAdapter

from llama_index_monster._tool_calls import PROBLEMS_KEY, ResponseToolCall, StreamedToolCalls
from monster_core.errors import ResponseError
from monster_core.json_values import copied
from monster_core.response.types import Chunk, Completion, Usage

__all__ = [
    "StreamedResponse",
    "ato_chat_responses",
    "to_chat_response",
    "to_chat_responses",
    "to_completion_response",
]

_ZERO_PROBABILITY = -9999.0
"""What vLLM writes as the log probability of a token that cannot occur."""

_NO_NAMES: Mapping[str, str] = {}


def to_chat_response(
    completion: Completion, tool_names: Mapping[str, str] = _NO_NAMES
) -> ChatResponse:
    """Convert a completion; its first choice is the message, and ``raw`` holds all of them.

    Args:
        completion: The core's completion.
        tool_names: The caller's name of a tool by the name that was sent, where they differ.

    Raises:
        ResponseError: The completion has no choice.
    """
    if not completion.choices:
        raise ResponseError("The server's response holds no choice.")
    choice = completion.choices[0]
    calls = [ResponseToolCall.whole(call, tool_names) for call in choice.tool_calls]
    response = ChatResponse(
        message=_message(choice.text, choice.reasoning, calls, choice.refusal),
        raw={**completion.raw, "usage": _raw_usage(completion.usage, completion.raw)},
        additional_kwargs={
            **_token_counts(completion.usage),
            **_problems(calls),
            "finish_reason": choice.finish_reason,
            "stop_reason": choice.stop_reason,
        },
    )
    response.logprobs = _logprobs(choice.logprobs)
    return response


def to_completion_response(response: ChatResponse) -> CompletionResponse:
    """Convert a chat's response into a completion's; one of a stream keeps its delta.

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


def to_chat_responses(
    chunks: Generator[Chunk, None, None], tool_names: Mapping[str, str]
) -> ChatResponseGen:
    """Convert the chunks of a stream one by one; leaving early closes the stream.

    Args:
        chunks: The core's chunks.
        tool_names: As in :func:`to_chat_response`.
    """
    response = StreamedResponse(tool_names)
    with closing(chunks):
        for chunk in chunks:
            yield response.add(chunk)


async def ato_chat_responses(
    chunks: AsyncGenerator[Chunk, None], tool_names: Mapping[str, str]
) -> ChatResponseAsyncGen:
    """Async version of :func:`to_chat_responses`.

    It does not close the chunks: an event loop that ends closes every async generator at the same
    time, and closing one that is being closed is an error. Python closes them once this generator,
    which holds the only reference, is closed.
    """
    response = StreamedResponse(tool_names)
    async for chunk in chunks:
        yield response.add(chunk)


class StreamedResponse:
    """Collect the chunks of a stream into responses, each of which holds everything so far.

    No two responses share a list or a dict, so that a reader may change what it gets.

    Args:
        tool_names: As in :func:`to_chat_response`.
    """

    __slots__ = ("_calls", "_end", "_event", "_logprobs", "_reasoning", "_refusal", "_text")

    def __init__(self, tool_names: Mapping[str, str] = _NO_NAMES) -> None:
        self._text = ""
        self._reasoning = ""
        self._refusal = ""
        self._calls = StreamedToolCalls(tool_names)
        self._logprobs: list[list[LogProb]] = []
        self._end: dict[str, Any] = {}
        self._event: dict[str, Any] = {}

    def add(self, chunk: Chunk) -> ChatResponse:
        """Add a chunk and return the response as it is now.

        Args:
            chunk: The next chunk.
        """
        self._text += chunk.text
        extra: dict[str, Any] = {} if chunk.usage is None else _token_counts(chunk.usage)
        if chunk.reasoning:
            self._reasoning += chunk.reasoning
            extra["thinking_delta"] = chunk.reasoning
        if chunk.refusal:
            self._refusal += chunk.refusal
        if chunk.tool_calls:
            self._calls.add(chunk.tool_calls)
        if chunk.logprobs:
            self._logprobs += _logprobs(chunk.logprobs) or ()
        if chunk.finish_reason is not None:
            self._end = {"finish_reason": chunk.finish_reason, "stop_reason": chunk.stop_reason}
        extra.update(self._end)
        calls: Collection[ResponseToolCall] = self._calls.so_far
        if chunk.finished_calls is not None:
            calls = self._calls.finished(chunk.finished_calls)
            extra.update(_problems(calls))
        self._event = chunk.raw or copied(self._event)
        response = ChatResponse(
            message=_message(self._text, self._reasoning, calls, self._refusal),
            delta=chunk.text,
            raw={**self._event, "usage": chunk.usage and _raw_usage(chunk.usage, self._event)},
            additional_kwargs=extra,
        )
        if self._logprobs:  # validating them again with each chunk would cost more and more
            response.logprobs = list(self._logprobs)
        return response


def _message(
    text: str, reasoning: str | None, calls: Collection[ResponseToolCall], refusal: str | None
) -> ChatMessage:
    blocks: list[Any] = [TextBlock(text=text)]
    extra: dict[str, Any] = {}
    if reasoning:
        blocks.insert(0, ThinkingBlock(content=reasoning))
    if calls:
        # LlamaIndex's programs and chat engines still look for calls here.
        legacy = extra["tool_calls"] = []
        for call in calls:
            blocks.append(call.to_block())
            legacy.append(call.to_openai())
    if refusal:
        extra["refusal"] = refusal
    return _MESSAGE.model_copy(update={"blocks": blocks, "additional_kwargs": extra})


_MESSAGE = ChatMessage(role=MessageRole.ASSISTANT, blocks=[], additional_kwargs={})
"""Messages are copies of an empty one: their blocks are not checked a second time."""


def _problems(calls: Collection[ResponseToolCall]) -> dict[str, Any]:
    problems = {call.id: call.problem for call in calls if call.problem}
    return {PROBLEMS_KEY: problems} if problems else {}


def _token_counts(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def _raw_usage(usage: Usage | None, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the server's usage with counts that are integers, as LlamaIndex's counter needs."""
    if usage is None:
        return None
    sent = body.get("usage")
    return {**(sent if isinstance(sent, dict) else {}), **_token_counts(usage)}


def _logprobs(logprobs: Mapping[str, Any] | None) -> list[list[LogProb]] | None:
    """Return one list for each token: the token itself, then its likeliest alternatives."""
    content = logprobs.get("content") if logprobs else None
    if not isinstance(content, list):
        return None
    return [_candidates(token) for token in content if isinstance(token, dict)]


def _candidates(token: Mapping[str, Any]) -> list[LogProb]:
    chosen = _candidate(token)
    candidates, is_listed = [chosen], False
    for other in map(_candidate, token.get("top_logprobs") or ()):
        if not is_listed and other == chosen:
            is_listed = True
        else:
            candidates.append(other)
    return _LOGPROBS.validate_python(candidates)


def _candidate(token: Mapping[str, Any]) -> dict[str, Any]:
    logprob = token.get("logprob")
    return {
        "token": token["token"],
        "logprob": _ZERO_PROBABILITY if logprob is None else logprob,
        "bytes": token.get("bytes") or [],
    }


_LOGPROBS = TypeAdapter(list[LogProb])
"""Makes the candidates of a token at once, which costs two thirds of one after another."""
