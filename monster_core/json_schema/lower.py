"""Lower any JSON schema to one that an engine takes, and choose the engine: the passes in order.

The lowered schema accepts all that the original accepts, in the form in which the server writes it:
only named properties where there are names, in the schema's order if the engine keeps one; tuples
with all their positions; recursion to a bounded depth; null for an absent property of an object
without required ones, where the engine cannot have it absent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import orjson

from monster_core.json_values import copied, read_json, write_json

from .concretize import Concretizer
from .cost import Costs
from .emit import MAX_DIGITS, emit
from .engines import ENGINES, OUTLINES, SchemaEngine
from .errors import SchemaError
from .ir import Never, Node, has_null_placeholders
from .parse import SchemaParser
from .relax import Relaxer
from .restore import restore_value

if TYPE_CHECKING:
    from .mend_stream import MendingRestorer
    from .restore_stream import StreamRestorer

LIMIT_SECONDS = 5.0
"""Seconds of one core that the server may spend on compiling a schema (see ``cost``)."""

CHEAP_SECONDS = 2.0
"""Seconds below which compiling is not felt: there is no reason to do without it."""

_MAX_READING_SECONDS = 0.2  # that a server may spend on a schema that it only reads

_DEPTHS = (6, 4, 3, 2, 1)  # how often a recursive definition may stand inside itself
_MAX_UNROLLED_SECONDS = 5.0  # deeper recursion is not worth more
_MAX_UNROLLED_READING = 0.02  # likewise, where the server only reads it: some 60,000 characters
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
        engine: What holds an answer to it.
        is_reduced: Whether something is not enforced only because it would cost too much.
        largest: The path of what costs most.
        has_null_placeholders: Whether a guided answer can hold nulls that stand for absence.
    """

    schema: dict[str, Any]
    relaxed: tuple[str, ...]
    obstacle: str | None
    seconds: float
    node: Node = field(repr=False, compare=False)
    engine: SchemaEngine = OUTLINES
    is_reduced: bool = False
    largest: str = "$"
    has_null_placeholders: bool = False

    @property
    def changes_instances(self) -> bool:
        """Whether the text of a guided answer can differ from what the original schema means."""
        return self.has_null_placeholders or not self.engine.writes_json

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

    def restored_text(self, text: str) -> str:
        """Return the text of an answer as the original schema means it, if it is JSON.

        Args:
            text: The whole text.
        """
        if not self.engine.writes_json:
            from .mend_stream import mended

            text = mended(text)
        try:
            return write_json(self.restore(read_json(text)))
        except (ValueError, TypeError):  # not JSON, or nested too deeply
            return text

    def stream_restorer(self) -> StreamRestorer | MendingRestorer:
        """Return what restores the text of an answer while it streams."""
        from .restore_stream import StreamRestorer

        restorer = StreamRestorer(self.node)
        if self.engine.writes_json:
            return restorer
        from .mend_stream import MendingRestorer

        return MendingRestorer(restorer)


