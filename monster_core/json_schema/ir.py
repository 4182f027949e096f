"""The nodes that a JSON schema consists of once it is parsed.

``parse`` makes the nodes. ``concretize`` replaces the abstract ones (``Text``, ``Array`` with a
prefix, ``Object`` with other properties) by those that the server can be given (``Regex``,
``Literal``, ``Tuple``), and ``emit`` writes them as a JSON schema again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias


class Presence(Enum):
    """Whether a property has to stand in an object."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NULL_PLACEHOLDER = "null stands for absence"


@dataclass(frozen=True, slots=True)
class Never:
    """Nothing satisfies it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Anything:
    """Every JSON value satisfies it."""


@dataclass(frozen=True, slots=True)
class Null:
    """Only null."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """True and false, or only one of them."""

    only: bool | None = None


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number, perhaps whole, perhaps within inclusive bounds."""

    whole: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A string with everything the schema asks of it."""

    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    low: int = 0
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Regex:
    """A string whose JSON text, between the quotation marks, matches a regular expression."""

    source: str
    states: int
    wide: int = 0  # states that many characters lead out of


@dataclass(frozen=True, slots=True)
class Literal:
    """One of these strings and numbers."""

    values: tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """An array: leading positions with a node of their own, then items of one node."""

    items: Node
    prefix: tuple[Node, ...] = ()
    low: int = 0
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Tuple:
    """An array of exactly these positions."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A named property of an object."""

    name: str
    node: Node
    presence: Presence


@dataclass(frozen=True, slots=True)
class Object:
    """An object with named properties, and the node of every other property."""

    fields: tuple[Field, ...]
    rest: Node
    low: int = 0


@dataclass(frozen=True, slots=True)
class Map:
    """An object of arbitrary names and values of one node."""

    values: Node
    low: int = 0


@dataclass(frozen=True, slots=True)
class Union:
    """One of several nodes."""

    options: tuple[Node, ...]


Node: TypeAlias = (
    Never
    | Anything
    | Null
    | Boolean
    | Numeric
    | Text
    | Regex
    | Literal
    | Array
    | Tuple
    | Object
    | Map
    | Union
)


def union(options: Iterable[Node]) -> Node:
    """Join nodes: flattened, without repeats, and without those that nothing satisfies."""
    kept: list[Node] = []
    refused: Never | None = None
    for option in options:
        for part in option.options if isinstance(option, Union) else (option,):
            if isinstance(part, Anything):
                return part
            if isinstance(part, Never):
                refused = refused or part
            elif part not in kept:
                kept.append(part)
    if not kept:
        return refused or Never("none of the alternatives can be satisfied")
    return kept[0] if len(kept) == 1 else Union(tuple(kept))


def object_of(fields: Iterable[Field], rest: Node, low: int = 0) -> Node:
    """Build an object; it loses impossible optional properties, and a required one rules it out."""
    kept: list[Field] = []
    for field in fields:
        if not isinstance(field.node, Never):
            kept.append(field)
        elif field.presence is Presence.REQUIRED:
            return _impossible(field.name, field.node)
        elif not isinstance(rest, Never):
            # the name stays, so that ``rest`` does not allow it again
            kept.append(field)
    if low > 0 and not kept and isinstance(rest, Never):
        return Never("an object must have properties, yet none is allowed")
    return Object(tuple(kept), rest, low)


def _impossible(name: str, node: Never) -> Never:
    if node.reason.startswith("the required"):  # the innermost one says it
        return node
    return Never(f"the required property {name!r} is impossible: {node.reason}")


def array_of(
    items: Node, prefix: Iterable[Node] = (), low: int = 0, high: int | None = None
) -> Node:
    """Build an array, cut where a position or the items are impossible."""
    positions = tuple(prefix)
    for index, node in enumerate(positions):
        if isinstance(node, Never):
            positions, high = positions[:index], index if high is None else min(high, index)
            break
    if isinstance(items, Never):
        high = len(positions) if high is None else min(high, len(positions))
    if high is not None and high < low:
        reason = items.reason if isinstance(items, Never) else f"at most {high} items"
        return Never(f"an array of at least {low} items is impossible: {reason}")
    return Array(items, positions, low, high)


def alternatives(node: Node) -> tuple[Node, ...]:
    """List the options of a union, or the node itself."""
    return node.options if isinstance(node, Union) else (node,)


def is_empty_array(node: Node) -> bool:
    """Return whether only an array without items satisfies a concrete node."""
    return node == Tuple(()) or (isinstance(node, Array) and node.high == 0)


def admits_null(node: Node) -> bool:
    """Return whether null satisfies a concrete node."""
    if isinstance(node, Union):
        return any(isinstance(option, Null) for option in node.options)
    return isinstance(node, Null | Anything)


def copies_of_items(node: Array) -> int:
    """Return how many items of an array an automaton counts.

    Args:
        node: The array.
    """
    return 0 if node.high == 0 else max(node.low, node.high or 0, 1)


def parts_of(node: Node) -> tuple[Node, ...]:
    """List the nodes directly inside a concrete node."""
    match node:
        case Object(fields):
            return tuple(field.node for field in fields)
        case Union(parts) | Tuple(parts):
            return parts
        case Array(inner) | Map(inner):
            return (inner,)
    return ()


def with_parts(node: Node, parts: Sequence[Node]) -> Node:
    """Put other nodes in the places that ``parts_of`` lists."""
    match node:
        case Object(fields):
            pairs = zip(fields, parts, strict=True)
            return replace(node, fields=tuple(replace(f, node=part) for f, part in pairs))
        case Union():
            return union(parts)
        case Tuple():
            return Tuple(tuple(parts))
        case Array():
            return replace(node, items=parts[0])
        case Map():
            return replace(node, values=parts[0])
    return node


def paths_of(node: Node, path: str) -> tuple[str, ...]:
    """Name the places that ``parts_of`` lists, in JSON path notation."""
    match node:
        case Object(fields):
            return tuple(f"{path}.{field.name}" for field in fields)
        case Tuple(items):
            return tuple(f"{path}[{index}]" for index in range(len(items)))
        case Array():
            return (f"{path}[*]",)
        case Map():
            return (f"{path}.*",)
    return (path,) * len(parts_of(node))


def nodes_of(node: Node) -> Iterator[Node]:
    """Walk through a concrete node and everything inside it, each node once."""
    seen: set[int] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            pending += parts_of(part)


def has_null_placeholders(node: Node) -> bool:
    """Return whether a null may stand for an absent property anywhere in a node."""
    return any(
        field.presence is Presence.NULL_PLACEHOLDER
        for part in nodes_of(node)
        if isinstance(part, Object)
        for field in part.fields
    )
