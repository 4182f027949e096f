"""Write concrete nodes as the JSON schema that is sent: few keywords, with one meaning each."""

from __future__ import annotations

import json
from typing import Any

from .ir import (
    Anything,
    Array,
    Boolean,
    Literal,
    Map,
    Never,
    Node,
    Null,
    Numeric,
    Object,
    Presence,
    Regex,
    Tuple,
    Union,
)
from .patterns import any_text

KEYWORDS = frozenset(
    {
        "additionalProperties",
        "anyOf",
        "enum",
        "items",
        "maxItems",
        "maxProperties",
        "minItems",
        "minProperties",
        "pattern",
        "prefixItems",
        "properties",
        "required",
        "type",
    }
)
"""The keywords a lowered schema may contain."""

_GROUP_SIZE = 16  # listed values; more than twice as many compile faster in groups

SCALAR = Union((any_text(), Numeric(), Boolean(), Null()))
ANYTHING = Union((*SCALAR.options, Map(SCALAR), Array(SCALAR)))
"""What is sent for an unrestricted value: the server's own notion of one is not JSON."""


def encoded(text: str) -> str:
    """Write a string as it stands between the quotation marks of a JSON text.

    The server pastes names and listed values into its regular expression as they are.
    """
    return json.dumps(text, ensure_ascii=False)[1:-1]


def emit(node: Node) -> dict[str, Any]:
    """Write a concrete node as a JSON schema."""
    match node:
        case Anything():
            return emit(ANYTHING)
        case Union(options):
            return {"anyOf": [emit(option) for option in options]}
        case Array() | Tuple():
            return _array(node)
        case Object() | Map():
            return _object(node)
    return _scalar(node)


def _scalar(node: Node) -> dict[str, Any]:
    match node:
        case Regex(source):
            # the server stumbles over an empty pattern
            return {"type": "string", "pattern": source} if source else {"enum": [""]}
        case Numeric(whole):
            return {"type": "integer" if whole else "number"}
        case Literal(values):
            return _literal(values)
    return {"type": "null" if isinstance(node, Null) else "boolean"}


def _literal(values: tuple[str | int | float, ...]) -> dict[str, Any]:
    written = [encoded(value) if isinstance(value, str) else value for value in values]
    if len(written) <= 2 * _GROUP_SIZE:
        return {"enum": written}
    starts = range(0, len(written), _GROUP_SIZE)
    return {"anyOf": [{"enum": written[start : start + _GROUP_SIZE]} for start in starts]}


def _array(node: Array | Tuple) -> dict[str, Any]:
    if isinstance(node, Tuple) and node.items:
        bounds = {"minItems": len(node.items), "maxItems": len(node.items)}
        return {"type": "array", "prefixItems": [emit(item) for item in node.items], **bounds}
    if isinstance(node, Tuple) or node.high == 0:
        return {"type": "array", "maxItems": 0}
    least = {"minItems": node.low} if node.low else {}
    most = {} if node.high is None else {"maxItems": node.high}
    return {"type": "array", "items": emit(node.items), **least, **most}


def _object(node: Object | Map) -> dict[str, Any]:
    if isinstance(node, Object):
        return _named_object(node)
    if isinstance(node.values, Never):
        return {"type": "object", "maxProperties": 0}
    least = {"minProperties": node.low} if node.low else {}
    return {"type": "object", "additionalProperties": emit(node.values), **least}


def _named_object(node: Object) -> dict[str, Any]:
    names = {field.name: encoded(field.name) for field in node.fields}
    return {
        "type": "object",
        "properties": {names[field.name]: emit(field.node) for field in node.fields},
        "required": [
            names[field.name] for field in node.fields if field.presence is not Presence.OPTIONAL
        ],
    }
