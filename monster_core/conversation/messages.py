"""Hold a message as plain data, and write it with the keys that the server accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from monster_core.answer import ToolCall

__all__ = ["Message", "Role", "to_wire"]

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(slots=True)
class Message:
    """Hold one message of a conversation, free of any framework.

    Args:
        role: Who speaks.
        content: The text, or content parts in the server's shape.
        name: The speaker's name.
        tool_calls: The calls an assistant's message asks for.
        tool_call_id: Which call a tool's message answers.
        is_error: Whether a tool's message reports a failure.
    """

    role: Role
    content: str | list[dict[str, Any]]
    name: str | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
    tool_call_id: str | None = None
    is_error: bool = False


def to_wire(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Write messages as the server's request model takes them.

    Args:
        messages: The conversation.

    Returns:
        One dict a message: role and content, and the name where there is one.
    """
    return [
        {"role": message.role, "content": message.content}
        if message.name is None
        else {"role": message.role, "content": message.content, "name": message.name}
        for message in messages
    ]
