"""What a row of the matrix promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from monster_core.errors import MonsterError

__all__ = ["Answers", "Fails", "Row", "answers", "final", "longer_than", "row", "transient"]


@dataclass(frozen=True)
class Answers:
    """The fault is overcome, and nobody notices.

    Args:
        requests: How many requests are sent.
        at_least: Seconds that it takes, because the server asked to wait.
    """

    requests: int
    at_least: float


@dataclass(frozen=True)
class Fails:
    """The user gets an error.

    Args:
        kind: Its class in the core.
        is_retryable: Whether it says that asking again may help.
        requests: How many requests are sent.
        says: What its sentence contains.
        attributes: What it carries; everything else that it could carry is absent.
    """

    kind: type[MonsterError]
    is_retryable: bool
    requests: int
    says: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One fault.

    Args:
        name: What happens, as docs/what-happens-when.md calls it.
        script: The fault of the first requests, as the emulator reads it; empty if it has none.
        call: What comes of it where a whole answer is asked for.
        stream: What comes of it where a stream is.
        settings: The model's arguments, where they matter.
        at: Where the model looks for its endpoint, if it is not the emulator.
        asked: What the model is told to repeat.
    """

    name: str
    script: str
    call: Answers | Fails
    stream: Answers | Fails
    settings: dict[str, Any]
    at: Callable[..., Any] | None
    asked: str


def row(
    name: str,
    script: str,
    call: Answers | Fails,
    stream: Answers | Fails | None = None,
    *,
    at: Callable[..., Any] | None = None,
    asked: str = "abcdef",
    **settings: Any,
) -> Row:
    """Write a row; a stream ends as a call does unless something else is said."""
    return Row(name, script, call, stream or call, settings, at, asked)


def answers(*, requests: int = 1, at_least: float = 0.0) -> Answers:
    """The fault is overcome."""
    return Answers(requests, at_least)


def final(
    kind: type[MonsterError],
    says: str,
    status: int | None = None,
    *,
    requests: int = 1,
    **attributes: Any,
) -> Fails:
    """The user gets an error that asking again does not help."""
    if status:  # what the emulator says of a status by itself
        phrases = {one.value: one.phrase for one in HTTPStatus}
        said = phrases.get(status, f"Status {status}")
        attributes = {"status_code": status, "server_message": said, **attributes}
    return Fails(kind, False, requests, says, attributes)


def transient(kind: type[MonsterError], says: str, *args: Any, **attributes: Any) -> Fails:
    """The user gets an error that may pass."""
    return replace(final(kind, says, *args, **attributes), is_retryable=True)


class longer_than(float):
    """Equal to every number above it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and other > float(self)

    __hash__ = None  # type: ignore[assignment]
