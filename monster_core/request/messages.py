"""Hold a message as plain data, free of any framework."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from monster_core.response.types import ToolCall

__all__ = ["Content", "Message", "Role"]

Role = Literal["system", "user", "assistant", "tool"]
Content = str | list[dict[str, Any]]
"""A text, or content parts in the server's shape."""


@dataclass(slots=True)
class Message:
    """Hold one message of a conversation.

    Args:
        role: Who speaks.
        content: What is said.
        name: The speaker's name; on a tool's message the tool's.
        tool_calls: The calls an assistant's message asks for.
        tool_call_id: Which call a tool's message answers.
        is_error: Whether a tool's message reports a failure.
    """

    role: Role
    content: Content
    name: str | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
    tool_call_id: str | None = None
    is_error: bool = False

    @property
    def text(self) -> str:
        """The content's text, its parts joined as the server joins them."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(str(part.get("text", "")) for part in self.content)
