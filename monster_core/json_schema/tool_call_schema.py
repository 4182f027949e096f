"""Join the parameters of several functions into one schema: a call of any of them, or several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .emit import ANYTHING
from .engines import ENGINES, SchemaEngine
from .ir import Array, Field, Literal, Map, Never, Node, Object, Presence, Union
from .lower import LIMIT_SECONDS, LoweredSchema, best_of, lower, write_schema
from .relax import Relaxer


@dataclass(frozen=True, slots=True)
class LoweredCalls:
    """What becomes of the parameters of several functions.

    Attributes:
        schema: The schema to send; empty when the answer cannot be guided.
        functions: What became of each function's parameters, by its name.
        obstacle: The name of a function and why its call cannot be guided, or None.
        relaxed: The functions' names and sentences for everything the server will not enforce.
        seconds: How long the server is expected to compile.
        engine: What holds an answer to it.
        is_reduced: Whether something is not enforced only because it would cost too much.
        largest: The path of what costs most.
    """

    schema: dict[str, Any]
    functions: dict[str, LoweredSchema]
    obstacle: tuple[str, str] | None
    relaxed: tuple[str, ...]
    seconds: float
    engine: SchemaEngine
    is_reduced: bool = False
    largest: str = "$"

    @property
    def guided(self) -> bool:
        """Whether there is a schema to send."""
        return self.obstacle is None


def lower_calls(
    parameters: Mapping[str, Mapping[str, Any]],
    arguments_key: str,
    *,
    is_list: bool,
    engines: Sequence[SchemaEngine] = ENGINES,
    limit: float = LIMIT_SECONDS,
) -> LoweredCalls:
    """Lower the schema of an object that calls one of several functions.

    The engine is chosen as for any schema. Where none can be given the exact one, it becomes the
    most exact one that the first engine compiles in time: one call instead of an array of calls,
    else one whose arguments are enforced only in part.

    Args:
        parameters: The schema of each function's parameters, by its name.
        arguments_key: The key under which a call holds its arguments.
        is_list: Whether several calls are wanted, in an array.
        engines: The server's engines, the one that it uses by default first.
        limit: Seconds that the server may spend on compiling.

    Raises:
        SchemaError: A schema is not JSON schema, or refers to what is not in it.
    """
    return best_of(
        _for_engine(
            {
                name: lower(schema, engine=engine, limit=limit)
                for name, schema in parameters.items()
            },
            arguments_key,
            engine,
            limit,
            is_list=is_list,
        )
        for engine in engines
    )


def _for_engine(
    functions: dict[str, LoweredSchema],
    arguments_key: str,
    engine: SchemaEngine,
    limit: float,
    *,
    is_list: bool,
) -> LoweredCalls:
    relaxed = tuple(f"{name} {one}" for name, low in functions.items() for one in low.relaxed)
    for name, lowered in functions.items():
        if lowered.obstacle is not None:
            return LoweredCalls({}, functions, (name, lowered.obstacle), (), 0.0, engine)
    relaxer = Relaxer(limit, _say_nothing, compiles=engine.compiles)
    candidates = _candidates(functions, arguments_key, limit, is_list=is_list)
    exact = node = next(candidates)
    while relaxer.seconds(node) > limit:
        looser = next(candidates, None)
        if looser is None:
            break
        node = looser
    schema, seconds = write_schema(node, engine, relaxer.seconds(node) if engine.compiles else 0.0)
    return LoweredCalls(
        schema=schema,
        functions=functions,
        obstacle=None,
        relaxed=relaxed,
        seconds=seconds,
        engine=engine,
        is_reduced=node is not exact or any(low.is_reduced for low in functions.values()),
        largest=relaxer.largest(node),
    )


def _candidates(
    functions: Mapping[str, LoweredSchema], arguments_key: str, limit: float, *, is_list: bool
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
