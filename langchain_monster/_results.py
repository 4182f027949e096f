"""The core's completions and chunks -> LangChain's results, messages and chunks.

Messages have no id here: LangChain gives each the id of its run. The server's id, which a proxy
or a cache may repeat, stands in the response metadata.
"""

from __future__ import annotations

import json
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, InvalidToolCall, ToolCall
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import (
    ToolCallChunk,
    invalid_tool_call,
    tool_call,
    tool_call_chunk,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.json import parse_partial_json

from langchain_monster._content_blocks import MODEL_PROVIDER
from monster_core.json_values import read_json
from monster_core.response.types import Choice, Chunk, Completion, Usage
from monster_core.response.types import ToolCall as CoreToolCall

__all__ = ["ChunkConverter", "to_chat_result"]


def to_chat_result(completion: Completion) -> ChatResult:
    """Convert a completion; the token counts stand on the first of several messages."""
    usage = completion.usage
    generations = [
        _to_generation(completion, choice, usage if place == 0 else None)
        for place, choice in enumerate(completion.choices)
    ]
    token_usage = usage and {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    llm_output = {"token_usage": token_usage, "model_name": completion.model}
    return ChatResult(generations=generations, llm_output=llm_output)


class ChunkConverter:
    """Convert the chunks of one stream.

    Args:
        for_protocol_events: Whether LangChain makes protocol events of the chunks
            (``stream_events(version="v3")``). It keeps only the log probabilities of the last
            chunk then, so the last one gets those of the whole answer.
    """

    def __init__(self, *, for_protocol_events: bool = False) -> None:
        self._logprobs: list[Any] | None = [] if for_protocol_events else None
        self._id_is_given = False

    def convert(self, chunk: Chunk) -> ChatGenerationChunk:
        """Convert a chunk.

        Each piece of response metadata but the provider's name, which LangChain looks for on
        every chunk, stands on one chunk only: adding chunks up concatenates texts.
        """
        metadata: dict[str, Any] = {"model_provider": MODEL_PROVIDER}
        fields: dict[str, Any] = {
            "content": chunk.text,
            "response_metadata": metadata,
            "additional_kwargs": {},
            "tool_calls": [],
            "invalid_tool_calls": [],
            "tool_call_chunks": [],
        }
        info: dict[str, Any] | None = None
        if chunk.id and not self._id_is_given:
            metadata["id"], self._id_is_given = chunk.id, True
        if chunk.finish_reason is not None:
            metadata["finish_reason"] = chunk.finish_reason
            metadata["stop_reason"] = chunk.stop_reason
            info = {"finish_reason": chunk.finish_reason}
        if chunk.logprobs is not None or self._logprobs:
            self._add_logprobs(chunk, metadata)
        if chunk.reasoning or chunk.refusal:
            fields["additional_kwargs"] = _additional_kwargs(chunk)
        if chunk.tool_calls or chunk.finished_calls:
            fields.update(_tool_call_fields(chunk))
        if chunk.is_last:
            metadata["model_name"] = chunk.model
            fields["chunk_position"] = "last"
            fields["usage_metadata"] = _usage_metadata(chunk.usage) if chunk.usage else None
        message, generation = _MESSAGE.model_copy(), _CHUNK.model_copy()
        message.__dict__.update(fields)
        generation.__dict__.update(text=chunk.text, message=message, generation_info=info)
        return generation

    def _add_logprobs(self, chunk: Chunk, metadata: dict[str, Any]) -> None:
        if chunk.logprobs is not None:
            metadata["logprobs"] = chunk.logprobs
        if self._logprobs is None:
            return
        self._logprobs += (chunk.logprobs or {}).get("content") or ()
        if chunk.is_last:
            metadata["logprobs"] = {"content": self._logprobs}


_MESSAGE = AIMessageChunk(content="")
_CHUNK = ChatGenerationChunk(message=_MESSAGE)
"""Chunks are copies of empty ones: copying one costs half of validating one.

The fields are set in the copy's ``__dict__``, since model_copy's own update also notes the names of
all of them, which takes half a kilobyte of each chunk, and LangChain keeps those of a stream.
"""


def _tool_call_fields(chunk: Chunk) -> dict[str, Any]:
    """Return the fields of a message chunk that holds pieces of tool calls.

    LangChain reads each piece as the beginning of an object, which costs more than all else. What
    does not begin like one is an invalid call, and an empty piece a call without arguments: only
    the others are read.
    """
    pieces = _tool_call_chunks(chunk)
    if any(_begins_object(piece["args"] or "") for piece in pieces):
        read = AIMessageChunk(content="", tool_call_chunks=pieces)
        return {name: getattr(read, name) for name in _TOOL_CALL_FIELDS}
    return {
        "tool_call_chunks": pieces,
        "tool_calls": [
            tool_call(name=piece["name"] or "", args={}, id=piece["id"])
            for piece in pieces
            if not piece["args"]
        ],
        "invalid_tool_calls": [
            invalid_tool_call(name=piece["name"], args=piece["args"], id=piece["id"], error=None)
            for piece in pieces
            if piece["args"]
        ],
    }


_TOOL_CALL_FIELDS = ("tool_call_chunks", "tool_calls", "invalid_tool_calls")


def _begins_object(text: str) -> bool:
    return text[:1] == "{" or text.lstrip(" \t\r\n")[:1] == "{"


def _to_generation(completion: Completion, choice: Choice, usage: Usage | None) -> ChatGeneration:
    metadata: dict[str, Any] = {
        "model_provider": MODEL_PROVIDER,
        "model_name": completion.model,
        "finish_reason": choice.finish_reason,
        "stop_reason": choice.stop_reason,
    }
    info: dict[str, Any] = {"finish_reason": choice.finish_reason}
    if completion.id:
        metadata["id"] = completion.id
    if choice.logprobs is not None:
        metadata["logprobs"] = info["logprobs"] = choice.logprobs
    calls, invalid_calls = _tool_calls(choice) if choice.tool_calls else ([], [])
    message = AIMessage(
        content=choice.text,
        response_metadata=metadata,
        usage_metadata=_usage_metadata(usage) if usage else None,
        additional_kwargs=_additional_kwargs(choice) if choice.reasoning or choice.refusal else {},
        tool_calls=calls,
        invalid_tool_calls=invalid_calls,
    )
    return ChatGeneration(message=message, generation_info=info)


def _additional_kwargs(said: Choice | Chunk) -> dict[str, Any]:
    """Return what was said beside the text, under the keys that LangChain's packages use."""
    given = {"reasoning_content": said.reasoning, "refusal": said.refusal}
    return {key: text for key, text in given.items() if text}


def _tool_calls(choice: Choice) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    calls: list[ToolCall] = []
    invalid_calls: list[InvalidToolCall] = []
    for call in choice.tool_calls:
        if call.problem is None:
            calls.append(tool_call(name=call.name, args=read_json(call.arguments), id=call.id))
        else:
            invalid_calls.append(
                invalid_tool_call(
                    name=call.name, args=call.arguments, id=call.id, error=call.problem
                )
            )
    return calls, invalid_calls


def _tool_call_chunks(chunk: Chunk) -> list[ToolCallChunk]:
    pieces = [
        tool_call_chunk(name=delta.name, args=delta.arguments, id=delta.id, index=delta.index)
        for delta in chunk.tool_calls or ()
    ]
    for index, call in (chunk.finished_calls or {}).items():
        if call.problem is not None:
            _invalidate(pieces, index, call)
    return pieces


def _invalidate(pieces: list[ToolCallChunk], index: int, call: CoreToolCall) -> None:
    """Add to a chunk's pieces what keeps LangChain from running a call that is not whole.

    LangChain completes JSON that stops half-way when it adds chunks up, and takes NaN for a
    number; an agent would run the tool. Only a closing bracket too many keeps it from that.

    Args:
        pieces: The pieces of the chunk; the call's own gets longer, or is added.
        index: The call's index.
        call: The call, with all of its arguments.
    """
    ending = next(ending for ending in _ENDINGS if not _is_accepted(call.arguments + ending))
    for piece in pieces:
        if piece["index"] == index:
            piece["args"] = (piece["args"] or "") + ending
            return
    if ending:
        pieces.append(tool_call_chunk(name=None, args=ending, id=None, index=index))


def _is_accepted(arguments: str) -> bool:
    """Whether LangChain takes a text for a call's arguments.

    Chunks take any beginning of an object, even an empty one; protocol events any JSON value.
    """
    if not arguments:
        return True
    try:
        if isinstance(parse_partial_json(arguments), dict):
            return True
        json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return True


_ENDINGS = ("", "]", '"]', '\\"]', "}]", '"}]', '\\"}]', "]}]")


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
