"""The tools, schemas and models that the agents of these tests work with."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import BaseMessage
from pydantic import BaseModel
from vcr.cassette import Cassette

from langchain_monster import ChatMonster
from tests.cassette_playback import exchanges
from tests.recorded_endpoint import MODEL

WEATHER_IN_PARIS = [
    ("ai", "get_weather(city='Paris')"),
    ("tool", "22 degrees in Paris"),
    ("ai", "The result is 22 degrees in Paris."),
]
"""What is said after the question, as pairs of :func:`said`."""


class Forecast(BaseModel):
    """What the weather will be."""

    city: str
    degrees: int


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def chat(**arguments: Any) -> ChatMonster:
    """Return a model that always answers the same."""
    return ChatMonster(**{"model": MODEL, "temperature": 0, **arguments})


def ask(question: str) -> dict[str, Any]:
    """Return what an agent is invoked with."""
    return {"messages": [("user", question)]}


def said(messages: list[BaseMessage]) -> list[tuple[str, str]]:
    """Return a conversation as pairs of kind and text; a call as its name and arguments."""
    return [(message.type, _calls(message) or message.text) for message in messages]


def _calls(message: BaseMessage) -> str:
    calls = getattr(message, "tool_calls", [])
    return ", ".join(f"{call['name']}({_arguments(call['args'])})" for call in calls)


def _arguments(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in given.items())


def bodies(cassette: Cassette) -> list[dict[str, Any]]:
    """Return what was sent, request by request."""
    return [body for body, _ in exchanges(cassette)]