def lower(
    schema: Mapping[str, Any] | bool,
    *,
    engine: SchemaEngine = OUTLINES,
    limit: float = LIMIT_SECONDS,
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


def lower_for_best(
    schema: Mapping[str, Any] | bool,
    *,
    engines: Sequence[SchemaEngine] = ENGINES,
    limit: float = LIMIT_SECONDS,
) -> LoweredSchema:
    """Lower a JSON schema for that of a server's engines that serves it best.

    Args:
        schema: A JSON schema of any draft; it is not changed.
        engines: The server's engines, the one that it uses by default first.
        limit: Seconds that the server may spend on compiling.

    Raises:
        SchemaError: It is not JSON schema, or refers to what is not in it.
    """
    return best_of(lower(schema, engine=engine, limit=limit) for engine in engines)


class _Lowered(Protocol):
    """What is lowered for one engine."""

    @property
    def guided(self) -> bool: ...
    @property
    def relaxed(self) -> tuple[str, ...]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def engine(self) -> SchemaEngine: ...
    @property
    def is_reduced(self) -> bool: ...


_L = TypeVar("_L", bound=_Lowered)


def best_of(lowered: Iterable[_L]) -> _L:
    """Return what was lowered for the engine that serves it best.

    An engine that compiles is preferred where that is cheap and no other enforces more, and within
    the limit where it alone enforces something; otherwise the first of the others that can be given
    all of the schema. Where none can, it is the first engine, for which what is too large was given
    up.

    Args:
        lowered: What is lowered for each engine, the one that the server uses by default first; no
            more of them is looked at than needed.
    """
    candidates = iter(lowered)
    first = next(candidates)
    is_exact = first.guided and not first.is_reduced
    is_cheap = is_exact and (first.seconds <= CHEAP_SECONDS or not first.engine.compiles)
    if is_cheap and not first.relaxed:
        return first
    for other in candidates:
        if not other.guided or (other.is_reduced and first.guided):
            continue
        if is_exact and _enforces_more(first, other):
            continue
        if not is_cheap or _enforces_more(other, first):
            return other
    return first


def _enforces_more(one: _Lowered, other: _Lowered) -> bool:
    """Return whether one schema enforces something that another one does not."""
    return not set(other.relaxed) <= set(one.relaxed)


@lru_cache(maxsize=256)
def _compile(source: bytes, engine: SchemaEngine, limit: float) -> LoweredSchema:
    try:
        return _back_end(_unrolled(source, engine, limit), engine, limit)
    except RecursionError:
        raise SchemaError("the schema is nested too deeply") from None


@dataclass(slots=True)
class _Passed:
    """A schema after some passes, and what they have noted."""

    node: Node
    is_recursive: bool = False
    notes: dict[str, None] = field(default_factory=dict)

    def note(self, path: str, sentence: str) -> None:
        self.notes[f"{path}: {sentence}; checked afterwards"] = None


def _front_end(source: bytes, engine: SchemaEngine, depth: int) -> _Passed:
    """Parse a schema, and make its nodes concrete for an engine."""
    parsed = _parsed(source, depth)
    concrete = _Passed(parsed.node, parsed.is_recursive, dict(parsed.notes))
    if not isinstance(parsed.node, Never):
        concrete.node = Concretizer(engine, concrete.note).concretize(parsed.node)
    return concrete


@lru_cache(maxsize=8)  # the next engine begins with the same nodes
def _parsed(source: bytes, depth: int) -> _Passed:
    """Parse a schema, and intersect what it combines; what returns is not changed any more."""
    parsed = _Passed(Never("not parsed yet"))
    parser = SchemaParser(json.loads(source), depth, parsed.note)
    parsed.node, parsed.is_recursive = parser.parse(), parser.is_recursive
    return parsed


def _back_end(concrete: _Passed, engine: SchemaEngine, limit: float) -> LoweredSchema:
    """Relax what the server would compile too long, and write the rest as a schema."""
    node = concrete.node
    if isinstance(node, Never):
        reason = f"nothing can satisfy the schema: {node.reason}"
        return LoweredSchema({}, (), reason, 0, node, engine)
    relaxer = _relaxer(engine, limit, concrete.note)
    exact = node
    node = relaxer.relax(node)
    lowered = LoweredSchema(
        schema={},
        relaxed=tuple(concrete.notes),
        obstacle=None,
        seconds=relaxer.seconds(node) if engine.compiles else 0.0,
        node=node,
        engine=engine,
        is_reduced=node is not exact,
        largest=relaxer.largest(node),
        has_null_placeholders=has_null_placeholders(node),
    )
    if relaxer.seconds(node) > relaxer.limit:
        where = lowered.largest
        obstacle = f"{where}: the schema is too large here for the server to compile in time"
        return replace(lowered, relaxed=(), obstacle=obstacle)
    written, seconds = write_schema(node, engine, lowered.seconds)
    return replace(lowered, schema=_as_sent(written), seconds=seconds)


def write_schema(node: Node, engine: SchemaEngine, seconds: float) -> tuple[dict[str, Any], float]:
    """Write a node for an engine, with bounded digits where the server still compiles it cheaply.

    Args:
        node: The node.
        engine: The engine.
        seconds: How long the server compiles the node as it is.

    Returns:
        The schema, and how long the server compiles it.
    """
    if engine.compiles:
        bounded = Costs(MAX_DIGITS).seconds(node)
        if bounded <= CHEAP_SECONDS:
            return emit(node, engine, bounds_digits=True), bounded
    return emit(node, engine), seconds


def _relaxer(engine: SchemaEngine, limit: float, note: Callable[[str, str], None]) -> Relaxer:
    return Relaxer(
        limit if engine.compiles else _MAX_READING_SECONDS, note, compiles=engine.compiles
    )


def _unrolled(source: bytes, engine: SchemaEngine, limit: float) -> _Passed:
    """Unroll recursion as deeply as the limit allows; other schemas are simply parsed."""
    deepest = _front_end(source, engine, _DEPTHS[0])
    if isinstance(deepest.node, Never):
        deeper = (_front_end(source, engine, depth) for depth in _DEEPER)
        return next((one for one in deeper if not isinstance(one.node, Never)), deepest)
    if not deepest.is_recursive:
        return deepest
    affordable = min(limit, _MAX_UNROLLED_SECONDS) if engine.compiles else _MAX_UNROLLED_READING
    too_large: list[_Passed] = []
    for depth in _DEPTHS:
        one = _front_end(source, engine, depth) if depth < _DEPTHS[0] else deepest
        if isinstance(one.node, Never):
            break
        if depth > 1 and _relaxer(engine, limit, one.note).seconds(one.node) <= affordable:
            return one
        too_large.append(one)
    shallowest = too_large[-2:]
    relaxable = (one for one in shallowest if _relaxer(engine, limit, one.note).can_relax(one.node))
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
