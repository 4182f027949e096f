"""The messages a request may hold, and what of them reaches the model: role and content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from pydantic import ConfigDict, ValidationError, with_config
from typing_extensions import Required, TypedDict

from ._errors import Refusal
from ._wording import of_part_errors


class TextPart(TypedDict, total=False):
    """A part of text."""

    text: Required[str]
    type: Required[Literal["text"]]


class ImageURL(TypedDict, total=False):
    """Where an image is."""

    url: Required[str]
    detail: Literal["auto", "low", "high"]


class ImagePart(TypedDict, total=False):
    """An image, which only a multimodal model takes."""

    image_url: Required[ImageURL]
    type: Required[Literal["image_url"]]


@with_config(ConfigDict(extra="allow"))
class CustomPart(TypedDict, total=False):
    """Any other part: the request model lets it through, the server then refuses its type."""

    type: Required[str]


Part = TextPart | ImagePart | CustomPart


class SystemMessage(TypedDict, total=False):
    """A system message."""

    content: Required[str]
    role: Required[Literal["system"]]
    name: str


class UserMessage(TypedDict, total=False):
    """A user's turn."""

    content: Required[str | Iterable[Part]]
    role: Required[Literal["user"]]
    name: str


class CalledFunction(TypedDict, total=False):
    """The function of a call in the history."""

    arguments: Required[str]
    name: Required[str]


class ToolCall(TypedDict, total=False):
    """A call in the history; the server never shows it to the model."""

    id: Required[str]
    function: Required[CalledFunction]
    type: Required[Literal["function"]]


class AssistantMessage(TypedDict, total=False):
    """An assistant's turn."""

    role: Required[Literal["assistant"]]
    content: str | None
    function_call: CalledFunction | None
    name: str
    tool_calls: Iterable[ToolCall]


class ToolMessage(TypedDict, total=False):
    """A tool's result."""

    content: Required[str]
    role: Required[Literal["tool"]]
    tool_call_id: Required[str]


class FunctionMessage(TypedDict, total=False):
    """A function's result, the older form."""

    content: Required[str | None]
    name: Required[str]
    role: Required[Literal["function"]]


class CustomMessage(TypedDict, total=False):
    """A message of any other role, or of a known role without its particular keys."""

    role: Required[str]
    content: str | list[Part]
    name: str


Message = (
    SystemMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage | CustomMessage
)


class Turn(NamedTuple):
    """What the model sees of one message."""

    role: str
    content: str


def conversation(messages: Iterable[Message]) -> list[Turn]:
    """Return what a chat template sees: no tool calls, names or ids, no message without content."""
    turns = []
    for message in messages:
        content = message.get("content")
        if content is not None:
            turns.append(Turn(message["role"], _text(content)))
    return turns


# vllm/entrypoints/openai/serving_chat.py:98
def _text(content: str | Iterable[Any]) -> str:
    if isinstance(content, str):
        return text_of(content)
    try:
        return text_of("\n".join(map(_part_text, content)))
    except ValidationError as error:  # parts are validated when they are read
        raise Refusal(of_part_errors(error)) from error


def text_of(content: str) -> str:
    """Return a text as the server's tokenizer reads it: a lone surrogate becomes U+FFFD."""
    return content.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _part_text(part: Any) -> str:
    match part["type"]:
        case "text" if "text" in part:
            return str(part["text"])
        case "text":
            raise Refusal("'text'")
        case "image_url":
            raise Refusal(
                "'image_url' input is not supported as the loaded model is not multimodal."
            )
        case unknown:
            raise Refusal(f"Unknown part type: {unknown}")
