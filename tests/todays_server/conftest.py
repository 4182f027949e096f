"""Both classes on vLLM 0.32.0, replayed: what a small model with real weights answered there."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from tests.conftest import CASSETTES

SETTINGS: dict[str, Any] = {
    "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "server": "vllm",
    "tool_strategy": "native",
    "temperature": 0,
    "max_tokens": 100,
}


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(CASSETTES / "vllm-0.32.0")


@pytest.fixture
def recorded_server() -> str:
    return "vllm"


@pytest.fixture
def chat() -> ChatMonster:
    return ChatMonster(**SETTINGS)


@pytest.fixture
def llm() -> MonsterLLM:
    return MonsterLLM(**SETTINGS)


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"
