"""Translate LangChain's messages into the core's."""

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
from monster_core.request.messages import Message, Role
from monster_core.response.tool_arguments import write_json
from monster_core.response.types import ToolCall

__all__ = ["to_core"]


def to_core(messages: Sequence[BaseMessage]) -> list[Message]:
    """Translate a conversation; the messages are not changed.

    Args:
        messages: LangChain's messages.

    Raises:
        InvalidRequestError: A message holds content that the server cannot take.
    """
    return [_message(message) for message in messages]


def _message(message: BaseMessage) -> Message:
    content = message.content
    if isinstance(message, AIMessage):
        text = content if isinstance(content, str) else _written(content)
        return Message("assistant", text, message.name, _calls(message))
    sent = content if isinstance(content, str) else _parts(content, type(message).__name__)
    if isinstance(message, ToolMessage):
        return Message(
            "tool",
            sent,
            message.name,
            tool_call_id=message.tool_call_id,
            is_error=message.status == "error",
        )
    if isinstance(message, FunctionMessage):
        return Message("tool", sent, message.name)
    return Message(_role(message), sent, message.name)


def _role(message: BaseMessage) -> Role:
    if isinstance(message, HumanMessage):
        return "user"
    if isinstance(message, SystemMessage):
        return "system"
    if isinstance(message, ChatMessage):
        role = _ROLES.get(message.role.lower())
        if role is not None:
            return role
        raise InvalidRequestError(
            f"The role {message.role!r} is not one the server knows: use one of {_ROLE_NAMES}."
        )
    raise InvalidRequestError(f"A {type(message).__name__} cannot be sent to a model.")


def _calls(message: AIMessage) -> list[ToolCall]:
    calls = [
        ToolCall(call.get("id") or "", call["name"], write_json(call["args"]))
        for call in message.tool_calls
    ]
    calls += [
        ToolCall(call.get("id") or "", call.get("name") or "", call.get("args") or "")
        for call in message.invalid_tool_calls
    ]
    return calls


def _written(content: Sequence[str | Mapping[str, Any]]) -> str:
    """Join what the assistant wrote; its calls and reasoning are told elsewhere."""
    texts: list[str] = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif block.get("type") in ("text", "refusal"):
            texts.append(str(block.get("text") or block.get("refusal") or ""))
        elif block.get("type") not in _ASSISTANT_BLOCKS_TOLD_ELSEWHERE:
            raise _refused(block, "AIMessage")
    return "".join(texts)


def _parts(content: Sequence[str | Mapping[str, Any]], kind: str) -> str | list[dict[str, Any]]:
    """Return one text where there is only text, else parts in the server's shape."""
    parts: list[dict[str, Any]] = []
    for block in content:
        if isinstance(block, str):
            parts.append({"type": "text", "text": block})
        elif block.get("type") == "text" or set(block) == {"text"}:
            parts.append({"type": "text", "text": str(block.get("text", ""))})
        elif block.get("type") in ("json", "non_standard") and kind == "ToolMessage":
            parts.append({"type": "text", "text": write_json(block.get("value", block))})
        elif kind == "HumanMessage" and (url := _image_url(block)):
            parts.append({"type": "image_url", "image_url": {"url": url}})
        elif block.get("type") not in ("reasoning", "cache_point"):
            raise _refused(block, kind)
    if any(part["type"] != "text" for part in parts):
        return parts
    return "\n".join(part["text"] for part in parts)


def _image_url(block: Mapping[str, Any]) -> str | None:
    """Return the address of an image in any of the shapes LangChain knows."""
    kind, given = block.get("type"), block.get("image_url")
    if kind == "image_url":
        return str(given.get("url", "")) if isinstance(given, Mapping) else str(given or "") or None
    if kind != "image":
        return None
    source = block["source"] if isinstance(block.get("source"), Mapping) else block
    if source.get("url"):
        return str(source["url"])
    data = source.get("base64") or source.get("data")
    mime = source.get("mime_type") or source.get("media_type") or "image/png"
    return f"data:{mime};base64,{data}" if data else None


def _refused(block: Mapping[str, Any], kind: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The content block {block.get('type')!r} ({kind}) cannot be sent: the server takes "
        "text, and image_url in a HumanMessage for a multimodal model."
    )


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
_ASSISTANT_BLOCKS_TOLD_ELSEWHERE = frozenset(
    {
        "function_call",
        "input_json_delta",
        "invalid_tool_call",
        "reasoning",
        "reasoning_content",
        "redacted_thinking",
        "server_tool_call",
        "server_tool_result",
        "thinking",
        "tool_call",
        "tool_call_chunk",
        "tool_use",
    }
)
