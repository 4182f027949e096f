"""Hold a conversation as plain data, and write it as the messages that a chat template takes.

The templates of vLLM 0.5.0 see role and content only: its ``OpenAIServingChat`` passes nothing else
to ``apply_chat_template``. So calls and results become text, and roles or turns on which a family's
template raises are folded into those that it takes. Later servers pass calls on, too; whether a
template renders them is known to the caller only.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, takewhile
from typing import Any, Literal

from monster_core import json_values
from monster_core.errors import InvalidRequestError
from monster_core.model_families import ModelFamily, ToolFormat
from monster_core.request.tool_prompts import write_calls, write_result
from monster_core.response.types import ToolCall

__all__ = ["Content", "Message", "Role", "render", "write_json"]

Role = Literal["system", "user", "assistant", "tool"]
Content = str | list[dict[str, Any]]
"""A text, or content parts in the server's form."""


@dataclass(slots=True)
class Message:
    """Hold one message of a conversation.

    Args:
        role: Who speaks.
        content: What is said.
        name: The speaker's name; on a tool's message the tool's.
        tool_calls: The calls that an assistant's message asks for.
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
        InvalidRequestError: It is nested too deeply, contains itself, or has keys that JSON cannot
            have.
    """
    try:
        return json_values.write_json(value, str)
    except TypeError as error:
        raise InvalidRequestError(
            f"Part of the conversation cannot be written as JSON: {error}."
        ) from None


def render(
    messages: Sequence[Message],
    family: ModelFamily,
    tool_format: ToolFormat,
    instructions: str | None = None,
    *,
    keeps_calls: bool = False,
) -> list[dict[str, Any]]:
    """Write a conversation as the request's ``messages``.

    Args:
        messages: The conversation; it is not changed.
        family: What the model's chat template takes.
        tool_format: How calls are written.
        instructions: What the model must know beside the conversation, such as its tools.
        keeps_calls: Whether calls and results stay what they are, since the chat template renders
            them. Otherwise they become text.

    Returns:
        One dict a message: role and content, and a name where there is one; calls, and the call
        that a result answers, if they are kept.

    Raises:
        InvalidRequestError: The conversation holds more images than the server takes.
    """
    answered = _calls_answered(messages)
    if keeps_calls:
        turns = _with_calls_identified(messages, answered, tool_format)
    else:
        turns = _with_calls_as_text(messages, answered, family, tool_format)
    if instructions:
        turns = _with_instructions(turns, instructions)
    if family.must_alternate or not family.has_system_role:
        kept = _count_leading_systems(turns) if family.has_system_role else 0
        turns = [*turns[:kept], *_with_system_folded(turns[kept:])]
    if family.must_alternate:
        turns = _alternating(turns)
    return _as_sent(turns)


def _with_calls_identified(
    messages: Sequence[Message], answered: Mapping[int, ToolCall], tool_format: ToolFormat
) -> list[Message]:
    """Give every call an id, and every result that of the call it answers.

    Templates read the arguments as JSON, so that those that are not go as the text that they are,
    in an object. A result that answers no call becomes a user's text.
    """
    ids: dict[int, str] = {}  # by the identity of the call
    turns: list[Message] = []
    for place, message in enumerate(messages):
        if message.role == "tool":
            call = answered.get(place)
            if call is None or id(call) not in ids:
                text = write_result(message.text, None, tool_format, tool_name=message.name)
                turns.append(Message("user", text))
                continue
            text = f"Error: {message.text}" if message.is_error else message.text
            turns.append(Message("tool", text, tool_call_id=ids[id(call)]))
        elif message.tool_calls:
            calls = []
            for number, call in enumerate(message.tool_calls):
                ids[id(call)] = call.id or f"call_{place}_{number}"
                calls.append(ToolCall(ids[id(call)], call.name, _json_object(call.arguments)))
            turns.append(Message("assistant", message.content, message.name, calls))
        else:
            turns.append(replace(message, tool_call_id=None))
    return turns


