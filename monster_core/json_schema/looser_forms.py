"""Knows the next looser form of a settled shape, and the sentence that says so.

An object can only be loosened to one of arbitrary names while its values nest no deeper than what
can be told of arbitrary values; beyond that the loose form would forbid what the schema allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .emit import ANYTHING, SCALAR
from .ir import (
    Anything,
    Array,
    Boolean,
    Literal,
    Map,
    Node,
    Null,
    Numeric,
    Object,
    Regex,
    Tuple,
    Union,
    union,
)
from .patterns import any_text
from .traverse import parts_of

_FEW_VALUES = 12  # which tell alternatives apart, and cost next to nothing
_SENTENCES = {
    Object: "the object is too large for the server, which is told only that it is one",
    Map: "the values are too large for the server, which is told only their types",
    Tuple: "the positions are too many for the server, which is told only that there are items",
    Regex: "the pattern is too large for the server",
    Literal: "the listed values are too many for the server",
    Anything: "a value of any type is one without nesting for the server",
    Union: "the alternatives are too many for the server, which is told only their types",
}


def is_scalar(node: Node) -> bool:
    """Tell whether a shape has no looser form at all."""
    return isinstance(node, Null | Boolean | Numeric) or node == any_text()


def loosened(node: Node) -> Node:
    """Return the next looser form of a shape, or the shape itself if there is none."""
    match node:
        case Object():
            free = _free(parts_of(node))
            return node if free is None else Map(free)
        case Map(values):
            loose = loosened(values)
            return node if loose is values else replace(node, values=loose)
        case Array():
            return _listing(node)
        case Tuple(items):
            free = _free(items)
            return node if free is None else Array(free, (), len(items) and 1)
        case Union(options):
            looser = tuple(map(loosened, options))
            changed = any(a is not b for a, b in zip(looser, options, strict=True))
            return union(looser) if changed else node
        case Regex():
            return any_text()
        case Anything():
            return SCALAR
        case Literal(values) if len(values) > _FEW_VALUES:
            return _literal(values)
    return node


def _free(values: Sequence[Node]) -> Node | None:
    """Choose the arbitrary value that covers all these, if there is one."""
    if all(_is_within(value, 0) for value in values):
        return union(_kind(value) for value in values)
    return ANYTHING if all(_is_within(value, 1) for value in values) else None


def _kind(node: Node) -> Node:
    """Return the simple type, or types, of a shape without nesting."""
    match node:
        case Regex():
            return any_text()
        case Literal(values):
            return _literal(values)
        case Union(options):
            return union(map(_kind, options))
    return node


def _is_within(node: Node, depth: int) -> bool:
    """Tell whether the values of a shape nest no deeper than this."""
    if isinstance(node, Anything):
        return depth > 0
    if isinstance(node, Object | Map | Array | Tuple):
        depth -= 1
    return depth >= 0 and all(_is_within(part, depth) for part in parts_of(node))


def _listing(node: Array) -> Node:
    """Let the highest count go first, then the lowest, and only then what the items are."""
    if node.high is not None and node.high > 1:
        return replace(node, high=None)
    if node.low > 1:
        return replace(node, low=1)
    loose = loosened(node.items)
    return node if loose is node.items else replace(node, items=loose)


def _literal(values: tuple[str | int | float, ...]) -> Node:
    numbers = [value for value in values if not isinstance(value, str)]
    kinds: list[Node] = [] if len(numbers) == len(values) else [any_text()]
    return union([*kinds, Numeric()] if numbers else kinds)


def sentence_of(node: Node) -> str:
    """Say what loosening a shape gives up."""
    if not isinstance(node, Array):
        return _SENTENCES[type(node)]
    if node.high is not None and node.high > 1:
        return "the highest number of items is too large for the server"
    if node.low > 1:
        return f"the server is told of the least {node.low} items only as one"
    return "the items are too large for the server, which is told only their types"
