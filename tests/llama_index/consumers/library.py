"""The model, the documents, the index and the tools that these tests work with."""

from __future__ import annotations

import json
import re
import zlib
from importlib.metadata import version
from typing import Any

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.tools import QueryEngineTool
from packaging.version import Version
from pydantic import BaseModel
from vcr.cassette import Cassette

from llama_index_monster import MonsterLLM
from tests.cassette_playback import exchanges
from tests.recorded_endpoint import MODEL

CAPITAL = "What is the capital of France?"
WEATHER = "What is the weather in Paris?"
WEATHER_ANSWER = "The result is 22 degrees in Paris."

NEWER_CORE = pytest.mark.skipif(
    Version(version("llama-index-core")) < Version("0.14.25"),
    reason="an older LlamaIndex asks for this in other words than were recorded",
)

DOCUMENTS = [
    Document(text="The capital of France is Paris, a city on the Seine.", id_="france"),
    Document(text="The Los Angeles Dodgers play baseball.", id_="baseball"),
    Document(text="A loaf of bread is baked from flour and water.", id_="bread"),
]


class City(BaseModel):
    """A city."""

    name: str
    people: int


class WordEmbedding(BaseEmbedding):
    """Embeds a text by counting its words; the same everywhere, and without a download."""

    def _get_text_embedding(self, text: str) -> list[float]:
        counts = [0.0] * 256
        for word in re.findall(r"\w{4,}", text.lower()):
            counts[zlib.crc32(word.encode()) % len(counts)] += 1
        return counts

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def chat(**arguments: Any) -> MonsterLLM:
    """Return a model that always answers the same."""
    return MonsterLLM(**{"model": MODEL, "temperature": 0, **arguments})


def one_of(*texts: str) -> dict[str, Any]:
    """Return the argument that leaves the model these answers only.

    The recorded model follows no instructions: what a better one would write is put into its
    mouth (calls of tools are by ``tests.saying``). Of several texts it begins the one that begins
    like the user's last message.
    """
    return {"guided_choice": list(texts)}


def index() -> VectorStoreIndex:
    """Return an index of the documents."""
    return VectorStoreIndex.from_documents(DOCUMENTS)


def library_tools(llm: MonsterLLM) -> list[QueryEngineTool]:
    """Return two query engines as tools, one for France and one for sports."""
    described = {"france": "Tells facts about France.", "sports": "Tells facts about sports."}
    engine = index().as_query_engine(llm=llm, similarity_top_k=1)
    return [
        QueryEngineTool.from_defaults(engine, name=name, description=description)
        for name, description in described.items()
    ]


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def bodies(cassette: Cassette) -> list[dict[str, Any]]:
    """Return what was sent, request by request."""
    return [body for body, _ in exchanges(cassette)]


def told_tokens(cassette: Cassette) -> int:
    """Return the total of the tokens that the server counted, of whole replies and streams."""
    return sum(_tokens(response["body"]["string"]) for _, response in exchanges(cassette))


def _tokens(body: bytes | str) -> int:
    text = body.decode() if isinstance(body, bytes) else body
    events = [line.removeprefix("data: ") for line in text.splitlines() if '"usage"' in line]
    usages = [json.loads(event).get("usage") for event in events]
    return sum(usage["total_tokens"] for usage in usages if usage)
