"""Tell whether nulls stand in for absent properties anywhere in a shape."""

from __future__ import annotations

from .ir import Array, Map, Node, Object, Presence, Tuple, Union


def has_stand_ins(node: Node) -> bool:
    """Tell whether a null may stand for an absent property anywhere in a shape."""
    match node:
        case Object(fields):
            return any(f.presence is Presence.STAND_IN or has_stand_ins(f.node) for f in fields)
        case Map(values):
            return has_stand_ins(values)
        case Array(items):
            return has_stand_ins(items)
        case Tuple(parts) | Union(parts):
            return any(map(has_stand_ins, parts))
    return False
