"""Lower any JSON schema to one that a vLLM 0.5 server compiles in time: the passes in their order.

The lowered schema accepts all that the original accepts, in the form in which the server writes it:
properties in the schema's order, and only named ones where there are names; tuples with all their
positions; recursion to a bounded depth; null for an absent property of an object without required
ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from monster_core.json_values import copied

from .concretize import Concretizer
from .emit import emit
from .engines import OUTLINES, SchemaEngine
from .errors import SchemaError
from .ir import Never, Node, has_null_placeholders
from .parse import SchemaParser
from .relax import Relaxer
from .restore import restore_value

if TYPE_CHECKING:
    from .restore_stream import StreamRestorer

LIMIT = 25.0
"""Seconds of one core that the server may spend on compiling (see ``cost``)."""

_DEPTHS = (6, 4, 3, 2, 1)  # how often a recursive definition may stand inside itself
_MAX_UNROLLED_SECONDS = 5.0  # deeper recursion is not worth more
_DEEPER = (9, 14, 20)  # where nothing satisfies it at the first of those: it may only end later


@dataclass(frozen=True, slots=True)
class LoweredSchema:
    """What becomes of a schema, and how an answer is restored to what the original means.

    Attributes:
        schema: The schema to send as ``guided_json``; empty when the answer cannot be guided.
        relaxed: One sentence, with its path, for everything the server will not enforce.
        obstacle: Why the answer cannot be guided at all, or None.
        seconds: How long the server is expected to compile.
        node: The schema that is sent, as a node.
        changes_instances: Whether a guided answer can hold nulls that stand for absence.
    """

    schema: dict[str, Any]
    relaxed: tuple[str, ...]
    obstacle: str | None
    seconds: float
    node: Node = field(repr=False, compare=False)
    changes_instances: bool = False

    @property
    def guided(self) -> bool:
        """Whether there is a schema to send."""
        return self.obstacle is None

    def restore(self, answer: Any) -> Any:
        """Return an answer without the nulls that only stand for an absent property.

        Args:
            answer: The parsed answer; it is not changed.
        """
        return restore_value(answer, self.node)

    def stream_restorer(self) -> StreamRestorer:
        """Return what restores the text of an answer while it streams."""
        from .restore_stream import StreamRestorer

        return StreamRestorer(self.node)


def lower(
    schema: Mapping[str, Any] | bool, *, engine: SchemaEngine = OUTLINES, limit: float = LIMIT
) -> LoweredSchema:
    """Lower a JSON schema to what the server can enforce, and say what it will not enforce.

    A schema is lowered once: the results for the last 256 schemas are kept.

    Args:
        schema: A JSON schema of any draft; it is not changed.
        engine: What enforces it on the server.
        limit: Seconds that the server may spend on compiling.

    Raises:
        SchemaError: It is not JSON schema, or refers to what is not in it.
    """
    lowered = _compile(canonical(schema), engine, limit)
    return replace(lowered, schema=copied(lowered.schema))


@lru_cache(maxsize=256)
def _compile(source: bytes, engine: SchemaEngine, limit: float) -> LoweredSchema:
    try:
        document = json.loads(source)
        return _back_end(_unrolled(document, engine, limit), limit)
    except RecursionError:
        raise SchemaError("the schema is nested too deeply") from None


@dataclass(slots=True)
class _Concrete:
    """A schema after the front end, and what the passes have noted."""

    node: Node = field(init=False)
    is_recursive: bool = False
    notes: dict[str, None] = field(default_factory=dict)

    def note(self, path: str, sentence: str) -> None:
        self.notes[f"{path}: {sentence}; checked afterwards"] = None


def _front_end(document: Any, engine: SchemaEngine, depth: int) -> _Concrete:
    """Parse a schema (which intersects what it combines), and make its nodes concrete."""
    concrete = _Concrete()
    parser = SchemaParser(document, depth, concrete.note)
    node = parser.parse()
    concrete.is_recursive = parser.is_recursive
    if not isinstance(node, Never):
        node = Concretizer(engine, concrete.note).concretize(node)
    concrete.node = node
    return concrete


def _back_end(concrete: _Concrete, limit: float) -> LoweredSchema:
    """Relax what the server would compile too long, and write the rest as a schema."""
    node = concrete.node
    if isinstance(node, Never):
        return LoweredSchema({}, (), f"nothing can satisfy the schema: {node.reason}", 0, node)
    relaxer = Relaxer(limit, concrete.note)
    node = relaxer.relax(node)
    seconds = relaxer.seconds(node)
    if seconds > limit:
        where = relaxer.largest(node)
        obstacle = f"{where}: the schema is too large here for the server to compile in time"
        return LoweredSchema({}, (), obstacle, seconds, node, has_null_placeholders(node))
    sent = _as_sent(emit(node))
    relaxed = tuple(concrete.notes)
    return LoweredSchema(sent, relaxed, None, seconds, node, has_null_placeholders(node))


def _unrolled(document: Any, engine: SchemaEngine, limit: float) -> _Concrete:
    """Unroll recursion as deeply as the limit allows; other schemas are simply parsed."""
    deepest = _front_end(document, engine, _DEPTHS[0])
    if isinstance(deepest.node, Never):
        deeper = (_front_end(document, engine, depth) for depth in _DEEPER)
        return next((one for one in deeper if not isinstance(one.node, Never)), deepest)
    if not deepest.is_recursive:
        return deepest
    affordable = min(limit, _MAX_UNROLLED_SECONDS)
    too_large: list[_Concrete] = []
    for depth in _DEPTHS:
        one = _front_end(document, engine, depth) if depth < _DEPTHS[0] else deepest
        if isinstance(one.node, Never):
            break
        if depth > 1 and Relaxer(limit, one.note).seconds(one.node) <= affordable:
            return one
        too_large.append(one)
    shallowest = too_large[-2:]
    relaxable = (one for one in shallowest if Relaxer(limit, one.note).can_relax(one.node))
    return next(relaxable, shallowest[-1])


def canonical(schema: Any) -> bytes:
    """Write a schema as JSON, the key under which its results are kept.

    Raises:
        SchemaError: It holds something that is not JSON.
    """
    try:
        return orjson.dumps(schema)
    except TypeError:  # among others: integers beyond 64 bits, mappings that are not a dict
        pass
    try:
        return json.dumps(schema, default=_plain, ensure_ascii=False).encode()
    except RecursionError:
        raise SchemaError("the schema is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise SchemaError(f"the schema is not JSON: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _as_sent(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        sent: dict[str, Any] = orjson.loads(orjson.dumps(schema))
    except TypeError as error:
        raise SchemaError(f"the schema holds a value that no request can carry: {error}") from None
    return sent
