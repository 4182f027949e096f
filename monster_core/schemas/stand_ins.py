"""Tell whether nulls stand in for absent properties anywhere in a shape."""

from __future__ import annotations

from .nodes import Dictionary, Listing, Node, Presence, Record, Row, Union


def has_stand_ins(node: Node) -> bool:
    """Tell whether a null may stand for an absent property anywhere in a shape."""
    match node:
        case Record(fields):
            return any(f.presence is Presence.STAND_IN or has_stand_ins(f.node) for f in fields)
        case Dictionary(values):
            return has_stand_ins(values)
        case Listing(items):
            return has_stand_ins(items)
        case Row(parts) | Union(parts):
            return any(map(has_stand_ins, parts))
    return False
