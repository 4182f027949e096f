"""Read the tools that a response calls, and say what is wrong with a call."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection

from llama_index_monster.messages import legacy_calls
from monster_core.errors import StructuredAnswerError, TruncatedAnswerError
from monster_core.json_values import copied
from monster_core.response.partial_json import PartialJson
from monster_core.response.tool_arguments import read_arguments
from monster_core.response.types import ToolCall

__all__ = ["to_selections"]


def to_selections(response: ChatResponse) -> list[ToolSelection]:
    """Return the tools that a response calls, by its blocks, else by its additional_kwargs.

    Args:
        response: The response; of a stream, its arguments may be incomplete.

    Raises:
        TruncatedAnswerError: ``max_tokens`` cut a call's arguments.
        StructuredAnswerError: A call's arguments are no JSON object.
    """
    finish_reason = response.additional_kwargs.get("finish_reason")
    calls: list[tuple[str | None, str, dict[str, Any] | str]] = [
        (block.tool_call_id, block.tool_name, block.tool_kwargs)
        for block in response.message.blocks
        if isinstance(block, ToolCallBlock)
    ]
    if not calls:
        legacy = legacy_calls(response.message)
        calls = [(call.id, call.name, call.arguments) for call in legacy]
    return [
        ToolSelection(
            tool_id=call_id or f"call_{place}",
            tool_name=name,
            tool_kwargs=_arguments(name, arguments, finish_reason),
        )
        for place, (call_id, name, arguments) in enumerate(calls)
    ]


def _arguments(
    name: str, arguments: dict[str, Any] | str, finish_reason: str | None
) -> dict[str, Any]:
    if isinstance(arguments, dict):
        return dict(copied(arguments))
    value, problem = read_arguments(ToolCall("", name, arguments), finish_reason)
    if problem is None:
        return value
    if finish_reason is None:
        parser = PartialJson()
        parser.feed(arguments)
        if isinstance(parser.value, dict):
            return parser.value
    kind = TruncatedAnswerError if finish_reason == "length" else StructuredAnswerError
    raise kind(problem)
