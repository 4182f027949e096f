"""Ask both frameworks' models alike, so that one test body holds both to the same."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessageChunk
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from tests.recorded_endpoint import MODEL

__all__ = [
    "ASYNC_STREAMS",
    "MODELS",
    "SYNC_STREAMS",
    "ChatMonsterModel",
    "Model",
    "MonsterLLMModel",
    "piece_of",
]


class ChatMonsterModel:
    """Ask a :class:`ChatMonster`.

    Args:
        base_url: Where its server is.
        settings: Its further arguments.
    """

    def __init__(self, base_url: str, **settings: Any) -> None:
        self.llm = ChatMonster(**_given(settings, base_url=base_url))

    def ask(self, text: str) -> str:
        """Return the answer to a text."""
        return self.llm.invoke(text).text

    async def aask(self, text: str) -> str:
        """Return the answer to a text."""
        return (await self.llm.ainvoke(text)).text

    def stream(self, text: str) -> Any:
        """Return the framework's own iterator of a streamed answer."""
        return self.llm.stream(text)

    async def astream(self, text: str) -> Any:
        """Return the framework's own async iterator of a streamed answer."""
        return self.llm.astream(text)

    def read(self, text: str) -> str:
        """Return a streamed answer, put together."""
        with closing(self.stream(text)) as items:
            return "".join(map(piece_of, items))

    async def aread(self, text: str) -> str:
        """Return a streamed answer, put together."""
        async with aclosing(await self.astream(text)) as items:
            return "".join([piece_of(item) async for item in items])

    def move(self, base_url: str, api_key: str) -> None:
        """Change where the next call goes."""
        self.llm.base_url, self.llm.api_key = base_url, api_key


class MonsterLLMModel(ChatMonsterModel):
    """Ask a :class:`MonsterLLM`.

    Args:
        base_url: Where its server is.
        settings: Its further arguments.
    """

    def __init__(self, base_url: str, **settings: Any) -> None:
        self.llm = MonsterLLM(**_given(settings, api_base=base_url))

    def ask(self, text: str) -> str:
        """Return the answer to a text."""
        return self.llm.chat([ChatMessage(text)]).message.content or ""

    async def aask(self, text: str) -> str:
        """Return the answer to a text."""
        return (await self.llm.achat([ChatMessage(text)])).message.content or ""

    def stream(self, text: str) -> Any:
        """Return the framework's own iterator of a streamed answer."""
        return self.llm.stream_chat([ChatMessage(text)])

    async def astream(self, text: str) -> Any:
        """Return the framework's own async iterator of a streamed answer."""
        return await self.llm.astream_chat([ChatMessage(text)])

    def move(self, base_url: str, api_key: str) -> None:
        """Change where the next call goes."""
        self.llm.api_base, self.llm.api_key = base_url, api_key


Model = ChatMonsterModel
MODELS: list[type[Model]] = [ChatMonsterModel, MonsterLLMModel]


def piece_of(item: Any) -> str:
    """Return the text that an item of any stream brings.

    Args:
        item: A message chunk, an event, or a response.
    """
    if isinstance(item, dict):
        chunk = item["data"].get("chunk")
        return chunk.text if isinstance(chunk, AIMessageChunk) else ""
    return (item.delta or "") if isinstance(item, (ChatResponse, CompletionResponse)) else item.text


@dataclass(frozen=True)
class StreamOf:
    """Name a way to stream: whose it is, and how it is begun."""

    model: type[Model]
    begin: Callable[[Any, str], Any]


async def _awaited(stream: Awaitable[AsyncGenerator[Any, None]]) -> AsyncGenerator[Any, None]:
    return await stream


async def _at_once(stream: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    return stream


SYNC_STREAMS: dict[str, StreamOf] = {
    "stream": StreamOf(ChatMonsterModel, lambda llm, text: llm.stream(text)),
    "stream_chat": StreamOf(
        MonsterLLMModel, lambda llm, text: llm.stream_chat([ChatMessage(text)])
    ),
    "stream_complete": StreamOf(MonsterLLMModel, lambda llm, text: llm.stream_complete(text)),
}
"""Every way to stream without async; each gives a generator."""

ASYNC_STREAMS: dict[str, StreamOf] = {
    "astream": StreamOf(ChatMonsterModel, lambda llm, text: _at_once(llm.astream(text))),
    "astream_events": StreamOf(
        ChatMonsterModel, lambda llm, text: _at_once(llm.astream_events(text, version="v2"))
    ),
    "astream_chat": StreamOf(
        MonsterLLMModel, lambda llm, text: _awaited(llm.astream_chat([ChatMessage(text)]))
    ),
    "astream_complete": StreamOf(
        MonsterLLMModel, lambda llm, text: _awaited(llm.astream_complete(text))
    ),
}
"""Every way to stream with async; each gives a coroutine that gives an async generator."""


def _given(settings: dict[str, Any], **address: str) -> dict[str, Any]:
    told = {"model": MODEL, "api_key": "sk-emulator", "max_retries": 0, "timeout": 20}
    return {**told, **address, **settings}
