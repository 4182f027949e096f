"""Writes a schema as the model is shown it: the same, without what runs in circles or says nothing.

A recursive reference is told once and not again inside itself, a definition that would be huge if
it were written out is only named, boolean sub-schemas become empty ones, and positions of a tuple
stand under ``prefixItems``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LARGEST = 2_000  # sub-schemas of a definition with all that it refers to written out
_DEFINITIONS = ("$defs", "definitions")
_ONE = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("dependentSchemas", "patternProperties", "properties")
_OWN_FLAGS = (
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
)


def told(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema that stands in a prompt.

    Args:
        schema: The original schema; it is not changed.
    """
    return _Telling(schema).whole()


class _Telling:
    """Walk through a schema, and through each definition once, when it is first referred to."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._open = {"#"}  # what the walk is inside of
        self._told: dict[str, Any] = {}  # definitions by their pointers
        self._sizes: dict[str, int] = {}  # how many sub-schemas each one is when written out
        self._size = 0  # of what is being walked

    def whole(self) -> dict[str, Any]:
        root: dict[str, Any] = self._walk(self._schema)
        for group in _DEFINITIONS:
            kept = {
                pointer.rsplit("/", 1)[1]: definition
                for pointer, definition in self._told.items()
                if pointer.startswith(f"#/{group}/")
            }
            root.pop(group, None)
            if kept:
                root[group] = kept
        return root

    def _walk(self, schema: Any) -> Any:
        if isinstance(schema, bool):
            return {}
        if not isinstance(schema, Mapping):
            return schema
        self._size += 1
        if isinstance(schema.get("$ref"), str):
            return self._referred(schema)
        return {keyword: self._value(keyword, value) for keyword, value in self._items(schema)}

    @staticmethod
    def _items(schema: Mapping[str, Any]) -> list[tuple[str, Any]]:
        positions = schema.get("items")
        if not isinstance(positions, list):
            return list(schema.items())
        kept = {name: value for name, value in schema.items() if name != "items"}
        return [*kept.items(), ("prefixItems", positions)]

    def _value(self, keyword: str, value: Any) -> Any:
        if keyword in _OWN_FLAGS and isinstance(value, bool):
            return value
        if keyword in _ONE:
            return self._walk(value)
        if keyword in _MANY and isinstance(value, list):
            return [self._walk(part) for part in value]
        if keyword in _NAMED and isinstance(value, Mapping):
            return {name: self._walk(part) for name, part in value.items()}
        return value

    def _referred(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        pointer = schema["$ref"]
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        target = self._target(pointer)
        if pointer in self._open or target is None:
            return {**_stand_in(target, pointer), **beside}
        if pointer not in self._sizes:
            self._define(pointer, target)
        if self._sizes[pointer] > _LARGEST:
            self._told.pop(pointer, None)
            return {**_stand_in(target, pointer), **beside}
        self._size += self._sizes[pointer]
        return dict(schema)

    def _define(self, pointer: str, target: Any) -> None:
        outer, self._size = self._size, 0
        self._open.add(pointer)
        self._told[pointer] = {}  # keeps the order in which definitions are met
        self._told[pointer] = self._walk(target)
        self._open.remove(pointer)
        self._sizes[pointer], self._size = self._size, outer

    def _target(self, pointer: str) -> Any:
        group, _, name = pointer.removeprefix("#/").partition("/")
        if pointer == "#":
            return self._schema
        definitions = self._schema.get(group) if group in _DEFINITIONS else None
        return definitions.get(name) if isinstance(definitions, Mapping) else None


def _stand_in(target: Any, pointer: str) -> dict[str, Any]:
    kind = target.get("type") if isinstance(target, Mapping) else None
    name = pointer.rsplit("/", 1)[-1]
    about = {"description": f"another {name}" if name != "#" else "the whole again"}
    return {**({"type": kind} if kind else {}), **about}
