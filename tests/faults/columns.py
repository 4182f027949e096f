"""The eight ways to ask: each class, without and with async, for a whole answer or a stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from langchain_core.exceptions import LangChainException
from llama_index.core.llms import ChatMessage

from langchain_monster import ChatMonster
from langchain_monster import errors as langchain_errors
from llama_index_monster import MonsterLLM
from monster_core.errors import MonsterError

__all__ = ["COLUMNS", "Column", "Reached", "User"]

LANGCHAIN, LLAMAINDEX = "ChatMonster", "MonsterLLM"


@dataclass
class Reached:
    """What a user has in the end.

    Args:
        pieces: The text that came, piece by piece.
        error: What was raised, if anything was.
        seconds: How long it took.
    """

    pieces: list[str] = field(default_factory=list)
    error: Exception | None = None
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """All the text that came."""
        return "".join(self.pieces)


@dataclass(frozen=True)
class Column:
    """One way to ask.

    Args:
        framework: The class that is asked.
        is_async: Whether from a coroutine.
        streams: Whether for a stream.
    """

    framework: str
    is_async: bool
    streams: bool

    def __str__(self) -> str:
        side = "async" if self.is_async else "sync"
        return f"{self.framework}-{side}-{'stream' if self.streams else 'call'}"

    @contextmanager
    def opened(self, **settings: Any) -> Iterator[User]:
        """Make a model, and close it in the end.

        Args:
            settings: The model's arguments; `base_url` in both frameworks.
        """
        if self.framework == LLAMAINDEX:
            settings["api_base"] = settings.pop("base_url")
        make: Any = ChatMonster if self.framework == LANGCHAIN else MonsterLLM
        user = User(self, make(**settings))
        try:
            yield user
        finally:
            user.leave()

    def class_of(self, kind: type[MonsterError]) -> type[MonsterError]:
        """Return the class that is raised here for an error of the core."""
        if self.framework == LLAMAINDEX:
            return kind
        twin: type[MonsterError] = getattr(langchain_errors, kind.__name__)
        assert issubclass(twin, (kind, LangChainException))
        return twin


COLUMNS = [
    Column(framework, is_async, streams)
    for framework in (LANGCHAIN, LLAMAINDEX)
    for is_async in (False, True)
    for streams in (False, True)
]


class User:
    """Somebody who asks one model in one way, on an event loop of their own if it takes one."""

    def __init__(self, column: Column, llm: Any) -> None:
        self._column = column
        self._llm = llm
        self._loop = asyncio.new_event_loop() if column.is_async else None
        asks = _ASYNC if column.is_async else _SYNC
        self._asks: Callable[..., Any] = asks[column.framework, column.streams]

    def ask(self, text: str) -> Reached:
        """Ask, and note what comes.

        Args:
            text: The question.
        """
        reached = Reached()
        begun = time.monotonic()
        try:
            asked = self._asks(self._llm, text, reached.pieces)
            if self._loop:
                self._loop.run_until_complete(asked)
        except Exception as error:
            reached.error = error
        reached.seconds = time.monotonic() - begun
        return reached

    def wait_until(self, is_true: Callable[[], bool], what: str) -> None:
        """Wait for something to become true, for seconds if it must be.

        Args:
            is_true: Whether it is.
            what: What it is.
        """
        end = time.monotonic() + 3
        while not is_true():
            assert time.monotonic() < end, f"never: {what}"
            if self._loop:
                self._loop.run_until_complete(asyncio.sleep(0.002))
            else:
                time.sleep(0.002)

    def leave(self) -> None:
        """Close the model and the loop."""
        if self._loop:
            self._loop.run_until_complete(self._llm.aclose())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._loop = None
        self._llm.close()


def _invoke(llm: Any, text: str, pieces: list[str]) -> None:
    pieces.append(llm.invoke(text).text)


async def _ainvoke(llm: Any, text: str, pieces: list[str]) -> None:
    pieces.append((await llm.ainvoke(text)).text)


def _stream(llm: Any, text: str, pieces: list[str]) -> None:
    for chunk in llm.stream(text):
        pieces.append(chunk.text)


async def _astream(llm: Any, text: str, pieces: list[str]) -> None:
    async for chunk in llm.astream(text):
        pieces.append(chunk.text)


def _chat(llm: Any, text: str, pieces: list[str]) -> None:
    pieces.append(llm.chat([ChatMessage(text)]).message.content)


async def _achat(llm: Any, text: str, pieces: list[str]) -> None:
    pieces.append((await llm.achat([ChatMessage(text)])).message.content)


def _stream_chat(llm: Any, text: str, pieces: list[str]) -> None:
    for response in llm.stream_chat([ChatMessage(text)]):
        pieces.append(response.delta or "")


async def _astream_chat(llm: Any, text: str, pieces: list[str]) -> None:
    async for response in await llm.astream_chat([ChatMessage(text)]):
        pieces.append(response.delta or "")


_SYNC = {
    (LANGCHAIN, False): _invoke,
    (LANGCHAIN, True): _stream,
    (LLAMAINDEX, False): _chat,
    (LLAMAINDEX, True): _stream_chat,
}
_ASYNC = {
    (LANGCHAIN, False): _ainvoke,
    (LANGCHAIN, True): _astream,
    (LLAMAINDEX, False): _achat,
    (LLAMAINDEX, True): _astream_chat,
}
