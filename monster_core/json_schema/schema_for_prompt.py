"""Choose what a prompt shows of a schema.

A recursive reference is shown once, and not again inside itself: a small model that is asked to
follow it goes on nesting until ``max_tokens``. Definitions that nothing refers to are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["schema_for_prompt"]

_DEFINITIONS = ("$defs", "definitions")
_VALUES = frozenset({"const", "default", "enum", "example", "examples"})
_NAMED_SCHEMAS = frozenset({"dependentSchemas", "patternProperties", "properties"})
_SUB_SCHEMAS = frozenset(
    {"allOf", "anyOf", "contains", "else", "if", "items", "not", "oneOf", "prefixItems"}
    | {"propertyNames", "then"}
)
"""Keywords in which a boolean is shown as a schema; elsewhere it says itself what it means."""


def schema_for_prompt(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a prompt shows of a schema; the schema itself is not changed.

    Args:
        schema: The original JSON schema.
    """
    return _Walk(schema).root()


class _Walk:
    """Walk through a schema, and through each definition where it is first referred to."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._open = {"#"}  # references that the walk is inside of
        self._definitions: dict[str, Any] = {}  # those that were referred to, by their pointers

    def root(self) -> dict[str, Any]:
        shown: dict[str, Any] = self._shown(self._schema)
        for group in _DEFINITIONS:
            shown.pop(group, None)
            prefix = f"#/{group}/"
            kept = {
                pointer.removeprefix(prefix): definition
                for pointer, definition in self._definitions.items()
                if pointer.startswith(prefix)
            }
            if kept:
                shown[group] = kept
        return shown

    def _shown(self, schema: Any) -> Any:
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if isinstance(schema, list):
            return [self._shown(part) for part in schema]
        if not isinstance(schema, Mapping):
            return schema
        if isinstance(schema.get("$ref"), str):
            return self._referred(schema)
        shown = {keyword: self._value(keyword, value) for keyword, value in schema.items()}
        if isinstance(schema.get("items"), list):  # an older draft's prefixItems
            shown["prefixItems"] = shown.pop("items")
        return shown

    def _value(self, keyword: str, value: Any) -> Any:
        if keyword in _VALUES or keyword in _DEFINITIONS:
            return value
        if keyword in _NAMED_SCHEMAS and isinstance(value, Mapping):
            return {name: self._shown(part) for name, part in value.items()}
        if isinstance(value, Mapping) or keyword in _SUB_SCHEMAS:
            return self._shown(value)
        return value

    def _referred(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        pointer = schema["$ref"]
        target = self._target(pointer)
        if pointer in self._open or target is None:
            beside = {name: value for name, value in schema.items() if name != "$ref"}
            return {**_mention(target, pointer), **beside}
        if pointer not in self._definitions:
            self._open.add(pointer)
            self._definitions[pointer] = {}  # keeps the definitions in the order of the references
            self._definitions[pointer] = self._shown(target)
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
