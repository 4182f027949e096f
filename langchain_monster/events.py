"""Give protocol events (``stream_events(version="v3")``) what LangChain's bridge drops.

The bridge keeps the log probabilities of the last chunk only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, cast

from langchain_monster.model_part import ModelPart

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatGenerationChunk
    from langchain_protocol.protocol import MessagesData

__all__ = ["ProtocolEvents"]


class ProtocolEvents(ModelPart):
    """Stream protocol events; LangChain looks both methods up by their names."""

    def _stream_chat_model_events(
        self, messages: list[BaseMessage], **kwargs: Any
    ) -> Iterator[MessagesData]:
        from langchain_core.language_models._compat_bridge import chunks_to_events

        kept = _Logprobs()
        chunks = self._stream(messages, **kwargs)
        for event in chunks_to_events(kept.watch(chunk) for chunk in chunks):
            yield kept.put_into(event)

    async def _astream_chat_model_events(
        self, messages: list[BaseMessage], **kwargs: Any
    ) -> AsyncIterator[MessagesData]:
        from langchain_core.language_models._compat_bridge import achunks_to_events

        kept = _Logprobs()
        chunks = self._astream(messages, **kwargs)
        async for event in achunks_to_events(kept.watch(chunk) async for chunk in chunks):
            yield kept.put_into(event)


class _Logprobs:
    """Collect the log probabilities of a stream's chunks."""

    def __init__(self) -> None:
        self._whole: dict[str, Any] | None = None

    def watch(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        found = chunk.message.response_metadata.get("logprobs")
        if found is not None:
            if self._whole is None:
                self._whole = {**found, "content": []}
            self._whole["content"] += found.get("content") or ()
        return chunk

    def put_into(self, event: MessagesData) -> MessagesData:
        """Return an event; the one that ends the message with all that was collected."""
        if self._whole is None or event["event"] != "message-finish":
            return event
        finish: Any = event
        metadata = {**finish.get("metadata", {}), "logprobs": self._whole}
        return cast("MessagesData", {**finish, "metadata": metadata})
