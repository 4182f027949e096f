"""Join the parameters of several functions into one schema: a call of any of them, or several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .emit import ANYTHING, emit
from .ir import Array, Field, Literal, Map, Never, Node, Object, Presence, union
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
    relaxer = Relaxer(limit, lambda path, sentence: None)
    nodes = list(_candidates(functions, arguments_key, relaxer, limit, is_list=is_list))
    fitting = (node for node in nodes if relaxer.seconds(node) <= limit)
    return emit(next(fitting, nodes[-1]))


def _candidates(
    functions: Mapping[str, LoweredSchema],
    arguments_key: str,
    relaxer: Relaxer,
    limit: float,
    *,
    is_list: bool,
) -> Iterator[Node]:
    exact = union(_call((name,), low.node, arguments_key) for name, low in functions.items())
    if is_list:
        yield Array(exact, (), 1)
    yield exact
    share = limit / (2 * len(functions))
    yield union(
        _call((name,), Relaxer(share, lambda path, sentence: None).relax(low.node), arguments_key)
        for name, low in functions.items()
    )
    yield _call(tuple(functions), Map(ANYTHING), arguments_key)


def _call(names: tuple[str, ...], arguments: Node, arguments_key: str) -> Node:
    fields = (
        Field("name", Literal(names), Presence.REQUIRED),
        Field(arguments_key, arguments, Presence.REQUIRED),
    )
    return Object(fields, Never("a call has no other members"))
