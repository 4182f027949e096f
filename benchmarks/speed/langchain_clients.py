"""LangChain's chat models: ours, its peers, one that does nothing, and one that does the least."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr, SecretStr

from speed.clients import OVER_AIOHTTP, PROMPT, Address
from speed.raw_client import RawClient
from speed.wire import MODEL, TOOL, events_as_json

__all__ = ["MODELS", "LangChainClient", "chunk_of", "make_client"]

MESSAGES = [HumanMessage(PROMPT)]


def make_client(name: str, address: Address) -> LangChainClient:
    model = MODELS[name](address)
    asked: Runnable[Any, Any] = model
    if address.kind.endswith("tools"):
        asked = model.bind_tools([write_text], tool_choice=TOOL)
    return LangChainClient(asked)


def write_text(text: str) -> str:
    """Write a text."""
    return text


class LangChainClient:
    """Asks through a LangChain model.

    Args:
        model: The model, or one with tools bound to it.
    """

    def __init__(self, model: Runnable[Any, Any]) -> None:
        self._model = model

    def call(self) -> object:
        """Ask for a whole answer."""
        return self._model.invoke(MESSAGES)

    async def acall(self) -> object:
        """Ask for a whole answer."""
        return await self._model.ainvoke(MESSAGES)

    def stream(self) -> Iterator[Any]:
        """Ask for a stream."""
        return self._model.stream(MESSAGES)

    def astream(self) -> AsyncIterator[Any]:
        """Ask for a stream."""
        return self._model.astream(MESSAGES)

    def text(self, chunk: Any) -> str:
        """Return the piece of text that a chunk brings."""
        return str(chunk.content)


class NothingChat(BaseChatModel):
    """Gives an answer it knows: what is left is LangChain's own work.

    A chunk is the consumer's own, so it is constructed where it is given. With is_ready_made all
    were constructed beforehand, which no client can do.
    """

    kind: str
    count: int
    is_ready_made: bool = False
    _result: ChatResult = PrivateAttr()
    _chunks: list[Callable[[], ChatGenerationChunk]] = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Know the answer."""
        self._result = ChatResult(generations=[ChatGeneration(message=AIMessage(" word" * 20))])
        events = events_as_json(self.kind, self.count)
        contents = [_content(event, is_last=event is events[-1]) for event in events]
        self._chunks = [partial(_chunk, content) for content in contents]
        if self.is_ready_made:
            self._chunks = [partial(_given, chunk()) for chunk in self._chunks]

    @property
    def _llm_type(self) -> str:
        return "nothing"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, Any]:
        """Bind a tool, as every model has it bound."""
        return self.bind(**kwargs)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return self._result

    async def _agenerate(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> ChatResult:
        return self._result

    def _stream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in self._chunks:
            yield chunk()

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._chunks:
            yield chunk()


class LeastChat(NothingChat):
    """Asks with raw httpx, and constructs what LangChain takes: the least an integration does."""

    address: Address
    is_over_aiohttp: bool = False
    _raw: RawClient = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Open the client."""
        self._raw = RawClient(self.address, is_over_aiohttp=self.is_over_aiohttp)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return _result(self._raw.call())

    async def _agenerate(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> ChatResult:
        return _result(await self._raw.acall())

    def _stream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for event in self._raw.stream():
            yield chunk_of(event)

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for event in self._raw.astream():
            yield chunk_of(event)


def _result(text: str) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


def chunk_of(event: dict[str, Any]) -> ChatGenerationChunk:
    """Return the least that LangChain takes of an event; the last one brings the usage alone."""
    return _chunk(_content(event, is_last=not event["choices"]))


def _chunk(content: dict[str, Any]) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(**content))


def _given(chunk: ChatGenerationChunk) -> ChatGenerationChunk:
    return chunk


def _content(event: dict[str, Any], *, is_last: bool) -> dict[str, Any]:
    choice = (event["choices"] or [{}])[0]
    delta = choice.get("delta", {})
    content: dict[str, Any] = {"content": delta.get("content") or ""}
    if choice.get("logprobs"):
        content["response_metadata"] = {"logprobs": choice["logprobs"]}
    if delta.get("tool_calls"):
        content["tool_call_chunks"] = [
            tool_call_chunk(name=None, args=call["function"]["arguments"], id=None, index=0)
            for call in delta["tool_calls"]
        ]
    if is_last:
        content["chunk_position"] = "last"
    return content


def _nothing(address: Address) -> BaseChatModel:
    return NothingChat(kind=address.kind, count=address.count)


def _nothing_ready_made(address: Address) -> BaseChatModel:
    return NothingChat(kind=address.kind, count=address.count, is_ready_made=True)


def _least(address: Address, **options: Any) -> BaseChatModel:
    return LeastChat(kind=address.kind, count=address.count, address=address, **options)


def _chat_monster(address: Address, **options: Any) -> BaseChatModel:
    from langchain_monster import ChatMonster

    asked = {"logprobs": True, "top_logprobs": 2} if address.kind == "logprobs" else {}
    return ChatMonster(model=MODEL, base_url=address.url, api_key="key", **asked, **options)


def _chat_openai(address: Address) -> BaseChatModel:
    from langchain_openai import ChatOpenAI

    asked: dict[str, Any] = {"logprobs": True} if address.kind == "logprobs" else {}
    return ChatOpenAI(model=MODEL, base_url=address.url, api_key=SecretStr("key"), **asked)


def _chat_mistral(address: Address) -> BaseChatModel:
    from langchain_mistralai import ChatMistralAI

    return ChatMistralAI(model_name=MODEL, base_url=address.url, api_key=SecretStr("key"))


MODELS: dict[str, Callable[[Address], BaseChatModel]] = {
    "LangChain alone": _nothing,
    "LangChain alone (ready-made)": _nothing_ready_made,
    "LangChain + raw httpx": _least,
    f"LangChain + raw httpx{OVER_AIOHTTP}": partial(_least, is_over_aiohttp=True),
    "ChatMonster": _chat_monster,
    f"ChatMonster{OVER_AIOHTTP}": partial(_chat_monster, async_transport="aiohttp"),
    "ChatMistralAI": _chat_mistral,
    "ChatOpenAI": _chat_openai,
}
