"""Name this provider to LangChain, and let it show the provider's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages.block_translators import register_translator

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.messages.content import ContentBlock

__all__ = ["MODEL_PROVIDER", "register"]

MODEL_PROVIDER = "monster"
"""Names the provider in response metadata and in traces."""


def register() -> None:
    """Let ``content_blocks`` of this provider's messages be made by this package."""
    register_translator(MODEL_PROVIDER, _translate_message, _translate_chunk)


def _translate_message(message: AIMessage) -> list[ContentBlock]:
    from langchain_monster.content_blocks import translate_message

    return translate_message(message)


def _translate_chunk(message: AIMessageChunk) -> list[ContentBlock]:
    from langchain_monster.content_blocks import translate_chunk

    return translate_chunk(message)
