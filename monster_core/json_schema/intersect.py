"""Intersect two nodes: what satisfies the result satisfies both (``allOf``, sibling keywords)."""

from __future__ import annotations

from .ir import (
    Anything,
    Array,
    Boolean,
    Field,
    Literal,
    Never,
    Node,
    Null,
    Numeric,
    Object,
    Presence,
    Text,
    Union,
    alternatives,
    array_of,
    object_of,
    union,
)

_KINDS = {
    Null: "null",
    Boolean: "a boolean",
    Numeric: "a number",
    Text: "a string",
    Array: "an array",
    Object: "an object",
}


class Intersector:
    """Intersect nodes; two that have been intersected before give the same node again.

    A definition that many places refer to is one node, and stays one this way: the passes that
    follow look at it once.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Node, Node, Node]] = {}

    def intersect(self, left: Node, right: Node) -> Node:
        """Intersect two nodes; where they contradict each other the result is ``Never``."""
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Anything):
                return other
            if isinstance(one, Never):
                return one
        key = id(left), id(right)
        known = self._known.get(key)
        if known is None:  # both are kept, so that their identities stay theirs
            known = self._known[key] = left, right, self._composed(left, right)
        return known[2]

    def _composed(self, left: Node, right: Node) -> Node:
        if isinstance(left, Union) or isinstance(right, Union):
            pairs = ((a, b) for a in alternatives(left) for b in alternatives(right))
            return union(self.intersect(a, b) for a, b in pairs)
        if isinstance(left, Literal):
            return _filter(left, right)
        if isinstance(right, Literal):
            return _filter(right, left)
        return self._of_one_kind(left, right)

    def _of_one_kind(self, left: Node, right: Node) -> Node:
        match left, right:
            case Object(), Object():
                return self._objects(left, right)
            case Array(), Array():
                return self._arrays(left, right)
            case Text(), Text():
                return _texts(left, right)
            case Numeric(), Numeric():
                return _numbers(left, right)
            case Boolean(), Boolean() if left.only is None or right.only in (None, left.only):
                return right if left.only is None else left
            case Null(), Null():
                return left
        first, second = (_KINDS.get(type(node), "a value") for node in (left, right))
        if first == second:
            return Never(f"two demands on {first} exclude each other")
        return Never(f"no value is both {first} and {second}")

    def _objects(self, left: Object, right: Object) -> Node:
        mine = {field.name: field for field in left.fields}
        theirs = {field.name: field for field in right.fields}
        fields = []
        for name in mine | theirs:
            one, other = mine.get(name), theirs.get(name)
            node = self.intersect(
                one.node if one else left.rest, other.node if other else right.rest
            )
            needed = any(f is not None and f.presence is Presence.REQUIRED for f in (one, other))
            fields.append(Field(name, node, Presence.REQUIRED if needed else Presence.OPTIONAL))
        rest = self.intersect(left.rest, right.rest)
        return object_of(fields, rest, max(left.low, right.low))

    def _arrays(self, left: Array, right: Array) -> Node:
        length = max(len(left.prefix), len(right.prefix))
        prefix = [self.intersect(_position(left, i), _position(right, i)) for i in range(length)]
        low, high = max(left.low, right.low), _smaller(left.high, right.high)
        items = self.intersect(left.items, right.items)
        return array_of(items, prefix, low, None if high is None else int(high))


def _position(node: Array, index: int) -> Node:
    return node.prefix[index] if index < len(node.prefix) else node.items


def _filter(literal: Literal, other: Node) -> Node:
    values = tuple(value for value in literal.values if _admits(other, value))
    return Literal(values) if values else Never("none of the listed values is allowed")


def _admits(node: Node, value: str | int | float) -> bool:
    if isinstance(node, Literal):
        return value in node.values
    if isinstance(value, str):
        return isinstance(node, Text)
    if not isinstance(node, Numeric) or (node.whole and value != int(value)):
        return False
    return (node.low is None or value >= node.low) and (node.high is None or value <= node.high)


def _texts(left: Text, right: Text) -> Node:
    low, high = max(left.low, right.low), _smaller(left.high, right.high)
    if high is not None and high < low:
        return Never(f"no string is at least {low} and at most {high} characters long")
    patterns = tuple(dict.fromkeys(left.patterns + right.patterns))
    formats = tuple(dict.fromkeys(left.formats + right.formats))
    return Text(patterns, formats, low, None if high is None else int(high))


def _numbers(left: Numeric, right: Numeric) -> Node:
    lows = [low for low in (left.low, right.low) if low is not None]
    low, high = max(lows, default=None), _smaller(left.high, right.high)
    if low is not None and high is not None and high < low:
        return Never(f"no number is at least {low} and at most {high}")
    return Numeric(left.whole or right.whole, low, high)


def _smaller(left: float | None, right: float | None) -> float | None:
    return min((bound for bound in (left, right) if bound is not None), default=None)


def without(node: Node, excluded: Node) -> Node:
    """Return a node without the objects that a condition on one property already covers.

    Only the condition that discriminates unions is known: a property with listed values. For any
    other the node is returned as it is, which is looser and never wrong.
    """
    if isinstance(node, Union):
        return union(without(option, excluded) for option in node.options)
    if not isinstance(node, Object) or not isinstance(excluded, Object):
        return node
    if len(excluded.fields) != 1 or not isinstance(excluded.fields[0].node, Literal):
        return node
    named = excluded.fields[0]
    return object_of((_minus(f, named) for f in node.fields), node.rest, node.low)


def _minus(field: Field, named: Field) -> Field:
    if field.name != named.name or not isinstance(named.node, Literal):
        return field
    if not isinstance(field.node, Literal):
        return field
    left = tuple(value for value in field.node.values if value not in named.node.values)
    node = Literal(left) if left else Never("the condition leaves no value")
    return Field(field.name, node, field.presence)
