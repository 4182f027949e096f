"""LlamaIndex's LLMs: ours, its peer, one that does nothing, and one that does the least."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    LogProb,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.llms.llm import LLM
from llama_index.core.tools import FunctionTool
from pydantic import PrivateAttr

from speed.clients import OVER_AIOHTTP, PROMPT, Address
from speed.raw_client import RawClient
from speed.wire import MODEL, TOOL, events_as_json

__all__ = ["MODELS", "LlamaIndexClient", "make_client", "response_of"]

MESSAGES = [ChatMessage(PROMPT)]


def make_client(name: str, address: Address) -> LlamaIndexClient:
    return LlamaIndexClient(MODELS[name](address), has_tools=address.kind.endswith("tools"))


def write_text(text: str) -> str:
    """Write a text."""
    return text


class LlamaIndexClient:
    """Asks through a LlamaIndex LLM.

    Args:
        llm: The LLM.
        has_tools: Whether a stream forces a tool.
    """

    def __init__(self, llm: LLM, *, has_tools: bool) -> None:
        self._llm: Any = llm
        self._tools: dict[str, Any] | None = None
        if has_tools:
            self._tools = {
                "tools": [FunctionTool.from_defaults(write_text)],
                "chat_history": MESSAGES,
                "tool_required": True,
            }

    def call(self) -> object:
        """Ask for a whole answer."""
        return self._llm.chat(MESSAGES)

    async def acall(self) -> object:
        """Ask for a whole answer."""
        return await self._llm.achat(MESSAGES)

    def stream(self) -> Iterator[Any]:
        """Ask for a stream."""
        if self._tools:
            yield from self._llm.stream_chat_with_tools(**self._tools)
        else:
            yield from self._llm.stream_chat(MESSAGES)

    async def astream(self) -> AsyncIterator[Any]:
        """Ask for a stream."""
        if self._tools:
            stream = await self._llm.astream_chat_with_tools(**self._tools)
        else:
            stream = await self._llm.astream_chat(MESSAGES)
        async for chunk in stream:
            yield chunk

    def text(self, chunk: Any) -> str:
        """Return the piece of text that a chunk brings."""
        return chunk.delta or ""


class NothingLLM(CustomLLM):
    """Gives an answer it knows: what is left is LlamaIndex's own work.

    A response is the consumer's own, so it is constructed where it is given. With is_ready_made all
    were constructed beforehand, which no client can do.
    """

    kind: str
    count: int
    is_ready_made: bool = False
    _whole: ChatResponse = PrivateAttr()
    _responses: list[Callable[[], ChatResponse]] = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Know the answer."""
        super().model_post_init(context)
        self._whole = _response({"content": " word" * 20}, None)
        events = events_as_json(self.kind, self.count)
        self._responses = [partial(response_of, event) for event in events]
        if self.is_ready_made:
            self._responses = [partial(_given, response()) for response in self._responses]

    @property
    def metadata(self) -> LLMMetadata:
        """Say that it chats."""
        return LLMMetadata(is_chat_model=True)

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Give the answer."""
        return self._whole

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Give the answer."""
        return self._whole

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Give the answer in pieces."""

        def responses() -> ChatResponseGen:
            for response in self._responses:
                yield response()

        return responses()

    @llm_chat_callback()
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Give the answer in pieces."""

        async def responses() -> ChatResponseAsyncGen:
            for response in self._responses:
                yield response()

        return responses()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer no prompt."""
        raise NotImplementedError

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Answer no prompt."""
        raise NotImplementedError

    def stream_chat_with_tools(self, chat_history: Any, **kwargs: Any) -> ChatResponseGen:
        """Give the answer in pieces."""
        return self.stream_chat(chat_history)

    async def astream_chat_with_tools(
        self, chat_history: Any, **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Give the answer in pieces."""
        return await self.astream_chat(chat_history)


class LeastLLM(NothingLLM):
    """Asks with raw httpx, and constructs what LlamaIndex takes: the least an integration does."""

    address: Address
    is_over_aiohttp: bool = False
    _raw: RawClient = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Open the client."""
        super().model_post_init(context)
        self._raw = RawClient(self.address, is_over_aiohttp=self.is_over_aiohttp)

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Ask for a whole answer."""
        return _response({"content": self._raw.call()}, None)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Ask for a whole answer."""
        return _response({"content": await self._raw.acall()}, None)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Ask for a stream."""

        def responses() -> ChatResponseGen:
            for event in self._raw.stream():
                yield response_of(event)

        return responses()

    @llm_chat_callback()
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Ask for a stream."""

        async def responses() -> ChatResponseAsyncGen:
            async for event in self._raw.astream():
                yield response_of(event)

        return responses()


def response_of(event: dict[str, Any]) -> ChatResponse:
    """Return the least that LlamaIndex takes of an event."""
    return _response(*_delta(event))


def _delta(event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    choice = (event["choices"] or [{}])[0]
    return choice.get("delta", {}), choice.get("logprobs")


def _response(delta: dict[str, Any], logprobs: dict[str, Any] | None) -> ChatResponse:
    text = delta.get("content") or ""
    blocks: list[Any] = [TextBlock(text=text)]
    if delta.get("tool_calls"):
        blocks.append(ToolCallBlock(tool_name=TOOL, tool_kwargs='{"text": "'))
    response = ChatResponse(
        message=ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks), delta=text
    )
    if logprobs:
        tokens = logprobs["content"][0]["top_logprobs"]
        response.logprobs = [[LogProb(**token) for token in tokens]]
    return response


def _given(response: ChatResponse) -> ChatResponse:
    return response


def _nothing(address: Address) -> LLM:
    return NothingLLM(kind=address.kind, count=address.count)


def _nothing_ready_made(address: Address) -> LLM:
    return NothingLLM(kind=address.kind, count=address.count, is_ready_made=True)


def _least(address: Address, **options: Any) -> LLM:
    return LeastLLM(kind=address.kind, count=address.count, address=address, **options)


def _monster_llm(address: Address, **options: Any) -> LLM:
    from llama_index_monster import MonsterLLM

    asked: dict[str, Any] = (
        {"logprobs": True, "top_logprobs": 2} if address.kind == "logprobs" else {}
    )
    return MonsterLLM(model=MODEL, api_base=address.url, api_key="key", **asked, **options)


def _openai_like(address: Address) -> LLM:
    from llama_index.llms.openai_like import OpenAILike

    told = {"is_chat_model": True, "is_function_calling_model": True, "context_window": 8192}
    return OpenAILike(model=MODEL, api_base=address.url, api_key="key", **told)


MODELS: dict[str, Callable[[Address], LLM]] = {
    "LlamaIndex alone": _nothing,
    "LlamaIndex alone (ready-made)": _nothing_ready_made,
    "LlamaIndex + raw httpx": _least,
    f"LlamaIndex + raw httpx{OVER_AIOHTTP}": partial(_least, is_over_aiohttp=True),
    "MonsterLLM": _monster_llm,
    f"MonsterLLM{OVER_AIOHTTP}": partial(_monster_llm, async_transport="aiohttp"),
    "OpenAILike": _openai_like,
}
