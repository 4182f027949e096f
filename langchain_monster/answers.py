"""Translate the core's answers and chunks into LangChain's."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, InvalidToolCall, ToolCall
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import (
    invalid_tool_call,
    tool_call,
    tool_call_chunk,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_monster.provider import MODEL_PROVIDER
from monster_core.response.tool_arguments import read_arguments
from monster_core.response.types import Choice, Chunk, Completion, ToolCallDelta, Usage
from monster_core.response.types import ToolCall as CoreToolCall
from monster_core.unvalidated import Unvalidated

__all__ = ["to_generation_chunk", "to_result"]


def to_result(answer: Completion) -> ChatResult:
    """Translate a full answer; the usage stands on the first of several messages.

    Args:
        answer: The core's answer.
    """
    usage = answer.usage
    return _result(
        generations=[
            _generation(answer, choice, usage if place == 0 else None)
            for place, choice in enumerate(answer.choices)
        ],
        llm_output={
            "token_usage": _token_usage(usage) if usage else None,
            "model_name": answer.model,
        },
    )


def to_generation_chunk(chunk: Chunk) -> ChatGenerationChunk:
    """Translate one chunk of a stream.

    Args:
        chunk: The core's chunk.
    """
    metadata: dict[str, Any] = {"model_provider": MODEL_PROVIDER}
    if chunk.finish_reason is not None:
        metadata["finish_reason"] = chunk.finish_reason
        metadata["stop_reason"] = chunk.stop_reason
    if chunk.logprobs is not None:
        metadata["logprobs"] = chunk.logprobs
    if chunk.is_last:
        metadata["model_name"] = chunk.model
    message = _chunk_with(_calls_of(chunk))(
        content=chunk.text,
        id=chunk.id or None,
        response_metadata=metadata,
        usage_metadata=_usage_metadata(chunk.usage) if chunk.usage else None,
        chunk_position="last" if chunk.is_last else None,
        additional_kwargs={"reasoning_content": chunk.reasoning} if chunk.reasoning else {},
    )
    return _generation_chunk(text=chunk.text, message=message)


def _chunk_with(calls: list[ToolCallDelta]) -> Callable[..., AIMessageChunk]:
    """Return what makes a chunk with pieces of calls.

    LangChain tries to read each piece as an object, which takes it longer than all else: a piece
    that does not begin like one is invalid as a call of its own, and an empty one is without
    arguments.
    """
    if not calls:
        return _text_chunk
    pieces = [
        tool_call_chunk(name=call.name, args=call.arguments, id=call.id, index=call.index)
        for call in calls
    ]
    if any(_begins_object(call.arguments) for call in calls):
        return partial(AIMessageChunk, tool_call_chunks=pieces)
    return partial(
        _text_chunk,
        tool_call_chunks=pieces,
        tool_calls=[
            tool_call(name=call.name or "", args={}, id=call.id)
            for call in calls
            if not call.arguments
        ],
        invalid_tool_calls=[
            invalid_tool_call(name=call.name, args=call.arguments, id=call.id, error=None)
            for call in calls
            if call.arguments
        ],
    )


def _begins_object(text: str) -> bool:
    return text[:1] == "{" or text.lstrip(" \t\r\n")[:1] == "{"


_text_chunk = Unvalidated(AIMessageChunk)
_generation_chunk = Unvalidated(ChatGenerationChunk)
_plain_message = Unvalidated(AIMessage)
_generation_of = Unvalidated(ChatGeneration)
_result = Unvalidated(ChatResult)


def _calls_of(chunk: Chunk) -> list[ToolCallDelta]:
    """Return a chunk's pieces of calls; a call that max_tokens cut is made invalid.

    LangChain completes JSON that stops half-way, and would run the tool with half of its
    arguments; more closing brackets than there are open ones keep it from doing so.
    """
    calls, cut = chunk.tool_calls or [], chunk.cut_call
    if cut is None:
        return calls
    text = re.sub(r"\\.", "", cut.arguments, flags=re.DOTALL)
    end = ("\\" if text.endswith("\\") else "") + ('"' if text.count('"') % 2 else "")
    end += "]}" * (1 + text.count("{") + text.count("["))
    last = next((call for call in calls if call.index == cut.index), None)
    if last is None:
        return [*calls, ToolCallDelta(cut.index, None, None, end)]
    last.arguments += end
    return calls


def _generation(answer: Completion, choice: Choice, usage: Usage | None) -> ChatGeneration:
    metadata: dict[str, Any] = {
        "model_provider": MODEL_PROVIDER,
        "model_name": answer.model,
        "finish_reason": choice.finish_reason,
        "stop_reason": choice.stop_reason,
    }
    if choice.logprobs is not None:
        metadata["logprobs"] = choice.logprobs
    calls, invalid = _calls(choice)
    # LangChain has calls to check and to complete in a message that holds some
    message = (AIMessage if calls or invalid else _plain_message)(
        content=choice.text,
        id=(answer.id if choice.index == 0 else f"{answer.id}-{choice.index}") or None,
        response_metadata=metadata,
        usage_metadata=_usage_metadata(usage) if usage else None,
        additional_kwargs={"reasoning_content": choice.reasoning} if choice.reasoning else {},
        tool_calls=calls,
        invalid_tool_calls=invalid,
    )
    told = {name: metadata[name] for name in ("finish_reason", "logprobs") if name in metadata}
    return _generation_of(text=choice.text, message=message, generation_info=told)


def _calls(choice: Choice) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in choice.tool_calls:
        arguments, problem = read_arguments(call, choice.finish_reason)
        if problem is None:
            calls.append(tool_call(name=call.name, args=arguments, id=call.id))
        else:
            invalid.append(_invalid(call, problem))
    return calls, invalid


def _invalid(call: CoreToolCall, problem: str) -> InvalidToolCall:
    return invalid_tool_call(name=call.name, args=call.arguments, id=call.id, error=problem)


def _usage_metadata(usage: Usage) -> UsageMetadata:
    metadata = UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
    )
    if usage.cached_tokens is not None:
        metadata["input_token_details"] = InputTokenDetails(cache_read=usage.cached_tokens)
    if usage.reasoning_tokens is not None:
        metadata["output_token_details"] = OutputTokenDetails(reasoning=usage.reasoning_tokens)
    return metadata


def _token_usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
