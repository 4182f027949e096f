"""What a message's content blocks become: text, an image, a short note, nothing, or an error.

A history may have been written by any provider. Both adapters hand its blocks over as dicts, in
the form that LangChain, OpenAI, Anthropic, Bedrock and Gemini give them:

==================================  ===========================================================
block                               becomes
==================================  ===========================================================
text in any form                    text, also of an unknown block that has a ``text``
an image of a user's message        an image, if it has a URL or data; otherwise an error
other media of a user's message     an error, since the model would answer without having seen it
media of any other message          a note such as ``[file not shown: report.pdf]``
calls, reasoning, refusals,         nothing: the calls are read from the message itself, and the
server-side tools                   rest means something to the provider that made it only
an unknown block of a tool          its JSON text
an unknown block of the assistant   nothing
any other block                     an error
==================================  ===========================================================

A conversation must stay usable once a tool has returned a screenshot, so only what the user sends
is refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from monster_core.errors import InvalidRequestError
from monster_core.request.messages import Content, Role, write_json
from monster_core.response.types import ToolCall

__all__ = ["read_content", "read_tool_call"]

_MAX_NAME_CHARS = 100
_MAX_JSON_CHARS = 20_000

_MEDIA = {
    "audio": "audio",
    "audio_url": "audio",
    "computer_screenshot": "image",
    "container_upload": "file",
    "document": "file",
    "file": "file",
    "fileData": "file",
    "file_data": "file",
    "image": "image",
    "image_file": "image",
    "image_url": "image",
    "inlineData": "file",
    "inline_data": "file",
    "input_audio": "audio",
    "input_file": "file",
    "input_image": "image",
    "input_video": "video",
    "media": "file",
    "output_audio": "audio",
    "output_image": "image",
    "pdf": "file",
    "resource": "file",
    "resource_link": "file",
    "screenshot": "image",
    "text-plain": "file",
    "video": "video",
    "video_url": "video",
}
"""What a block of media is called in notes and errors, by its type."""

_NOT_CONTENT = frozenset(
    {
        "cache_point",
        "cachePoint",
        "compaction",
        "custom_tool_call",
        "codeExecutionResult",
        "code_execution_result",
        "executableCode",
        "executable_code",
        "functionCall",
        "function_call",
        "input_json_delta",
        "invalid_tool_call",
        "reasoning",
        "reasoningContent",
        "reasoning_content",
        "redacted_thinking",
        "refusal",
        "server_tool_call",
        "server_tool_call_chunk",
        "server_tool_result",
        "server_tool_use",
        "thinking",
        "thought",
        "toolUse",
        "tool_call",
        "tool_call_chunk",
        "tool_use",
    }
)

_KEYS_AS_TYPES = (
    "text",
    "audio",
    "document",
    "image",
    "video",
    "json",
    "searchResult",
    "citationsContent",
    "guardContent",
    "reasoningContent",
    "toolUse",
    "toolResult",
    "cachePoint",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
)
"""Bedrock and Gemini name a block's type by a key of its own."""


def read_content(blocks: Iterable[str | Mapping[str, Any]], role: Role) -> Content:
    """Return what the server can take of a message's content blocks.

    Args:
        blocks: Texts, and blocks as dicts.
        role: Who speaks.

    Returns:
        One text where there is only text, its pieces joined by line breaks (those of an assistant
        by nothing, since they are pieces of one response); otherwise content parts.

    Raises:
        InvalidRequestError: The user, or the system, says something that the server cannot take.
    """
    parts = [part for block in blocks for part in _parts(block, role)]
    if any(part["type"] != "text" for part in parts):
        return parts
    return ("" if role == "assistant" else "\n").join(part["text"] for part in parts)


