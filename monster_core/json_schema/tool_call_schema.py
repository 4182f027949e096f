"""Join the parameters of several functions into one schema: a call of any of them, or several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .emit import ANYTHING, emit
from .ir import Array, Field, Literal, Map, Never, Node, Object, Presence, Union
from .lower import LIMIT, LoweredSchema
from .relax import Relaxer


def lower_calls(
    functions: Mapping[str, LoweredSchema],
    arguments_key: str,
    *,
    is_list: bool,
    limit: float = LIMIT,
) -> dict[str, Any]:
    """Return a schema of an object that calls one of several functions.

    Args:
        functions: What became of each function's parameters, by its name.
        arguments_key: The key under which a call holds its arguments.
        is_list: Whether several calls are wanted, in an array.
        limit: Seconds that the server may spend on compiling.

    Returns:
        The most exact schema that the server compiles in time: an array of calls, else one call,
        else one whose arguments are enforced only in part.
    """
    relaxer = Relaxer(limit, _say_nothing)
    for node in _candidates(functions, arguments_key, relaxer, limit, is_list=is_list):
        fitting = node
        if relaxer.seconds(node) <= limit:
            break
    return emit(fitting)


def _candidates(
    functions: Mapping[str, LoweredSchema],
    arguments_key: str,
    relaxer: Relaxer,
    limit: float,
    *,
    is_list: bool,
) -> Iterator[Node]:
    exact = _one_of([_call((name,), low.node, arguments_key) for name, low in functions.items()])
    if is_list:
        yield Array(exact, (), 1)
    yield exact
    share = limit / (2 * len(functions))
    yield _one_of(
        [
            _call((name,), Relaxer(share, _say_nothing).relax(low.node), arguments_key)
            for name, low in functions.items()
        ]
    )
    yield _call(tuple(functions), Map(ANYTHING), arguments_key)


def _say_nothing(path: Any, sentence: str) -> None:
    """Take what a relaxer says of each part that it relaxes: of a call, nothing is said."""


def _one_of(calls: list[Node]) -> Node:
    """Join calls; no two of them have the same name, so that none repeats another."""
    return calls[0] if len(calls) == 1 else Union(tuple(calls))


def _call(names: tuple[str, ...], arguments: Node, arguments_key: str) -> Node:
    fields = (
        Field("name", Literal(names), Presence.REQUIRED),
        Field(arguments_key, arguments, Presence.REQUIRED),
    )
    return Object(fields, Never("a call has no other members"))
