"""The schema as the model is shown it: without definitions that run in circles.

A recursive reference is shown once, and not again inside itself: a small model that is told to
follow it goes on nesting until ``max_tokens``. Definitions that nothing refers to are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["schema_for_prompt"]

_DEFINITIONS = ("$defs", "definitions")
_SCHEMA_KEYWORDS = frozenset(
    {
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
    }
)
_LIST_KEYWORDS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAP_KEYWORDS = frozenset({"dependentSchemas", "patternProperties", "properties"})
_FLAGS = frozenset(
    {"additionalItems", "additionalProperties", "unevaluatedItems", "unevaluatedProperties"}
)
"""Keywords whose true and false say what they mean by themselves."""


def schema_for_prompt(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a prompt shows of a schema; the schema itself is not changed.

    Args:
        schema: The original JSON schema.
    """
    return _Shown(schema).whole()


class _Shown:
    """Walk through a schema, and through each definition where it is first referred to."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._open = {"#"}  # references that the walk is inside of
        self._definitions: dict[str, Any] = {}  # those that were referred to, by their pointers

    def whole(self) -> dict[str, Any]:
        root: dict[str, Any] = self._walk(self._schema)
        for group in _DEFINITIONS:
            kept = {
                pointer.rsplit("/", 1)[1]: definition
                for pointer, definition in self._definitions.items()
                if pointer.startswith(f"#/{group}/")
            }
            root.pop(group, None)
            if kept:
                root[group] = kept
        return root

    def _walk(self, schema: Any) -> Any:
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not isinstance(schema, Mapping):
            return schema
        if isinstance(schema.get("$ref"), str):
            return self._referred(schema)
        shown = {
            keyword: self._value(keyword, value)
            for keyword, value in schema.items()
            if not (keyword == "items" and isinstance(value, list))
        }
        if isinstance(schema.get("items"), list):  # an older draft's prefixItems
            shown["prefixItems"] = self._value("prefixItems", schema["items"])
        return shown

    def _value(self, keyword: str, value: Any) -> Any:
        if keyword in _FLAGS and isinstance(value, bool):
            return value
        if keyword in _SCHEMA_KEYWORDS:
            return self._walk(value)
        if keyword in _LIST_KEYWORDS and isinstance(value, list):
            return [self._walk(part) for part in value]
        if keyword in _MAP_KEYWORDS and isinstance(value, Mapping):
            return {name: self._walk(part) for name, part in value.items()}
        return value

    def _referred(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        pointer = schema["$ref"]
        target = self._target(pointer)
        if pointer in self._open or target is None:
            beside = {name: value for name, value in schema.items() if name != "$ref"}
            return {**_mention(target, pointer), **beside}
        if pointer not in self._definitions:
            self._open.add(pointer)
            self._definitions[pointer] = {}  # keeps the order in which definitions are met
            self._definitions[pointer] = self._walk(target)
            self._open.remove(pointer)
        return dict(schema)

    def _target(self, pointer: str) -> Any:
        if pointer == "#":
            return self._schema
        group, _, name = pointer.removeprefix("#/").partition("/")
        definitions = self._schema.get(group) if group in _DEFINITIONS else None
        return definitions.get(name) if isinstance(definitions, Mapping) else None


def _mention(target: Any, pointer: str) -> dict[str, Any]:
    """Return what stands in the place of a reference that is not shown again."""
    kind = target.get("type") if isinstance(target, Mapping) else None
    name = pointer.rsplit("/", 1)[-1]
    about = {"description": f"another {name}" if name != "#" else "the whole again"}
    return {**({"type": kind} if kind else {}), **about}
