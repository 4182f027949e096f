"""Parse a JSON schema of any draft into nodes, and note what of it has none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeGuard

from .errors import SchemaError
from .intersect import Intersector, without
from .ir import (
    Anything,
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
    alternatives,
    array_of,
    object_of,
    union,
)
from .references import References, reference

_MAX_ALTERNATIVES = 48  # alternatives; beyond them siblings are no longer multiplied out
_NOT_ENFORCED = {
    "not": "'not' is not enforced by the server",
    "propertyNames": "'propertyNames' is not enforced by the server",
    "contains": "'contains' is not enforced by the server",
    "multipleOf": "'multipleOf' is not enforced by the server",
    "unevaluatedItems": "'unevaluatedItems' is not enforced by the server",
    "maxProperties": "'maxProperties' is not enforced by the server",
}


class SchemaParser:
    """Parse one document.

    Args:
        document: The whole schema.
        depth: How often a recursive definition may stand inside itself.
        note: Called with a path and a sentence for everything that the server will not enforce.
    """

    def __init__(self, document: Any, depth: int, note: Callable[[str, str], None]) -> None:
        self._document = document
        self._depth = depth
        self._note = note
        self._active: list[int] = [id(document)]
        self._known: dict[tuple[int, int], Node] = {}
        self._intersect = Intersector().intersect
        self.is_recursive = False

    @cached_property
    def _references(self) -> References:
        return References(self._document)

    def parse(self) -> Node:
        """Parse the whole document."""
        return self._parse(self._document, "$")

    def _parse(self, schema: Any, path: str) -> Node:
        return self._narrow(Anything(), schema, path)

    def _narrow(self, node: Node, schema: Any, path: str) -> Node:
        """Intersect a node with a schema, keyword by keyword."""
        if isinstance(schema, bool):
            return node if schema else Never(f"the schema at {path} is false")
        if not isinstance(schema, dict):
            raise SchemaError(f"{type(schema).__name__} is neither an object nor a boolean", path)
        bare = node
        node = self._both(node, self._own(schema, path), path)
        if reference(schema) is not None:
            node = self._both(node, self._referred(schema, path), path)
        for part in _schemas(schema, "allOf", path):
            node = self._narrow(node, part, path)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                node = self._choose(node, _schemas(schema, keyword, path), path)
        node = self._conditional(node, schema, path)
        node = self._dependent(node, schema, path)
        return (
            union((node, self._intersect(bare, Null()))) if schema.get("nullable") is True else node
        )

    def _both(self, left: Node, right: Node, path: str) -> Node:
        if len(alternatives(left)) * len(alternatives(right)) > _MAX_ALTERNATIVES:
            self._note(path, "some combinations of alternatives are not enforced by the server")
            return left
        return self._intersect(left, right)

    def _choose(self, node: Node, parts: list[Any], path: str) -> Node:
        if len(parts) * len(alternatives(node)) > _MAX_ALTERNATIVES and not isinstance(
            node, Anything
        ):
            self._note(path, "some combinations of alternatives are not enforced by the server")
            return node
        return union([self._narrow(node, part, path) for part in parts])

    def _referred(self, schema: Mapping[str, Any], path: str) -> Node:
        target = self._references.resolve(schema, path)
        group = self._references.recursive_group(target)
        level = sum(key in group for key in self._active)
        self.is_recursive = self.is_recursive or bool(group)
        if group and level >= self._depth:
            return Never(f"the schema at {path} ({reference(schema)}) contains itself without end")
        known = self._known.get((id(target), level))
        if known is None:
            self._active.append(id(target))
            known = self._known[id(target), level] = self._parse(target, path)
            self._active.pop()
        return known

    def _conditional(self, node: Node, schema: Mapping[str, Any], path: str) -> Node:
        if "if" not in schema or ("then" not in schema and "else" not in schema):
            return node
        condition = self._parse(schema["if"], path)
        chosen = self._narrow(self._intersect(node, condition), schema.get("then", True), path)
        other = self._narrow(without(node, condition), schema.get("else", True), path)
        self._note(path, "'if' is enforced by the server only as an alternative")
        options = (*alternatives(chosen), *alternatives(other))
        return union(options) if len(options) <= _MAX_ALTERNATIVES else node

    def _dependent(self, node: Node, schema: Mapping[str, Any], path: str) -> Node:
        """Split on every property whose presence asks for more."""
        for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
            for name, demand in _entries(schema, keyword, path):
                if isinstance(demand, list):
                    demand = {"required": demand}
                present = Object((Field(name, Anything(), Presence.REQUIRED),), Anything())
                absent = Object((Field(name, Never("absent"), Presence.OPTIONAL),), Anything())
                bound = self._both(self._narrow(node, demand, path), present, path)
                node = union((bound, self._both(node, absent, path)))
        return node

    def _own(self, schema: Mapping[str, Any], path: str) -> Node:
        """Parse the keywords of the schema itself: values, types and what they imply."""
        for keyword, sentence in _NOT_ENFORCED.items():
            if keyword in schema:
                self._note(path, sentence)
        if schema.get("uniqueItems") is True:
            self._note(path, "'uniqueItems' is not enforced by the server")
        types = _types(schema, path)
        nodes = [self._of_type(name, schema, path) for name in types or implied_types(schema)]
        node = union(nodes) if nodes else Anything()
        if "const" in schema:
            node = self._intersect(node, _value(schema["const"]))
        if isinstance(schema.get("enum"), list):
            node = self._intersect(node, union(_values(schema["enum"])))
        return node

    def _of_type(self, name: str, schema: Mapping[str, Any], path: str) -> Node:
        match name:
            case "object":
                return self._object(schema, path)
            case "array":
                return self._array(schema, path)
            case "string":
                return text(schema)
            case "boolean":
                return Boolean()
            case "null":
                return Null()
        return numeric(schema, whole=name == "integer")

    def _object(self, schema: Mapping[str, Any], path: str) -> Node:
        required = schema.get("required")
        required = required if isinstance(required, list) else []  # draft 3 had a flag
        if not all(isinstance(name, str) for name in required):
            raise SchemaError("'required' is not a list of names", path)
        named = dict(_entries(schema, "properties", path))
        rest = self._rest(schema, path)
        fields = [
            Field(name, self._parse(part, f"{path}.{name}"), _presence(name in required))
            for name, part in named.items()
        ]
        fields += [
            Field(name, rest, Presence.REQUIRED)
            for name in dict.fromkeys(required)
            if name not in named
        ]
        low = schema.get("minProperties", 0)
        return object_of(fields, rest, low if isinstance(low, int) else 0)

    def _rest(self, schema: Mapping[str, Any], path: str) -> Node:
        """Parse what the properties without a name of their own may hold."""
        matching = [
            self._parse(part, f"{path}.*")
            for _, part in _entries(schema, "patternProperties", path)
        ]
        others = schema.get("additionalProperties")
        if matching:
            self._note(path, "the names of 'patternProperties' are not enforced by the server")
        if others is None:
            return union(matching) if matching else Anything()
        return union([*matching, self._parse(others, f"{path}.*")])

    def _array(self, schema: Mapping[str, Any], path: str) -> Node:
        items = schema.get("items", True)
        prefix = _schemas(schema, "prefixItems", path)
        if isinstance(items, list):
            prefix, items = items, schema.get("additionalItems", True)
        positions = [self._parse(part, f"{path}[{i}]") for i, part in enumerate(prefix)]
        low, high = schema.get("minItems", 0), schema.get("maxItems")
        return array_of(
            self._parse(items, f"{path}[*]"),
            positions,
            low if isinstance(low, int) else 0,
            high if isinstance(high, int) else None,
        )


def _presence(required: bool) -> Presence:
    return Presence.REQUIRED if required else Presence.OPTIONAL


def _types(schema: Mapping[str, Any], path: str) -> list[str]:
    types = schema.get("type")
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    for name in names:
        if not isinstance(name, str) or name not in TYPES:
            raise SchemaError(f"{name!r} is not a JSON schema type ({', '.join(TYPES)})", path)
    if types is not None and not names:
        raise SchemaError(f"'type' is {types!r}, not a type or a list of types", path)
    return names


def _schemas(schema: Mapping[str, Any], keyword: str, path: str) -> list[Any]:
    parts = schema.get(keyword, [])
    if not isinstance(parts, list):
        raise SchemaError(f"{keyword!r} is not a list of schemas", path)
    return parts


def _entries(schema: Mapping[str, Any], keyword: str, path: str) -> Iterable[tuple[str, Any]]:
    entries = schema.get(keyword, {})
    if not isinstance(entries, dict):
        raise SchemaError(f"{keyword!r} is not an object", path)
    return entries.items()


def _values(values: list[Any]) -> list[Node]:
    """Parse the values of an enum; those that a literal can hold stay together."""
    plain = [v for v in values if isinstance(v, str | int | float) and not isinstance(v, bool)]
    nodes = [Literal(tuple(dict.fromkeys(plain)))] if plain else []
    return [*nodes, *(_value(v) for v in values if v not in plain or isinstance(v, bool))]


def _value(value: Any) -> Node:
    """Parse one value as the node that only it satisfies."""
    if value is None:
        return Null()
    if isinstance(value, bool):
        return Boolean(value)
    if isinstance(value, dict):
        fields = tuple(Field(k, _value(v), Presence.REQUIRED) for k, v in value.items())
        return Object(fields, Never("no other property"))
    if isinstance(value, list):
        return array_of(Never("no other item"), map(_value, value), len(value), len(value))
    return Literal((value,))


TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_IMPLIED = {
    "object": (
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "minProperties",
        "maxProperties",
        "propertyNames",
    ),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("pattern", "minLength", "maxLength", "contentEncoding", "contentMediaType"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_NUMERIC_FORMATS = ("int32", "int64", "float", "double", "decimal")


def implied_types(schema: Mapping[str, Any]) -> list[str]:
    """Name the types that a schema without ``type`` must mean by its keywords."""
    return [name for name, words in _IMPLIED.items() if any(word in schema for word in words)]


def text(schema: Mapping[str, Any]) -> Node:
    """Parse the keywords of a string."""
    pattern, form = schema.get("pattern"), schema.get("format")
    low, high = _count(schema.get("minLength")) or 0, _count(schema.get("maxLength"))
    if high is not None and high < low:
        return Never(f"no string is at least {low} and at most {high} characters long")
    return Text(
        (pattern,) if isinstance(pattern, str) else (),
        (form,) if isinstance(form, str) and form not in _NUMERIC_FORMATS else (),
        low,
        high,
    )


def numeric(schema: Mapping[str, Any], whole: bool) -> Node:
    """Parse the bounds of a number; those of whole numbers become inclusive."""
    lows = _bounds(schema, "minimum", "exclusiveMinimum", whole, 1)
    highs = _bounds(schema, "maximum", "exclusiveMaximum", whole, -1)
    low, high = max(lows, default=None), min(highs, default=None)
    if low is not None and high is not None and high < low:
        return Never(f"no number is at least {low:g} and at most {high:g}")
    return Numeric(whole, low, high)


def _bounds(
    schema: Mapping[str, Any], including: str, excluding: str, whole: bool, inward: int
) -> list[float]:
    inclusive, exclusive = schema.get(including), schema.get(excluding)
    if exclusive is True:  # draft 4: a flag that turns the inclusive bound into an exclusive one
        inclusive, exclusive = None, inclusive
    bounds = []
    if _number(inclusive):
        bounds.append(float(inclusive))
    if _number(exclusive):
        bounds.append(_next(float(exclusive), inward) if whole else float(exclusive))
    if whole:
        return [float(math.ceil(b) if inward > 0 else math.floor(b)) for b in bounds]
    return bounds


def _next(bound: float, inward: int) -> float:
    return float(math.floor(bound) + 1 if inward > 0 else math.ceil(bound) - 1)


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: Any) -> int | None:
    return int(value) if _number(value) and value >= 0 else None
