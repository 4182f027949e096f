"""Convert LlamaIndex's messages and their content blocks into the core's messages."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from monster_core.errors import InvalidRequestError
from monster_core.request.content_blocks import read_content, read_tool_call
from monster_core.request.messages import Content, Message, Role, write_json
from monster_core.response.types import ToolCall

__all__ = ["legacy_tool_calls", "to_core_messages"]

_NO_NAMES: Mapping[str, str] = {}

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

_MADE_UP_TITLE = "input_document"
"""The title that LlamaIndex gives a document without one."""

_TEXT_TYPE_ENDINGS = ("json", "xml", "yaml")
"""How the media types of text end that do not begin with text/."""


def to_core_messages(
    messages: Sequence[ChatMessage], tool_names: Mapping[str, str] = _NO_NAMES
) -> list[Message]:
    """Convert a conversation; the messages are not changed.

    Of a message's ``additional_kwargs`` only ``tool_call_id`` and ``name`` (of a tool's message)
    and ``tool_calls`` (of an assistant's message without a ToolCallBlock) are read.

    Args:
        messages: LlamaIndex's messages.
        tool_names: The caller's name of a tool by the name that is sent, where they differ.

    Raises:
        InvalidRequestError: A message holds content that the server cannot take.
    """
    converted = [_message(message) for message in messages]
    if tool_names:
        sent_names = {own: sent for sent, own in tool_names.items()}
        for call in (call for message in converted for call in message.tool_calls):
            call.name = sent_names.get(call.name, call.name)
    return converted


def legacy_tool_calls(message: ChatMessage) -> list[ToolCall]:
    """Return the tool calls in a message's additional_kwargs, in the format of any provider.

    Args:
        message: The message.
    """
    calls = message.additional_kwargs.get("tool_calls")
    is_list = isinstance(calls, Sequence) and not isinstance(calls, str)
    found = [read_tool_call(call) for call in calls or ()] if is_list else []
    found.append(read_tool_call(message.additional_kwargs.get("function_call")))
    return [call for call in found if call is not None]


def _message(message: ChatMessage) -> Message:
    if not isinstance(message, ChatMessage):
        raise InvalidRequestError(f"A conversation holds ChatMessages, not {type(message)!r}.")
    role = _ROLES[message.role.value]
    blocks = message.blocks
    content: Content
    if len(blocks) == 1 and isinstance(blocks[0], TextBlock):  # as most messages are
        content = blocks[0].text
    else:
        content = read_content(_as_dicts(blocks, role), role)
    if role == "assistant":
        return Message(role, content, tool_calls=_tool_calls(message))
    if role == "tool":
        name, call_id = map(message.additional_kwargs.get, ("name", "tool_call_id"))
        return Message(role, content, _text_or_none(name), tool_call_id=_text_or_none(call_id))
    return Message(role, content)


def _tool_calls(message: ChatMessage) -> list[ToolCall]:
    calls = [
        ToolCall(block.tool_call_id or "", block.tool_name, _json_text(block.tool_kwargs))
        for block in message.blocks
        if isinstance(block, ToolCallBlock)
    ]
    return calls or legacy_tool_calls(message)


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _json_text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else write_json(arguments or {})


def _as_dicts(blocks: Iterable[Any], role: Role) -> Iterator[dict[str, Any]]:
    """Give the core the blocks as it knows them; only what a user shows is read in full."""
    for block in blocks:
        if isinstance(block, TextBlock):
            yield {"type": "text", "text": block.text}
        elif isinstance(block, DocumentBlock):
            yield _document(block, is_needed=role in ("user", "system"))
        elif isinstance(block, ImageBlock):
            yield {"type": "image", "url": _image_url(block) if role == "user" else None}
        elif isinstance(block, CitableBlock):
            source = [text for text in (block.title, block.source) if text]
            yield {"type": "text", "text": "\n".join(source)}
            yield from _as_dicts(block.content, role)
        elif isinstance(block, (CachePoint, CitationBlock, ThinkingBlock, ToolCallBlock)):
            yield {"type": "reasoning"}
        else:
            yield {"type": str(getattr(block, "block_type", type(block).__name__))}


def _image_url(block: ImageBlock) -> str:
    """Return the address of an image, or its bytes as a data URL; nothing is downloaded."""
    if block.image is None and block.path is None and block.url is not None:
        return str(block.url)
    encoded = base64.b64encode(_bytes(block, block.resolve_image)).decode()
    return f"data:{block.image_mimetype or 'image/png'};base64,{encoded}"


def _document(block: DocumentBlock, *, is_needed: bool) -> dict[str, Any]:
    """Return a document as text if it is text; of one that is not, say so or give its name."""
    try:
        return {"type": "text", "text": _document_text(block)}
    except InvalidRequestError:
        if is_needed:
            raise
        return {"type": "document", "name": _document_name(block)}


def _document_name(block: DocumentBlock) -> str | None:
    if block.title and block.title != _MADE_UP_TITLE:
        return block.title
    address = str(block.path or block.url or "")
    return None if address.startswith("data:") else address.rpartition("/")[2] or None


def _document_text(block: DocumentBlock) -> str:
    """Decode a document that is text."""
    if block.data is None and block.path is None and not str(block.url).startswith("data:"):
        raise InvalidRequestError(
            "A DocumentBlock that has only a URL cannot be sent, since nothing is downloaded here: "
            "read the document and send its text."
        )
    kind = block.document_mimetype or ""
    content = _bytes(block, block.resolve_document)
    try:
        if kind.startswith("text/") or not kind or kind.endswith(_TEXT_TYPE_ENDINGS):
            text = content.decode()
            if "\0" not in text:
                return text
    except UnicodeDecodeError:
        pass
    raise InvalidRequestError(
        f"A DocumentBlock of the type {kind or 'unknown'!r} cannot be sent: the server takes text "
        "only. Extract its text first."
    )


def _bytes(block: ImageBlock | DocumentBlock, resolve: Any) -> bytes:
    try:
        return bytes(resolve().read())
    except (ValueError, OSError) as error:
        raise InvalidRequestError(
            f"The content of the {type(block).__name__} cannot be read: {error}."
        ) from None
