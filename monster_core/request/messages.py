"""Hold a message as plain data, free of any framework."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from monster_core import json_values
from monster_core.errors import InvalidRequestError
from monster_core.response.types import ToolCall

__all__ = ["Content", "Message", "Role", "write_json"]

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


def write_json(value: Any) -> str:
    """Write a value of the conversation, such as an earlier call's arguments, as JSON text.

    Args:
        value: The value; what JSON does not know is written as its text.

    Raises:
        InvalidRequestError: It is nested too deeply, contains itself, or has keys JSON cannot have.
    """
    try:
        return json_values.write_json(value, str)
    except TypeError as error:
        raise InvalidRequestError(
            f"Part of the conversation cannot be written as JSON: {error}."
        ) from None
