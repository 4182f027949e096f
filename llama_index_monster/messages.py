"""Translate LlamaIndex's messages into the core's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

from llama_index_monster.blocks import to_content
from monster_core.errors import InvalidRequestError
from monster_core.request.messages import Message, Role
from monster_core.response.tool_arguments import write_json
from monster_core.response.types import ToolCall

__all__ = ["legacy_calls", "to_core"]

_NO_NAMES: Mapping[str, str] = {}


def to_core(messages: Sequence[ChatMessage], names: Mapping[str, str] = _NO_NAMES) -> list[Message]:
    """Translate a conversation; the messages are not changed.

    Of a message's ``additional_kwargs`` only ``tool_call_id`` and ``name`` (of a tool's message)
    and ``tool_calls`` (of an assistant's that holds no ToolCallBlock) are read.

    Args:
        messages: LlamaIndex's messages.
        names: The tools' own names by the names that are sent, where the two differ.

    Raises:
        InvalidRequestError: A message holds content that the server cannot take.
    """
    told = [_message(message) for message in messages]
    sent = {own: name for name, own in names.items()}
    for call in (call for message in told for call in message.tool_calls if sent):
        call.name = sent.get(call.name, call.name)
    return told


def _message(message: ChatMessage) -> Message:
    if not isinstance(message, ChatMessage):
        raise InvalidRequestError(f"A conversation holds ChatMessages, not {type(message)!r}.")
    role = _ROLES[message.role.value]
    content = to_content(message.blocks, role)
    if role == "assistant":
        return Message(role, content, tool_calls=_calls(message))
    if role == "tool":
        name, call_id = map(message.additional_kwargs.get, ("name", "tool_call_id"))
        return Message(role, content, _text(name), tool_call_id=_text(call_id))
    return Message(role, content)


def _calls(message: ChatMessage) -> list[ToolCall]:
    calls = [
        ToolCall(block.tool_call_id or "", block.tool_name, _json_text(block.tool_kwargs))
        for block in message.blocks
        if isinstance(block, ToolCallBlock)
    ]
    return calls or legacy_calls(message)


def legacy_calls(message: ChatMessage) -> list[ToolCall]:
    """Return the calls that a message's additional_kwargs hold, in OpenAI's shape.

    Args:
        message: The message.
    """
    calls = message.additional_kwargs.get("tool_calls")
    return [_legacy_call(call) for call in calls or () if call] if _is_list(calls) else []


def _legacy_call(call: Any) -> ToolCall:
    """Read a call in OpenAI's shape, as a dict or as an SDK's object."""
    function = _get(call, "function") or call
    arguments = _get(function, "arguments")
    return ToolCall(
        str(_get(call, "id") or ""), str(_get(function, "name") or ""), _json_text(arguments)
    )


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _json_text(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    return write_json(arguments or {})


_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
