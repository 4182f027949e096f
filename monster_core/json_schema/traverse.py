"""Takes shapes apart and puts them together again, whatever they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .ir import Array, Map, Node, Object, Tuple, Union, union


def parts_of(node: Node) -> tuple[Node, ...]:
    """List the shapes directly inside a settled shape."""
    match node:
        case Object(fields):
            return tuple(field.node for field in fields)
        case Union(parts) | Tuple(parts):
            return parts
        case Array(inner) | Map(inner):
            return (inner,)
    return ()


def with_parts(node: Node, parts: Sequence[Node]) -> Node:
    """Put other shapes in the places that ``parts_of`` lists."""
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
