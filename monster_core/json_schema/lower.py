"""Run the passes that turn any JSON schema into one that a vLLM 0.5 server compiles in time.

What the original allows, the lowered one allows, in the form the server writes it: properties in
the schema's order and only named ones where there are names, tuples with all their positions,
recursion to a bounded depth, an absent property of an object without required ones as null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from .concretize import Concretizer
from .emit import emit
from .errors import SchemaError
from .ir import Never, Node, has_null_placeholders
from .parse import SchemaParser
from .relax import TOLERANCE, Relaxer
from .restore import restore_value

if TYPE_CHECKING:
    from .restore_stream import StreamRestorer

LIMIT = 1.2
"""Seconds of one core that the server may spend on compiling, by the estimate."""

_DEPTHS = (6, 4, 3, 2)  # how often a recursive definition may stand inside itself, deepest first
_SHALLOW = (2, 1)  # what is tried, with relaxing, when all of those are too large
_DEEPER = (9, 14, 20)  # for definitions that cannot end earlier


@dataclass(frozen=True, slots=True)
class LoweredSchema:
    """What becomes of a schema.

    Attributes:
        schema: The schema to send as ``guided_json``; empty when the answer cannot be guided.
        relaxed: One sentence, with its path, for everything the server will not enforce.
        obstacle: Why the answer cannot be guided at all, or None.
        seconds: How long the server is expected to compile.
    """

    schema: dict[str, Any]
    relaxed: tuple[str, ...]
    obstacle: str | None
    seconds: float
    node: Node = field(repr=False, compare=False)

    @property
    def guided(self) -> bool:
        """Whether there is a schema to send."""
        return self.obstacle is None

    @property
    def changes_instances(self) -> bool:
        """Whether an answer can differ from what the original schema describes."""
        return has_null_placeholders(self.node)

    def stream_restorer(self) -> StreamRestorer:
        """Return what restores the text of an answer while it streams."""
        from .restore_stream import StreamRestorer

        return StreamRestorer(self.node)

    def restore(self, answer: Any) -> Any:
        """Undo in an answer what lowering changed about the representation of values.

        Args:
            answer: The parsed answer; it is not changed.

        Returns:
            The answer without the nulls that only stand for an absent property.
        """
        return restore_value(answer, self.node)


def lower(schema: Mapping[str, Any] | bool, *, limit: float = LIMIT) -> LoweredSchema:
    """Lower a JSON schema to what the server can enforce, and say what that relaxes.

    Args:
        schema: A JSON schema of any draft; it is not changed.
        limit: Seconds that the server may spend on compiling.

    Raises:
        SchemaError: It is not JSON schema, or refers to what is not in it.
    """
    lowered = _lowered(canonical(schema), limit)
    try:
        return replace(lowered, schema=orjson.loads(orjson.dumps(lowered.schema)))
    except TypeError as error:
        raise SchemaError(f"the schema holds a value that no request can carry: {error}") from None


def restore(answer: Any, schema: Mapping[str, Any] | bool) -> Any:
    """Undo in an answer what lowering its schema changed about the representation of values.

    Args:
        answer: The parsed answer; it is not changed.
        schema: The original schema.
    """
    return lower(schema).restore(answer)


def canonical(schema: Any) -> bytes:
    """Write a schema as JSON, the key under which its results are kept.

    Raises:
        SchemaError: It holds something that is not JSON.
    """
    try:
        return orjson.dumps(schema)
    except TypeError:  # among others: whole numbers beyond 64 bits, mappings that are no dict
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


@lru_cache(maxsize=256)
def _lowered(source: bytes, limit: float) -> LoweredSchema:
    try:
        document = json.loads(source)
        notes, node = _concrete(document, _DEPTHS[0])
        if isinstance(node, Never):
            return _endless(document, limit, node)
        if not notes.recursive:
            return _fitted(notes, node, limit)
        return _unrolled(document, limit)
    except RecursionError:
        raise SchemaError("the schema is nested too deeply") from None


def _endless(document: Any, limit: float, refused: Never) -> LoweredSchema:
    """Unroll recursion further: what seems impossible may only end later."""
    for depth in _DEEPER:
        notes, node = _concrete(document, depth)
        if not isinstance(node, Never):
            return _fitted(notes, node, limit)
    reason = f"nothing can satisfy the schema: {refused.reason}"
    return LoweredSchema({}, (), reason, 0, refused)


def _unrolled(document: Any, limit: float) -> LoweredSchema:
    """Unroll recursion as deeply as the limit allows, and relax only what is left then."""
    for depth in _DEPTHS:
        notes, node = _concrete(document, depth)
        if isinstance(node, Never):
            break
        if Relaxer(limit, notes.add).seconds(node) <= limit:
            return _fitted(notes, node, limit)
    results = []
    for depth in _SHALLOW:
        notes, node = _concrete(document, depth)
        if not isinstance(node, Never):
            results.append(_fitted(notes, node, limit))
            if results[-1].guided:
                break
    return results[-1] if results else _fitted(*_concrete(document, _DEPTHS[0]), limit)


def _fitted(notes: _Notes, node: Node, limit: float) -> LoweredSchema:
    fitter = Relaxer(limit, notes.add)
    smaller = fitter.relax(node)
    seconds = fitter.seconds(smaller)
    if seconds > TOLERANCE * limit:
        where = fitter.largest(smaller)
        reason = f"{where}: the schema is too large here for the server to compile in time"
        return LoweredSchema({}, (), reason, seconds, node)
    return LoweredSchema(emit(smaller), notes.sentences, None, seconds, smaller)


def _concrete(document: Any, depth: int) -> tuple[_Notes, Node]:
    notes = _Notes()
    parser = SchemaParser(document, depth, notes.add)
    node = parser.parse()
    if not isinstance(node, Never):
        node = Concretizer(notes.add).concretize(node)
    notes.recursive = parser.recursive
    return notes, node


class _Notes:
    def __init__(self) -> None:
        self._kept: dict[str, None] = {}
        self.recursive = False

    def add(self, path: str, sentence: str) -> None:
        self._kept[f"{path}: {sentence}; checked afterwards"] = None

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(self._kept)
