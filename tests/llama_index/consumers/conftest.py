from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from llama_index_monster import MonsterLLM
from tests.llama_index.consumers.library import chat
from tests.llama_index.consumers.surroundings import (
    OVERLOOKED,
    closed_memories,
    offline_settings,
    own_event_loop,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Overlook what LlamaIndex's agents themselves are warned of."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            for mark in OVERLOOKED:
                item.add_marker(mark)


@pytest.fixture(autouse=True)
def surroundings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let LlamaIndex download nothing, and leave nothing open."""
    with ExitStack() as stack:
        stack.enter_context(offline_settings())
        if not inspect.iscoroutinefunction(request.function):
            stack.enter_context(own_event_loop())
        stack.enter_context(closed_memories())
        yield


@pytest.fixture
def llm() -> MonsterLLM:
    """The model that answers these tests."""
    return chat()