def _json_object(arguments: str) -> str:
    try:
        value = json_values.read_json(arguments or "{}")
    except ValueError:
        value = None
    return arguments or "{}" if isinstance(value, dict) else write_json({"arguments": arguments})


def _with_calls_as_text(
    messages: Sequence[Message],
    answered: Mapping[int, ToolCall],
    family: ModelFamily,
    tool_format: ToolFormat,
) -> list[Message]:
    repeated: set[int] = set()  # identities of calls beside which the same tool is called again
    turns: list[Message] = []
    for place, message in enumerate(messages):
        if message.role == "tool":
            call = answered.get(place)
            calls_before = messages[place - 1].tool_calls if place else []
            follows_only_call = len(calls_before) == 1 and calls_before[0] is call
            text = write_result(
                _with_whole_characters(message.text),
                call,
                tool_format,
                tool_name=message.name,
                is_error=message.is_error,
                is_plain=family.has_tool_role and follows_only_call,
                is_one_of_several=id(call) in repeated,
            )
            turns.append(Message("tool" if family.has_tool_role else "user", text))
        elif message.tool_calls:
            counts = Counter(call.name for call in message.tool_calls)
            repeated.update(id(call) for call in message.tool_calls if counts[call.name] > 1)
            written = write_calls(message.tool_calls, tool_format)
            content = _said_earlier(message.content)
            turns.append(Message("assistant", _followed(content, written), message.name))
        elif message.role == "assistant":
            turns.append(Message("assistant", _said_earlier(message.content), message.name))
        else:
            turns.append(message)
    return turns


def _said_earlier(content: Content) -> Content:
    return _with_whole_characters(content) if isinstance(content, str) else content


def _with_whole_characters(text: str) -> str:
    """Replace the halves of characters (surrogates), which no request can hold.

    Tools return them, such as names of files that are not UTF-8. A user's text is refused instead,
    but what a tool or a model has said must not make a conversation unusable.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _calls_answered(messages: Sequence[Message]) -> dict[int, ToolCall]:
    """Return the call that each tool's message answers, by the message's place.

    The results that follow an assistant's calls are assigned together, so that one without an id
    does not take the call that another one names.
    """
    answered: dict[int, ToolCall] = {}
    known: dict[str, ToolCall] = {}  # every call so far by its id
    pending: list[ToolCall] = []
    results: dict[int, Message] = {}
    for place, message in enumerate(messages):
        if message.role == "tool":
            results[place] = message
        elif message.tool_calls:
            if results:
                answered.update(_assigned(results, pending, known))
            if results or messages[place - 1].role != "assistant":
                pending, results = [], {}
            pending += message.tool_calls
            known.update((call.id, call) for call in message.tool_calls if call.id)
    if results:
        answered.update(_assigned(results, pending, known))
    return answered


def _assigned(
    results: Mapping[int, Message], pending: Sequence[ToolCall], known: Mapping[str, ToolCall]
) -> Iterator[tuple[int, ToolCall]]:
    """Yield the place of each result with the call that it answers; of an orphan nothing.

    An id that a call has decides. Otherwise the tool's name does, which some frameworks give as
    the id. The others belong to the calls that are left, in order; with ids that no call has, only
    if there are as many of them as calls.
    """
    by_id = _queues((call.id, call) for call in pending if call.id)
    unassigned: dict[int, Message] = {}
    taken: set[int] = set()  # identities of calls
    for place, result in results.items():
        call_id = result.tool_call_id or ""
        if by_id.get(call_id):
            call = by_id[call_id].popleft()
            taken.add(id(call))
            yield place, call
        elif call_id in known:
            yield place, known[call_id]
        else:
            unassigned[place] = result
    by_name = _queues((call.name, call) for call in pending if id(call) not in taken)
    nameless: dict[int, Message] = {}
    for place, result in unassigned.items():
        queues = [by_name[name] for name in (result.name, result.tool_call_id) if name in by_name]
        queue = next(filter(None, queues), None)
        if queue:
            call = queue.popleft()
            taken.add(id(call))
            yield place, call
        elif not result.name:
            nameless[place] = result
    left = deque(call for call in pending if id(call) not in taken)
    is_one_each = len(left) == len(nameless)
    for place, result in nameless.items():
        if left and (is_one_each or not result.tool_call_id):
            yield place, left.popleft()


def _queues(calls: Iterable[tuple[str, ToolCall]]) -> dict[str, deque[ToolCall]]:
    queues: dict[str, deque[ToolCall]] = {}
    for key, call in calls:
        queues.setdefault(key, deque()).append(call)
    return queues


def _followed(content: Content, text: str) -> Content:
    if isinstance(content, str):
        return f"{content}\n{text}" if content else text
    return [*content, {"type": "text", "text": text}]


def _with_instructions(turns: list[Message], instructions: str) -> list[Message]:
    if turns and turns[0].role == "system":
        first = turns[0]
        both = Message("system", _joined((first.content, instructions)), first.name)
        return [both, *turns[1:]]
    return [Message("system", instructions), *turns]


def _count_leading_systems(turns: Sequence[Message]) -> int:
    return sum(1 for _ in takewhile(lambda turn: turn.role == "system", turns))


def _with_system_folded(turns: Sequence[Message]) -> list[Message]:
    """Put system messages into the user's turn that follows, or make one of them."""
    folded: list[Message] = []
    waiting: list[Content] = []
    for turn in turns:
        if turn.role == "system":
            waiting.append(turn.content)
            continue
        if waiting and turn.role == "user":
            turn = Message("user", _joined((*waiting, turn.content)), turn.name)
        elif waiting:
            folded.append(Message("user", _joined(waiting)))
        waiting = []
        folded.append(turn)
    if waiting:
        folded.append(Message("user", _joined(waiting)))
    return folded


