"""Replies that a test writes beforehand, given one after another in place of the rules' answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

from ._constraints import Constraint
from ._conversation import Turn
from ._prompts import written_call
from ._rules import spelled

__all__ = ["Reply", "ReplyFunction", "ScriptedReply", "ToolCall", "next_reply", "texts_of"]


@dataclass(frozen=True)
class ToolCall:
    """A call that a reply makes, written in the way that the conversation asks for.

    Args:
        name: The function to call.
        arguments: Its arguments.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What the model says, and how it ends.

    Args:
        content: The text.
        tool_calls: Calls that follow the text.
        reasoning: What the model thinks before it answers, between `<think>` and `</think>`; a
            later server tells it apart.
        finish_reason: "length" lets the reply end as if ``max_tokens`` had cut it.
    """

    content: str = ""
    tool_calls: Sequence[ToolCall] = ()
    reasoning: str = ""
    finish_reason: Literal["stop", "length"] = "stop"


ReplyFunction: TypeAlias = Callable[[dict[str, Any]], "str | ToolCall | Reply | None"]
"""Makes a reply of a request's body; None leaves the answer to the built-in rules."""

ScriptedReply: TypeAlias = str | ToolCall | Reply | ReplyFunction
"""A text, a call, a whole reply, or a function that makes one of them."""

_taking = Lock()


def next_reply(replies: list[ScriptedReply] | ReplyFunction, request: BaseModel) -> Reply | None:
    """Take the next reply from a script; None where the built-in rules answer."""
    entry: Any = replies
    if not callable(replies):
        with _taking:
            entry = replies.pop(0) if replies else None
    if callable(entry):
        entry = entry(request.model_dump(exclude_unset=True, by_alias=True, warnings=False))
    if entry is None:
        return None
    if isinstance(entry, str):
        return Reply(entry)
    if isinstance(entry, ToolCall):
        return Reply(tool_calls=(entry,))
    if isinstance(entry, Reply):
        return entry
    raise TypeError(f"a reply is a text, a ToolCall or a Reply, not {type(entry).__name__}")


def texts_of(
    reply: Reply, turns: Sequence[Turn], constraint: Constraint | None, forced_tool: str | None
) -> list[str]:
    """Write a reply as the texts that the model may produce, best first."""
    calls = reply.tool_calls
    if constraint is None or constraint.calls or not calls:
        written = [written_call(call.name, dict(call.arguments), turns) for call in calls]
        thought = f"<think>{reply.reasoning}</think>" if reply.reasoning else ""
        return [thought + "\n".join([*([reply.content] if reply.content else []), *written])]
    if forced_tool is not None:
        return [text for call in calls for text in spelled(dict(call.arguments))]
    found: list[str] = []
    for key in ("parameters", "arguments"):
        values = [{"name": call.name, key: dict(call.arguments)} for call in calls]
        found += [text for value in (values[0], values) for text in spelled(value)]
    return found
