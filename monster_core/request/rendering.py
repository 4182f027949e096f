"""Render a conversation as the messages that a family's chat template really shows the model.

vLLM 0.5.0's templates see role and content only: calls and results become text, and roles or
turns that a family's template raises on are folded into those it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any

from monster_core.errors import InvalidRequestError
from monster_core.model_families import ModelFamily, ToolFormat
from monster_core.request.messages import Content, Message
from monster_core.request.tool_prompts import write_calls, write_result
from monster_core.response.types import ToolCall

__all__ = ["render"]


def render(
    messages: Sequence[Message],
    family: ModelFamily,
    tool_format: ToolFormat,
    instructions: str | None = None,
) -> list[dict[str, Any]]:
    """Write messages as the server's request model takes them.

    Args:
        messages: The conversation; it is not changed.
        family: What the model's chat template allows.
        tool_format: How calls are written.
        instructions: What the model must know beside the conversation, such as its tools.

    Returns:
        One dict a message: role and content, and a name where there is one.

    Raises:
        InvalidRequestError: The conversation holds more images than the server takes.
    """
    told = _with_calls_as_text(messages, family, tool_format)
    if instructions:
        told = _with_instructions(told, instructions)
    if family.must_alternate or not family.has_system_role:
        kept = _leading_systems(told) if family.has_system_role else 0
        told = [*told[:kept], *_with_system_folded(told[kept:])]
    if family.must_alternate:
        told = _alternating(told)
    _check_images(told)
    return [
        {"role": message.role, "content": message.content}
        if message.name is None or message.role == "tool"
        else {"role": message.role, "content": message.content, "name": message.name}
        for message in told
    ]


def _with_calls_as_text(
    messages: Sequence[Message], family: ModelFamily, tool_format: ToolFormat
) -> list[Message]:
    told: list[Message] = []
    earlier: dict[str, ToolCall] = {}
    pending: list[ToolCall] = []  # calls of the last assistant's message without a result so far
    is_only_call = False  # then its result may stand without its name
    for place, message in enumerate(messages):
        if message.role == "tool":
            call = earlier.get(message.tool_call_id or "")
            is_pending = call is None or any(one is call for one in pending)
            if is_pending:
                call = _take_answered(message, pending, messages, place)
            told.append(
                Message(
                    "tool" if family.has_tool_role else "user",
                    write_result(
                        message.text,
                        call or _named(message.name),
                        tool_format,
                        is_error=message.is_error,
                        is_plain=family.has_tool_role
                        and is_only_call
                        and is_pending
                        and bool(call),
                    ),
                )
            )
            is_only_call = False
            continue
        if message.tool_calls:
            pending = list(message.tool_calls)
            earlier.update((call.id, call) for call in pending if call.id)
            written = write_calls(message.tool_calls, tool_format)
            message = Message("assistant", _followed(message.content, written), message.name)
        is_only_call = len(pending) == 1 and message.role == "assistant"
        told.append(message)
    return told


def _take_answered(
    message: Message, pending: list[ToolCall], messages: Sequence[Message], place: int
) -> ToolCall | None:
    """Take the call that a tool's message answers out of the pending ones.

    An id decides. A message without one, or with one that no call has, answers the first call of
    its tool (some frameworks give the tool's name as the id), otherwise the first call of all;
    calls that a later message answers by their id are left to it.
    """
    by_id = [call for call in pending if call.id and call.id == message.tool_call_id]
    if not by_id:
        later = set(_ids_of_results(messages, place + 1))
        free = [call for call in pending if not call.id or call.id not in later]
        names = {message.name, message.tool_call_id} - {None, ""}
        by_id = [call for call in free if call.name in names] or (
            [] if message.name and message.name not in {call.name for call in pending} else free
        )
    if not by_id:
        return None
    found = by_id[0]
    pending[:] = [call for call in pending if call is not found]
    return found


def _ids_of_results(messages: Sequence[Message], start: int) -> Iterator[str]:
    for message in messages[start:]:
        if message.role != "tool":
            return
        if message.tool_call_id:
            yield message.tool_call_id


def _followed(content: Content, text: str) -> Content:
    if isinstance(content, str):
        return f"{content}\n{text}" if content else text
    return [*content, {"type": "text", "text": text}]


def _named(name: str | None) -> ToolCall | None:
    return ToolCall("", name, "") if name else None


def _with_instructions(messages: list[Message], instructions: str) -> list[Message]:
    if messages and messages[0].role == "system":
        first = messages[0]
        both = Message("system", _joined((first.content, instructions)), first.name)
        return [both, *messages[1:]]
    return [Message("system", instructions), *messages]


def _leading_systems(messages: Sequence[Message]) -> int:
    return sum(1 for _ in takewhile(lambda message: message.role == "system", messages))


def _with_system_folded(messages: Sequence[Message]) -> list[Message]:
    """Put system messages into the user's turn that follows, or make one of them."""
    told: list[Message] = []
    waiting: list[Content] = []
    for message in messages:
        if message.role == "system":
            waiting.append(message.content)
        elif message.role == "user" and waiting:
            told.append(Message("user", _joined((*waiting, message.content)), message.name))
            waiting = []
        else:
            if waiting:
                told.append(Message("user", _joined(waiting)))
                waiting = []
            told.append(message)
    if waiting:
        told.append(Message("user", _joined(waiting)))
    return told


def _alternating(messages: Sequence[Message]) -> list[Message]:
    """Merge neighbours of the same role, and let the user begin."""
    told: list[Message] = []
    for message in messages:
        if told and told[-1].role == message.role:
            last = told[-1]
            told[-1] = Message(last.role, _joined((last.content, message.content)), last.name)
        else:
            told.append(message)
    first = 1 if told and told[0].role == "system" else 0
    if len(told) > first and told[first].role == "assistant":
        told.insert(first, Message("user", "(The conversation goes on.)"))
    return told


def _joined(contents: Iterable[Content]) -> Content:
    pieces = [content for content in contents if content]
    if all(isinstance(piece, str) for piece in pieces):
        return "\n\n".join(map(str, pieces))
    parts: list[dict[str, Any]] = []
    for piece in pieces:
        parts += [{"type": "text", "text": piece}] if isinstance(piece, str) else piece
    return parts


def _check_images(messages: Iterable[Message]) -> None:
    images = sum(
        part.get("type") == "image_url"
        for message in messages
        if isinstance(message.content, list)
        for part in message.content
    )
    if images > 1:
        raise InvalidRequestError(
            f"The conversation holds {images} images: the server takes one a request. "
            "Leave the others out."
        )
