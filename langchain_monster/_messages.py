"""LangChain's messages -> the core's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from monster_core.errors import InvalidRequestError
from monster_core.request.content_blocks import read_content, read_tool_call
from monster_core.request.messages import Message, Role, write_json
from monster_core.response.types import ToolCall

__all__ = ["to_core"]


def to_core(messages: Sequence[BaseMessage]) -> list[Message]:
    """Convert a conversation; the messages are not changed.

    Raises:
        InvalidRequestError: A message holds content that the server cannot take.
    """
    converted: list[Message] = []
    for message in messages:
        if not isinstance(message, HumanMessage):
            converted.append(_message(message))
        elif isinstance(message.content, str):
            converted.append(Message("user", message.content, message.name))
        else:
            converted += _user_messages(message, message.content)
    return converted


def _user_messages(message: HumanMessage, blocks: Sequence[Any]) -> list[Message]:
    """Convert a user's message; Anthropic's results of tools in it are messages of their own."""
    converted: list[Message] = []
    others: list[Any] = []
    for block in blocks:
        if _is_tool_result(block):
            converted.append(_tool_result(block))
        else:
            others.append(block)
    if others or not converted:
        converted.append(Message("user", read_content(others, "user"), message.name))
    return converted


def _is_tool_result(block: Any) -> bool:
    return isinstance(block, Mapping) and (
        block.get("type") == "tool_result" or isinstance(block.get("toolResult"), Mapping)
    )


def _tool_result(block: Mapping[str, Any]) -> Message:
    given: Mapping[str, Any] = block.get("toolResult") or block
    content = given.get("content") or ""
    return Message(
        "tool",
        content if isinstance(content, str) else read_content(content, "tool"),
        tool_call_id=given.get("tool_use_id") or given.get("toolUseId"),
        is_error=bool(given.get("is_error")) or given.get("status") == "error",
    )


def _message(message: BaseMessage) -> Message:
    """Convert the message of another speaker than the user."""
    role: Role
    if isinstance(message, AIMessage):
        role = "assistant"
    elif isinstance(message, (ToolMessage, FunctionMessage)):
        role = "tool"
    elif isinstance(message, SystemMessage):
        role = "system"
    elif isinstance(message, ChatMessage):
        role = _role_named(message.role)
    else:
        raise InvalidRequestError(f"A {type(message).__name__} cannot be sent to a model.")
    content = message.content
    read = content if isinstance(content, str) else read_content(content, role)
    converted = Message(role, read, message.name)
    if isinstance(message, AIMessage):
        converted.tool_calls = _calls(message)
    elif role == "tool":
        converted.tool_call_id = getattr(message, "tool_call_id", None)
        converted.is_error = getattr(message, "status", None) == "error"
    return converted


def _role_named(name: str) -> Role:
    role = _ROLES.get(name.lower())
    if role is None:
        raise InvalidRequestError(
            f"The role {name!r} is not one the server knows: use one of {_ROLE_NAMES}."
        )
    return role


def _calls(message: AIMessage) -> list[ToolCall]:
    calls = [
        ToolCall(call.get("id") or "", call["name"], write_json(call["args"]))
        for call in message.tool_calls
    ]
    calls += [
        ToolCall(call.get("id") or "", call.get("name") or "", call.get("args") or "")
        for call in message.invalid_tool_calls
    ]
    if isinstance(message.content, str) and "function_call" not in message.additional_kwargs:
        return calls
    known = {call.id for call in calls}
    for call in _calls_of_other_providers(message):
        if call.id not in known if call.id else not known:
            calls.append(call)
    return calls


def _calls_of_other_providers(message: AIMessage) -> list[ToolCall]:
    """Return the calls that LangChain has left in the content or in additional_kwargs."""
    blocks = message.content if isinstance(message.content, list) else []
    found = [
        read_tool_call(block)
        for block in blocks
        if isinstance(block, dict)
        and (block.get("type") in _CALL_TYPES or not _CALL_KEYS.isdisjoint(block))
    ]
    found.append(read_tool_call(message.additional_kwargs.get("function_call")))
    return [call for call in found if call is not None]


_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "tool": "tool",
    "function": "tool",
}
_ROLE_NAMES = ", ".join(_ROLES)
_CALL_KEYS = frozenset({"functionCall", "function_call", "toolUse"})
_CALL_TYPES = frozenset({"function_call", "tool_call", "tool_use"})