def read_tool_call(call: Any) -> ToolCall | None:
    """Read a tool call in the form of any provider.

    Args:
        call: A dict, or an object of a provider's SDK: OpenAI's ``function`` with ``arguments``,
            Anthropic's ``input``, Bedrock's ``toolUse`` with ``toolUseId``, Gemini's
            ``functionCall`` with ``args``, or LangChain's ``args``.

    Returns:
        The call; None if it has no name.

    Raises:
        InvalidRequestError: The arguments cannot be written as JSON.
    """
    outer = call
    for key in ("toolUse", "functionCall", "function_call", "function"):
        inner = _get(call, key)
        if inner is not None and not isinstance(inner, str):
            call = inner
    name = _first(call, ("name", "tool_name"))
    if not isinstance(name, str) or not name:
        return None
    found = _first(call, ("id", "toolUseId", "tool_call_id", "call_id"))
    found = found or _first(outer, ("id", "toolUseId", "tool_call_id", "call_id"))
    arguments = _first(call, ("arguments", "input", "args", "tool_kwargs", "parameters"))
    if not isinstance(arguments, str):
        arguments = write_json(arguments or {})
    return ToolCall(found if isinstance(found, str) else "", name, arguments)


def _parts(block: str | Mapping[str, Any], role: Role) -> Iterator[dict[str, Any]]:
    if isinstance(block, str):
        yield {"type": "text", "text": block}
        return
    kind = _kind(block)
    text = _text(block, kind)
    if text is not None:
        yield {"type": "text", "text": text}
        return
    inner = _inner(block, kind, role)
    if inner is not None:
        yield from _nested(inner, role)
        return
    if kind in _NOT_CONTENT:
        return
    word = _medium_word(block, kind, role)
    if word is not None:
        yield _medium(block, word, kind, role)
    elif isinstance(block.get("text"), str):
        yield {"type": "text", "text": block["text"]}
    elif role == "tool":
        yield {"type": "text", "text": _unknown(block, kind)}
    elif role != "assistant":
        raise InvalidRequestError(_cannot_be_sent(kind, role))


def _inner(block: Mapping[str, Any], kind: str, role: Role) -> Any:
    """Return the content in a block that only wraps it; None for another block."""
    if kind == "non_standard" and isinstance(block.get("value"), Mapping):
        return [block["value"]]
    if kind in ("toolResult", "tool_result") and role != "assistant":
        content = block.get("content", block.get("toolResult", {}))
        return content.get("content", ()) if isinstance(content, Mapping) else content
    return None


def _medium_word(block: Mapping[str, Any], kind: str, role: Role) -> str | None:
    """Return what a block of media is called; None for another block."""
    if kind not in _MEDIA and role in ("system", "user"):
        return None
    mime_type = _mime_type(block)
    if kind not in _MEDIA and not mime_type:
        return None
    medium = mime_type.partition("/")[0]
    return medium if medium in ("audio", "image", "video") else _MEDIA.get(kind, "file")


def _kind(block: Mapping[str, Any]) -> str:
    kind = block.get("type")
    if isinstance(kind, str) and kind:
        return kind
    keys = [key for key in _KEYS_AS_TYPES if key in block]
    return keys[0] if keys else next(iter(block), "empty")


def _text(block: Mapping[str, Any], kind: str) -> str | None:
    """Return the text of a block that is text, whatever it is called; None for another block."""
    if kind in ("text", "input_text", "output_text", "text_delta"):
        return str(block.get("text") or "")
    if kind == "json":
        value = block.get("json", block.get("value", block.get("data")))
        return value if isinstance(value, str) else write_json(value)
    inner = block.get(kind)
    inner = inner if isinstance(inner, Mapping) else block
    if kind in ("search_result", "searchResult"):
        return _lines(inner.get("title"), inner.get("source"), _nested_text(inner.get("content")))
    if kind == "citationsContent":
        return _nested_text(inner.get("content"))
    if kind == "guardContent":
        return _nested_text([inner.get("text")])
    if kind == "functionResponse":
        return write_json(inner.get("response"))
    if kind in ("text-plain", "document", "file", "resource", "input_file"):
        return _document_text(block)
    return None


def _document_text(block: Mapping[str, Any]) -> str | None:
    """Return the text of a document that carries its text, None for one that does not."""
    inner = block.get("document", block.get("resource", block.get("source", block)))
    inner = inner if isinstance(inner, Mapping) else block
    source = inner.get("source", inner)
    source = source if isinstance(source, Mapping) else inner
    text = source.get("text", block.get("text"))
    if isinstance(text, str):
        return _lines(block.get("title"), block.get("context"), text)
    content = source.get("content")
    if content:
        found = content if isinstance(content, str) else _nested_text(content)
        return _lines(block.get("title"), block.get("context"), found)
    if source.get("type") == "text" and isinstance(source.get("data"), str):
        return _lines(block.get("title"), block.get("context"), source["data"])
    return _decoded(source)


