"""What must hold on any endpoint: ``MONSTER_API_KEY=... python -m pytest -m live``.

Each test costs a few tokens. MONSTER_MODEL names another model than Llama 3.1.
"""

from __future__ import annotations

import os

import pytest
from llama_index.core.llms import ChatMessage
from pydantic import BaseModel

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.errors import AuthenticationError, NotFoundError
from tests.recorded_endpoint import MODEL as RECORDED_MODEL

pytestmark = pytest.mark.live

MODEL = os.environ.get("MONSTER_MODEL") or RECORDED_MODEL
CAPITAL = "What is the capital of France? Answer with its name only."


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


@pytest.fixture
def chat() -> ChatMonster:
    return ChatMonster(model=MODEL, temperature=0, max_tokens=100)


@pytest.fixture
def llm() -> MonsterLLM:
    return MonsterLLM(model=MODEL, temperature=0, max_tokens=100)


def test_langchain_answers(chat: ChatMonster) -> None:
    answer = chat.invoke(CAPITAL)
    assert "Paris" in answer.text
    assert answer.usage_metadata is not None


async def test_langchain_streams(chat: ChatMonster) -> None:
    chunks = [chunk async for chunk in chat.astream(CAPITAL)]
    assert "Paris" in "".join(chunk.text for chunk in chunks)
    assert len([chunk for chunk in chunks if chunk.usage_metadata]) == 1


def test_langchain_answers_in_a_shape(chat: ChatMonster) -> None:
    person = chat.with_structured_output(Person).invoke("My friend Ana is 34 years old.")
    assert person == Person(name="Ana", age=34)


def test_langchain_forces_a_tool(chat: ChatMonster) -> None:
    asked = chat.bind_tools([get_weather], tool_choice="any")
    (call,) = asked.invoke("What is the weather in Rome?").tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Rome"})


def test_llama_index_answers(llm: MonsterLLM) -> None:
    response = llm.chat([ChatMessage(CAPITAL)])
    assert "Paris" in (response.message.content or "")


async def test_llama_index_streams(llm: MonsterLLM) -> None:
    pieces = [piece async for piece in await llm.astream_complete(CAPITAL)]
    assert "Paris" in pieces[-1].text


def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        ChatMonster(model=MODEL, api_key="no-key-of-anybody").invoke(CAPITAL)


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(NotFoundError):
        ChatMonster(model="no-model-of-anybody").invoke(CAPITAL)
