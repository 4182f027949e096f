"""Messages and chunks of this provider -> LangChain's standard content blocks.

Every block of a chunk carries an index of its own, so that text, reasoning and calls that arrive
mixed are never merged into one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.block_translators import register_translator
from langchain_core.messages.content import ContentBlock

__all__ = ["MODEL_PROVIDER", "register", "translate_chunk", "translate_message"]

MODEL_PROVIDER = "monster"
"""The provider's name in response metadata and in traces."""


def register() -> None:
    """Let LangChain's ``content_blocks`` of this provider's messages be made here."""
    register_translator(MODEL_PROVIDER, translate_message, translate_chunk)


def translate_message(message: AIMessage) -> list[ContentBlock]:
    """Return the blocks of a whole message: reasoning, text, then calls.

    Invalid calls are not among them: whatever replays a message adds them from
    ``invalid_tool_calls``, and would show them twice.

    Args:
        message: The message; it is not changed.
    """
    return _blocks([*_said(message), *map(_call, message.tool_calls)])


def translate_chunk(message: AIMessageChunk) -> list[ContentBlock]:
    """Return the blocks of a chunk, or of the chunks of a whole stream added up.

    Args:
        message: The chunk; it is not changed. Added up to the last one, it has its calls parsed.
    """
    blocks = [
        {**block, "index": _INDEX[block["type"]]} if block["type"] in _INDEX else block
        for block in _said(message)
    ]
    # a last chunk that only goes on with a call is not a sum of chunks: its call has no name
    if message.chunk_position == "last" and all(call["name"] for call in message.tool_call_chunks):
        blocks += map(_call, message.tool_calls)
        blocks += ({**call, "type": "invalid_tool_call"} for call in message.invalid_tool_calls)
    else:
        blocks += map(_call_chunk, message.tool_call_chunks)
    return _blocks(blocks)


_INDEX = {"reasoning": "lc_rs_0", "text": "lc_txt_0"}


def _said(message: AIMessage) -> list[dict[str, Any]]:
    """Return the blocks of reasoning and text."""
    reasoning = message.additional_kwargs.get("reasoning_content")
    said = [{"type": "reasoning", "reasoning": reasoning}] if reasoning else []
    if isinstance(message.content, str):
        return [*said, {"type": "text", "text": message.content}] if message.content else said
    parsed = cast("Iterable[dict[str, Any]]", BaseMessage.content_blocks.__get__(message))
    return [*said, *(dict(block) for block in parsed if block["type"] not in _CALLS)]


_CALLS = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call"})


def _call(call: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}


def _call_chunk(call: Any) -> dict[str, Any]:
    return {
        "type": "tool_call_chunk",
        "id": call["id"],
        "name": call["name"],
        "args": call["args"],
        "index": f"lc_tc_{call['index'] or 0}",
    }


def _blocks(blocks: list[dict[str, Any]]) -> list[ContentBlock]:
    return cast("list[ContentBlock]", blocks)
