"""Drop from an answer the nulls that lowering its schema put in the place of absent properties."""

from __future__ import annotations

from typing import Any

from .ir import (
    Anything,
    Array,
    Boolean,
    Field,
    Literal,
    Map,
    Node,
    Null,
    Numeric,
    Object,
    Presence,
    Regex,
    Text,
    Tuple,
    Union,
    admits_null,
    is_empty_array,
)


def restore_value(value: Any, node: Node) -> Any:
    """Return a value without the nulls that only stand for an absent property."""
    match node, value:
        case Object(fields), dict():
            nodes = {field.name: field for field in fields}
            return {
                name: restore_value(item, nodes[name].node) if name in nodes else item
                for name, item in value.items()
                if item is not None or name not in nodes or not _is_absent(nodes[name])
            }
        case Map(values), dict():
            return {name: restore_value(item, values) for name, item in value.items()}
        case Array() | Tuple(), [None] if is_empty_array(node):
            return []
        case Array(items), list():
            return [restore_value(item, items) for item in value]
        case Tuple(items), list() if len(items) == len(value):
            return [restore_value(item, node) for item, node in zip(value, items, strict=True)]
        case Union(options), dict() | list():
            chosen = next((option for option in options if fits(value, option)), None)
            return value if chosen is None else restore_value(value, chosen)
    return value


def _is_absent(field: Field) -> bool:
    """Return whether a null can only mean that the property is not there."""
    if field.presence is Presence.OPTIONAL:
        return not admits_null(field.node)
    return field.presence is Presence.NULL_PLACEHOLDER


def fits(value: Any, node: Node) -> bool:
    """Return whether a value satisfies a concrete node, apart from the text of its strings."""
    match node:
        case Anything():
            return True
        case Null():
            return value is None
        case Boolean():
            return isinstance(value, bool)
        case Regex() | Text():
            return isinstance(value, str)
        case Numeric(whole):
            return _is_number(value) and (not whole or value == int(value))
        case Literal(values):
            return not isinstance(value, bool) and value in values
        case Union(options):
            return any(fits(value, option) for option in options)
    return _holds(value, node)


def _holds(value: Any, node: Node) -> bool:
    match node, value:
        case Array() | Tuple(), [None] if is_empty_array(node):
            return True
        case Array(items), list():
            return all(fits(item, items) for item in value)
        case Tuple(items), list():
            return len(items) == len(value) and all(map(fits, value, items))
        case Map(values), dict():
            return all(fits(item, values) for item in value.values())
        case Object(fields), dict():
            nodes = {field.name: field for field in fields}
            return (
                value.keys() <= nodes.keys()
                and all(
                    fits(item, nodes[name].node) or (item is None and _is_absent(nodes[name]))
                    for name, item in value.items()
                )
                and all(f.name in value or f.presence is not Presence.REQUIRED for f in fields)
            )
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
