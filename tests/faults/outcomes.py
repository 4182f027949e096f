"""What a row of the matrix promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from monster_core.errors import MonsterError

__all__ = [
    "Answers",
    "Fails",
    "Outcome",
    "Row",
    "answers",
    "final",
    "longer_than",
    "row",
    "transient",
]


@dataclass(frozen=True)
class Answers:
    """The fault is overcome, and nobody notices.

    Args:
        requests: How many requests are sent.
        at_least: Seconds that it takes, because the server asked to wait.
    """

    requests: int
    at_least: float = 0.0


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
    attributes: dict[str, Any] = field(default_factory=dict)


Outcome = Answers | Fails


@dataclass(frozen=True)
class Row:
    """One fault.

    Args:
        name: What happens, as docs/what-happens-when.md calls it.
        script: The faults of the first requests, as the emulator reads them.
        call: What comes of it where a whole answer is asked for.
        stream: What comes of it where a stream is; the same by default.
        settings: The model's arguments, where they matter.
        at: Where the model looks for its endpoint, if it is not the emulator.
        asked: What the model is told to repeat.
    """

    name: str
    script: tuple[str, ...]
    call: Outcome
    stream: Outcome
    settings: dict[str, Any]
    at: Callable[..., Any] | None
    asked: str


def row(
    name: str,
    *script: str,
    both: Outcome | None = None,
    call: Outcome | None = None,
    stream: Outcome | None = None,
    at: Callable[..., Any] | None = None,
    asked: str = "abcdef",
    **settings: Any,
) -> Row:
    """Write a row; `both` stands for a call and a stream."""
    whole, streamed = call or both, stream or both
    assert whole, name
    assert streamed, name
    return Row(name, script, whole, streamed, settings, at, asked)


def answers(*, requests: int = 1, at_least: float = 0.0) -> Answers:
    """The fault is overcome."""
    return Answers(requests, at_least)


def final(kind: type[MonsterError], says: str, *, requests: int = 1, **attributes: Any) -> Fails:
    """The user gets an error that asking again does not help."""
    return Fails(kind, False, requests, says, attributes)


def transient(kind: type[MonsterError], says: str, *, requests: int, **attributes: Any) -> Fails:
    """The user gets an error that may pass."""
    return Fails(kind, True, requests, says, attributes)


class longer_than(float):
    """Equal to every number above it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and other > float(self)

    __hash__ = None  # type: ignore[assignment]