def _alternating(turns: Sequence[Message]) -> list[Message]:
    """Merge neighbours of the same role, and let the user begin."""
    merged: list[Message] = []
    for role, group in groupby(turns, lambda turn: turn.role):
        first, *others = group
        if any(turn.tool_calls or turn.tool_call_id for turn in (first, *others)):
            merged += (first, *others)
            continue
        if others:
            contents = [turn.content for turn in (first, *others)]
            first = Message(role, _joined(contents), first.name)
        merged.append(first)
    start = 1 if merged and merged[0].role == "system" else 0
    if len(merged) > start and merged[start].role == "assistant":
        merged.insert(start, Message("user", "(The conversation goes on.)"))
    return merged


def _joined(contents: Iterable[Content]) -> Content:
    """Join contents by empty lines; those that hold an image become one list of parts."""
    pieces = [content for content in contents if content]
    if all(isinstance(piece, str) for piece in pieces):
        return "\n\n".join(map(str, pieces))
    parts: list[dict[str, Any]] = []
    for is_text, group in groupby(pieces, lambda piece: isinstance(piece, str)):
        if is_text:
            parts.append({"type": "text", "text": "\n\n".join(map(str, group))})
        else:
            parts += (part for piece in group for part in piece if isinstance(part, dict))
    return parts


def _as_sent(turns: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the turns as the request holds them; not more than one image is among them."""
    messages: list[dict[str, Any]] = []
    images = 0
    for turn in turns:
        sent: dict[str, Any] = {"role": turn.role, "content": turn.content}
        if isinstance(turn.content, list):
            images += sum(part.get("type") == "image_url" for part in turn.content)
        if turn.name is not None and turn.role != "tool":
            sent["name"] = turn.name
        if turn.tool_calls:
            sent["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in turn.tool_calls
            ]
        if turn.tool_call_id is not None:
            sent["tool_call_id"] = turn.tool_call_id
        messages.append(sent)
    # vLLM 0.5.0 raises NotImplementedError for a second image (serving_chat.py, parsing of content)
    if images > 1:
        raise InvalidRequestError(
            f"The conversation holds {images} images: the server takes one a request. "
            "Leave the others out."
        )
    return messages