def _decoded(source: Mapping[str, Any]) -> str | None:
    """Return the text of base64 data whose media type says that it is text."""
    kind = str(source.get("mime_type") or source.get("media_type") or "")
    data = source.get("base64") or source.get("data")
    is_text = kind.startswith("text/") or kind.endswith(("json", "xml", "yaml"))
    if not is_text or not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _medium(block: Mapping[str, Any], word: str, kind: str, role: Role) -> dict[str, Any]:
    if role not in ("user", "system"):
        return {"type": "text", "text": _note(block, word)}
    url = _image_url(block) if word == "image" and role == "user" else None
    if url is not None:
        return {"type": "image_url", "image_url": {"url": url}}
    if word == "image" and role == "user":
        raise InvalidRequestError(
            f"The content block {kind!r} of a user message has neither a URL nor data (only the "
            "provider that gave a file id can read it): pass the image's URL or its base64 data."
        )
    raise InvalidRequestError(f"{_cannot_be_sent(kind, role)} {_ADVICE[word]}")


def _mime_type(block: Mapping[str, Any]) -> str:
    return str(_find(block, ("mime_type", "media_type", "mimeType")) or "")


def _cannot_be_sent(kind: str, role: Role) -> str:
    return (
        f"The content block {kind!r} of a {role} message cannot be sent: the server takes text, "
        "and images of the user for a multimodal model."
    )


_ADVICE = {
    "image": "Send the image in a user's message.",
    "audio": "Send its transcript.",
    "video": "Send its transcript, or a frame as an image.",
    "file": "Extract its text and send that.",
}


def _image_url(block: Mapping[str, Any]) -> str | None:
    """Return the address of an image, or its data as a data URL, in any provider's form."""
    given = _first(block, ("image_url", "image", "inlineData", "inline_data"))
    if isinstance(given, str) and given:
        return given
    inner = given if isinstance(given, Mapping) else block
    source = inner.get("source", inner)
    source = source if isinstance(source, Mapping) else inner
    url = source.get("url")
    if url:
        return str(url)
    data = source.get("base64") or source.get("data") or source.get("bytes")
    if isinstance(data, bytes):
        data = base64.b64encode(data).decode()
    kind = _mime_type(block) or f"image/{_format(inner)}"
    return f"data:{kind};base64,{data}" if isinstance(data, str) and data else None


def _format(inner: Mapping[str, Any]) -> str:
    found = inner.get("format")
    return found if isinstance(found, str) else "png"


def _note(block: Mapping[str, Any], word: str) -> str:
    name = _find(block, ("name", "filename", "file_name", "title", "uri"))
    is_name = isinstance(name, str) and name and not name.startswith("data:")
    return f"[{word} not shown: {name[:_MAX_NAME_CHARS]}]" if is_name else f"[{word} not shown]"


def _unknown(block: Mapping[str, Any], kind: str) -> str:
    written = write_json(block)
    return written if len(written) <= _MAX_JSON_CHARS else f"[{kind[:_MAX_NAME_CHARS]} not shown]"


def _nested(content: Any, role: Role) -> Iterator[dict[str, Any]]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, Sequence):
        for block in content:
            if isinstance(block, (str, Mapping)):
                yield from _parts(block, role)


def _nested_text(content: Any) -> str:
    return "\n".join(part["text"] for part in _nested(content, "tool"))


def _lines(*pieces: Any) -> str:
    return "\n".join(piece for piece in pieces if isinstance(piece, str) and piece)


def _find(block: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Return the first value under one of the keys, in the block or just inside it."""
    inner = [value for value in block.values() if isinstance(value, Mapping)]
    deeper = [value for one in inner for value in one.values() if isinstance(value, Mapping)]
    for holder in (block, *inner, *deeper):
        found = _first(holder, keys)
        if found is not None:
            return found
    return None


def _first(value: Any, keys: Sequence[str]) -> Any:
    return next((found for key in keys if (found := _get(value, key)) is not None), None)


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
