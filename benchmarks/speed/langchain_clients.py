"""LangChain's chat models: ours, its peers, and one that does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr, SecretStr

from speed.clients import PROMPT, Address
from speed.wire import MODEL, TOOL, events_as_json

__all__ = ["MODELS", "LangChainClient", "make_client"]

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
    """Gives an answer that was made beforehand: what is left is LangChain's own work."""

    kind: str
    count: int
    _result: ChatResult = PrivateAttr()
    _chunks: list[ChatGenerationChunk] = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Make the answer."""
        self._result = ChatResult(generations=[ChatGeneration(message=AIMessage(" word" * 20))])
        self._chunks = [
            ChatGenerationChunk(message=_message_chunk(event))
            for event in events_as_json(self.kind, self.count)
        ]
        self._chunks[-1].message.chunk_position = "last"  # type: ignore[attr-defined]

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
        yield from self._chunks

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._chunks:
            yield chunk


def _message_chunk(event: dict[str, Any]) -> AIMessageChunk:
    choice = (event["choices"] or [{}])[0]
    delta = choice.get("delta", {})
    logprobs = choice.get("logprobs")
    return AIMessageChunk(
        content=delta.get("content") or "",
        response_metadata={"logprobs": logprobs} if logprobs else {},
        tool_call_chunks=[
            tool_call_chunk(name=None, args=call["function"]["arguments"], id=None, index=0)
            for call in delta.get("tool_calls", ())
        ],
    )


def _nothing(address: Address) -> BaseChatModel:
    return NothingChat(kind=address.kind, count=address.count)


def _chat_monster(address: Address) -> BaseChatModel:
    from langchain_monster import ChatMonster

    asked = {"logprobs": True, "top_logprobs": 2} if address.kind == "logprobs" else {}
    return ChatMonster(model=MODEL, base_url=address.url, api_key="key", **asked)


def _chat_openai(address: Address) -> BaseChatModel:
    from langchain_openai import ChatOpenAI

    asked: dict[str, Any] = {"logprobs": True} if address.kind == "logprobs" else {}
    return ChatOpenAI(model=MODEL, base_url=address.url, api_key=SecretStr("key"), **asked)


def _chat_mistral(address: Address) -> BaseChatModel:
    from langchain_mistralai import ChatMistralAI

    return ChatMistralAI(model_name=MODEL, base_url=address.url, api_key=SecretStr("key"))


MODELS: dict[str, Callable[[Address], BaseChatModel]] = {
    "LangChain alone": _nothing,
    "ChatMonster": _chat_monster,
    "ChatMistralAI": _chat_mistral,
    "ChatOpenAI": _chat_openai,
}
