from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.llms import ChatMessage

from llama_index_monster import MonsterLLM
from monster_emulator import Emulator
from tests.recorded_endpoint import MODEL
from tests.scripted_replies import small_talk

CAPITAL = "What is the capital of France?"


class Calls:
    """Call the entry points of an LLM, all of one side; a stream becomes a list."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async

    def chat(self, llm: MonsterLLM, text: str = CAPITAL, **kwargs: Any) -> Any:
        return self._answer(llm, "chat", [ChatMessage(text)], kwargs)

    def complete(self, llm: MonsterLLM, text: str = CAPITAL, **kwargs: Any) -> Any:
        return self._answer(llm, "complete", text, kwargs)

    def stream_chat(self, llm: MonsterLLM, text: str = CAPITAL, **kwargs: Any) -> Any:
        return self._items(llm, "stream_chat", [ChatMessage(text)], kwargs)

    def stream_complete(self, llm: MonsterLLM, text: str = CAPITAL, **kwargs: Any) -> Any:
        return self._items(llm, "stream_complete", text, kwargs)

    def discover_context_window(self, llm: MonsterLLM, **kwargs: Any) -> int:
        if self.is_async:
            return asyncio.run(llm.adiscover_context_window(**kwargs))
        return llm.discover_context_window(**kwargs)

    def _answer(self, llm: MonsterLLM, name: str, given: Any, kwargs: dict[str, Any]) -> Any:
        if self.is_async:
            return asyncio.run(_called(llm, name, given, kwargs))
        return getattr(llm, name)(given, **kwargs)

    def _items(self, llm: MonsterLLM, name: str, given: Any, kwargs: dict[str, Any]) -> Any:
        if self.is_async:
            return asyncio.run(_collected(llm, name, given, kwargs))
        return list(getattr(llm, name)(given, **kwargs))


async def _called(llm: MonsterLLM, name: str, given: Any, kwargs: dict[str, Any]) -> Any:
    return await getattr(llm, f"a{name}")(given, **kwargs)


async def _collected(llm: MonsterLLM, name: str, given: Any, kwargs: dict[str, Any]) -> Any:
    return [item async for item in await getattr(llm, f"a{name}")(given, **kwargs)]


@pytest.fixture(params=["sync", "async"])
def calls(request: pytest.FixtureRequest) -> Calls:
    return Calls(request.param == "async")


@pytest.fixture
def monster_llm() -> MonsterLLM:
    """An LLM on the recorded endpoint, which the environment names."""
    return MonsterLLM(MODEL, temperature=0)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(model=MODEL, replies=small_talk, bytes_per_token=1) as emulator:
        yield emulator


@pytest.fixture
def on_emulator(emulator: Emulator) -> Callable[..., MonsterLLM]:
    """Make an LLM on the module's emulator."""

    def make(**kwargs: Any) -> MonsterLLM:
        settings = {"model": MODEL, "api_base": emulator.base_url, "api_key": emulator.api_key}
        return MonsterLLM(**{**settings, **kwargs})

    return make


@pytest.fixture
def emulated_llm(on_emulator: Callable[..., MonsterLLM]) -> MonsterLLM:
    return on_emulator()


@pytest.fixture
def events() -> Iterator[list[BaseEvent]]:
    """Collect LlamaIndex's instrumentation events."""
    found: list[BaseEvent] = []

    class Collector(BaseEventHandler):
        def handle(self, event: BaseEvent, **kwargs: Any) -> None:
            found.append(event)

    dispatcher, collector = get_dispatcher(), Collector()
    dispatcher.add_event_handler(collector)
    yield found
    dispatcher.event_handlers.remove(collector)
