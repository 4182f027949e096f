"""Keep LlamaIndex's own defaults off the network, and close what it leaves open.

LlamaIndex counts tokens with tiktoken, which downloads its vocabulary where the installed core does
not bring it along. ``Settings.tokenizer = <any callable>`` is the documented way out: set it before
anything counts. Sentences are split with the nltk data that llama-index-core brings along.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import llama_index.core
import pytest
from llama_index.core import Settings
from llama_index.core.storage.chat_store import sql

from tests.llama_index.consumers.library import WordEmbedding

__all__ = ["OVERLOOKED", "closed_memories", "offline_settings", "own_event_loop"]

OVERLOOKED = [
    pytest.mark.filterwarnings(warning)
    for warning in (
        # LlamaIndex's workflows read every attribute of an agent, pydantic's old ones too
        "ignore::pydantic.warnings.PydanticDeprecationWarning",
        "ignore:is_running called from within a step:DeprecationWarning",  # its ReActAgent
        "ignore:unclosed .*(socket|Socket):ResourceWarning",  # of a loop it ends, while recording
    )
]
"""What LlamaIndex itself is warned of."""


@contextmanager
def offline_settings() -> Iterator[None]:
    """Count words as tokens, embed by counting words, and leave no setting behind."""
    kept = vars(Settings).copy()
    tokenizer = llama_index.core.global_tokenizer
    Settings.tokenizer = str.split
    Settings.embed_model = WordEmbedding()
    yield
    vars(Settings).clear()
    vars(Settings).update(kept)
    llama_index.core.global_tokenizer = tokenizer


@contextmanager
def own_event_loop() -> Iterator[None]:
    """Give LlamaIndex's sync code a loop: it makes one of its own otherwise, and leaves it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)


@contextmanager
def closed_memories() -> Iterator[None]:
    """Close the databases in which LlamaIndex's memories keep their messages."""
    engines: list[Any] = []
    create = sql.create_async_engine

    def create_and_note(*args: Any, **kwargs: Any) -> Any:
        engines.append(create(*args, **kwargs))
        return engines[-1]

    with patch.object(sql, "create_async_engine", create_and_note):
        yield
    for engine in engines:
        asyncio.run(engine.dispose())
