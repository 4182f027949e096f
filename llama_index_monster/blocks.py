"""Decide what of a LlamaIndex message's content blocks is sent, and in which form."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from llama_index.core.base.llms.types import (
    CachePoint,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from monster_core.errors import InvalidRequestError
from monster_core.request.messages import Role

__all__ = ["to_content"]


def to_content(blocks: Iterable[Any], role: Role) -> str | list[dict[str, Any]]:
    """Return one text where there is only text, else content parts in the server's shape.

    Args:
        blocks: The message's content blocks; tool calls, thinking and cache points are no content.
        role: Whose message it is; only a user's may hold an image.

    Raises:
        InvalidRequestError: A block cannot be sent; the message names its type.
    """
    parts = list(_parts(blocks, role))
    if any(part["type"] != "text" for part in parts):
        return parts
    return "\n".join(part["text"] for part in parts)


def _parts(blocks: Iterable[Any], role: Role) -> Iterator[dict[str, Any]]:
    for block in blocks:
        if isinstance(block, TextBlock):
            yield {"type": "text", "text": block.text}
        elif isinstance(block, DocumentBlock):
            yield {"type": "text", "text": _document_text(block)}
        elif isinstance(block, ImageBlock) and role == "user":
            yield {"type": "image_url", "image_url": {"url": _image_url(block)}}
        elif isinstance(block, CitableBlock):
            yield from _parts(block.content, role)
        elif not _is_told_elsewhere(block, role):
            raise InvalidRequestError(
                f"The {type(block).__name__} in a message of the role {role!r} cannot be sent: the "
                "server takes text, and an ImageBlock of a user for a multimodal model."
            )


def _is_told_elsewhere(block: Any, role: Role) -> bool:
    if isinstance(block, ToolCallBlock):
        return role == "assistant"
    return isinstance(block, (CachePoint, CitationBlock, ThinkingBlock))


def _image_url(block: ImageBlock) -> str:
    """Return the address of an image, or its bytes as a data URL; nothing is downloaded."""
    if block.image is None and block.path is None and block.url is not None:
        return str(block.url)
    encoded = base64.b64encode(_bytes(block, block.resolve_image)).decode()
    return f"data:{block.image_mimetype or 'image/png'};base64,{encoded}"


def _document_text(block: DocumentBlock) -> str:
    """Decode a document that is text."""
    if block.data is None and block.path is None and not str(block.url).startswith("data:"):
        raise InvalidRequestError(
            "A DocumentBlock with no more than a URL cannot be sent, nothing is downloaded here: "
            "read the document and send its text."
        )
    kind = block.document_mimetype or ""
    content = _bytes(block, block.resolve_document)
    try:
        if kind.startswith("text/") or not kind or kind.endswith(_TEXTUAL):
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


_TEXTUAL = ("json", "xml", "yaml")
"""How the names of types end that are text though they do not begin with text/."""
