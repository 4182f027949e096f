"""Name the clients that are compared, and what every one of them can be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

__all__ = [
    "AT_END",
    "CLIENTS",
    "OVER_AIOHTTP",
    "PROMPT",
    "Address",
    "Client",
    "Entry",
    "make_client",
    "make_model",
]

PROMPT = "What is the capital of France?"


AT_END: list[Callable[[], Awaitable[None]]] = []
"""What an event loop awaits before it is closed."""


@dataclass(frozen=True)
class Address:
    """Say what the server shall answer.

    Args:
        origin: The server's scheme, host and port; empty for a client that asks no server.
        kind: One of wire.KINDS.
        count: How many chunks, or tokens, the answer has.
        interval: Microseconds between two chunks; 0 sends all at once.
    """

    origin: str
    kind: str = "text"
    count: int = 20
    interval: int = 0

    @property
    def url(self) -> str:
        """The base URL a client is given."""
        return f"{self.origin}/{self.kind}/{self.count}/{self.interval}/v1"


class Client(Protocol):
    """Ask one address, again and again."""

    def call(self) -> object:
        """Ask for a whole answer."""

    def stream(self) -> Iterator[Any]:
        """Ask for a stream."""

    async def acall(self) -> object:
        """Ask for a whole answer; the twin of call."""

    def astream(self) -> AsyncIterator[Any]:
        """Ask for a stream; the twin of stream."""

    def text(self, chunk: Any) -> str:
        """Return the piece of text that a chunk brings."""


@dataclass(frozen=True)
class Entry:
    """Say what a client is.

    Args:
        module: The module of this package that makes it, imported when it is made.
        framework: The framework it serves; empty for none.
        role: "ours", "peer", "floor" (the framework with a model that does nothing), "ready-made"
            (the same, with chunks that were constructed beforehand), "raw" or "least" (the
            framework with a model that asks with the raw client).
        kinds: The kind of answer to ask for where a text, a tool call and log probabilities are
            compared; None where it cannot read one.
    """

    module: str
    framework: str
    role: str
    kinds: dict[str, str | None]


_VLLM: dict[str, str | None] = {"text": "text", "tools": "tools", "logprobs": "logprobs"}
_OPENAI: dict[str, str | None] = {**_VLLM, "tools": "openai-tools"}
_NO_LOGPROBS: dict[str, str | None] = {**_OPENAI, "logprobs": None}

CLIENTS = {
    "raw httpx": Entry("raw_client", "", "raw", _VLLM),
    "raw httpx (aiohttp)": Entry("raw_client", "", "raw", _VLLM),
    "LangChain alone": Entry("langchain_clients", "LangChain", "floor", _VLLM),
    "LangChain alone (ready-made)": Entry("langchain_clients", "LangChain", "ready-made", _VLLM),
    "LangChain + raw httpx": Entry("langchain_clients", "LangChain", "least", _VLLM),
    "LangChain + raw httpx (aiohttp)": Entry("langchain_clients", "LangChain", "least", _VLLM),
    "ChatMonster": Entry("langchain_clients", "LangChain", "ours", _VLLM),
    "ChatMonster (aiohttp)": Entry("langchain_clients", "LangChain", "ours", _VLLM),
    "ChatMistralAI": Entry("langchain_clients", "LangChain", "peer", _NO_LOGPROBS),
    "ChatOpenAI": Entry("langchain_clients", "LangChain", "peer", _OPENAI),
    "LlamaIndex alone": Entry("llama_index_clients", "LlamaIndex", "floor", _VLLM),
    "LlamaIndex alone (ready-made)": Entry(
        "llama_index_clients", "LlamaIndex", "ready-made", _VLLM
    ),
    "LlamaIndex + raw httpx": Entry("llama_index_clients", "LlamaIndex", "least", _VLLM),
    "LlamaIndex + raw httpx (aiohttp)": Entry("llama_index_clients", "LlamaIndex", "least", _VLLM),
    "MonsterLLM": Entry("llama_index_clients", "LlamaIndex", "ours", _VLLM),
    "MonsterLLM (aiohttp)": Entry("llama_index_clients", "LlamaIndex", "ours", _VLLM),
    "OpenAILike": Entry("llama_index_clients", "LlamaIndex", "peer", _NO_LOGPROBS),
}
"""All of them, in the order in which they take turns."""

OVER_AIOHTTP = " (aiohttp)"
"""How the names of clients end that send async requests over aiohttp."""


def make_client(name: str, address: Address) -> Client:
    """Make a client of an address, importing what it needs.

    Args:
        name: One of CLIENTS.
        address: What it asks.
    """
    client: Client = _module(name).make_client(name, address)
    return client


def make_model(name: str, address: Address) -> Callable[[], object]:
    """Return what constructs a framework's model, everything it needs imported.

    Args:
        name: One of CLIENTS, but for raw httpx.
        address: What it would ask.
    """
    construct = _module(name).MODELS[name]
    return lambda: construct(address)


def _module(name: str) -> Any:
    return import_module(f"speed.{CLIENTS[name].module}")
