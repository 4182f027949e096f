"""The ways to ask: each class, without and with async, for a whole answer or a stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.exceptions import LangChainException

from langchain_monster import errors as langchain_errors
from monster_core.errors import MonsterError
from tests.endurance.models import MODELS, Model, MonsterLLMModel, piece_of

__all__ = ["WAYS", "Column", "Reached", "User", "columns_of"]


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
        model: The class that is asked.
        streams: Whether for a stream.
        transport: What carries it from a coroutine; empty outside of one.
    """

    model: type[Model]
    streams: bool
    transport: str = ""

    def __str__(self) -> str:
        name = self.model.__name__.removesuffix("Model")
        return f"{name}-{self.transport or 'sync'}-{'stream' if self.streams else 'call'}"

    def class_of(self, kind: type[MonsterError]) -> type[MonsterError]:
        """Return the class that is raised here for an error of the core."""
        if self.model is MonsterLLMModel:
            return kind
        twin: type[MonsterError] = getattr(langchain_errors, kind.__name__)
        assert issubclass(twin, (kind, LangChainException))
        return twin


WAYS = [(streams, carrier) for streams in (False, True) for carrier in ("", "httpx", "aiohttp")]


def columns_of(place: int) -> list[Column]:
    """Return every way to ask, of the two classes in turn; in the next row it is the other one's.

    What a class makes of an error depends neither on the fault nor on the transport.

    Args:
        place: The number of the row.
    """
    return [Column(MODELS[(place + number) % 2], *way) for number, way in enumerate(WAYS)]


class User:
    """Somebody who asks one model in one way, on an event loop of their own if it takes one.

    Args:
        column: The way.
        base_url: Where the model looks for its endpoint.
        settings: The model's further arguments.
    """

    def __init__(self, column: Column, base_url: str, **settings: Any) -> None:
        self._streams = column.streams
        self._loop = asyncio.new_event_loop() if column.transport else None
        carried = {"async_transport": column.transport} if column.transport else {}
        self._model = column.model(base_url, **carried, **settings)

    def ask(self, text: str) -> Reached:
        """Ask, and note what comes.

        Args:
            text: The question.
        """
        reached = Reached()
        begun = time.monotonic()
        try:
            if self._loop:
                self._loop.run_until_complete(self._aread(text, reached.pieces))
            else:
                self._read(text, reached.pieces)
        except Exception as error:
            reached.error = error
        reached.seconds = time.monotonic() - begun
        return reached

    def _read(self, text: str, pieces: list[str]) -> None:
        if not self._streams:
            pieces.append(self._model.ask(text))
            return
        for item in self._model.stream(text):
            pieces.append(piece_of(item))

    async def _aread(self, text: str, pieces: list[str]) -> None:
        if not self._streams:
            pieces.append(await self._model.aask(text))
            return
        async for item in await self._model.astream(text):
            pieces.append(piece_of(item))

    def wait_until(self, is_true: Callable[[], bool], what: str) -> None:
        """Wait for something to become true, for seconds if it must be.

        Args:
            is_true: Whether it is.
            what: What it is.
        """
        end = time.monotonic() + 10
        while not is_true():
            assert time.monotonic() < end, f"never: {what}"
            if self._loop and not self._loop.is_closed():
                self._loop.run_until_complete(asyncio.sleep(0.002))
            else:
                time.sleep(0.002)

    def close(self) -> None:
        """Close the model and the loop."""
        if self._loop:
            self._loop.run_until_complete(self._model.llm.aclose())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
        self._model.llm.close()
