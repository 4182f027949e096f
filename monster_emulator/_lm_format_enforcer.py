"""What lm-format-enforcer, which follows a schema while it writes, takes, and where it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ._decoding import Guide, compiled_schema

NAME = "lm-format-enforcer"
_TYPES = frozenset({"string", "object", "integer", "boolean", "null", "number", "array"})
_WHITE_SPACE = r"[ \t\n\r]{0,12}"
_FOLLOWED = frozenset(
    {"$defs", "$ref", "additionalProperties", "anyOf", "const", "definitions", "enum", "items"}
    | {"maxItems", "maxLength", "minItems", "minLength", "pattern", "properties", "required"}
    | {"type"}
)


def where_it_ends(schema: Any) -> str | None:
    """Return the answer up to where the engine cannot follow the schema; None if it can."""
    return _Reading(schema).end_of(schema)


def guide_of(schema: Any) -> Guide:
    """Compile a schema that the engine can follow, without what it passes over."""
    options = {"whitespace_pattern": _WHITE_SPACE, "whitespace_flexible": True}
    return compiled_schema(json.dumps({**_followed(schema), "x-guidance": options}))


def _followed(schema: Any) -> Any:
    """Return a schema without the keywords that the engine passes over."""
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key in _FOLLOWED}
    for key in ("$defs", "definitions", "properties"):
        if isinstance(kept.get(key), Mapping):
            kept[key] = {name: _followed(value) for name, value in kept[key].items()}
    for key in ("additionalProperties", "items"):
        kept.update({key: _followed(kept[key])} if key in kept else {})
    if isinstance(kept.get("anyOf"), list):
        kept["anyOf"] = [_followed(option) for option in kept["anyOf"]]
    if "properties" in kept:
        kept["additionalProperties"] = False
    if isinstance(kept.get("pattern"), str):
        kept["pattern"] = f"^(?:{kept['pattern']})$"
    return kept


class _Reading:
    """Reads one schema in the order in which an answer is written."""

    def __init__(self, root: Any) -> None:
        self._definitions: Mapping[str, Any] = {}
        if isinstance(root, Mapping):
            self._definitions = root.get("definitions") or root.get("$defs") or {}
        self._seen: set[str] = set()

    def end_of(self, schema: Any) -> str | None:
        if not isinstance(schema, Mapping):
            return "{"
        if schema.get("anyOf"):
            ends = (self.end_of(option) for option in schema["anyOf"])
            return next((end for end in ends if end is not None), None)
        if "const" in schema or schema.get("enum"):
            return None
        kind = schema.get("type")
        if kind is None and isinstance(schema.get("$ref"), str):
            return self._end_of_reference(schema["$ref"].rsplit("/", 1)[-1])
        if kind == "object":
            return self._end_of_object(schema)
        if kind == "array":
            end = self.end_of(schema["items"]) if schema.get("items") else None
            return None if end is None else f"[{end}"
        if kind == "string" and "pattern" in schema:
            anchored = "^" in schema["pattern"].replace("[^", "") or "$" in schema["pattern"]
            return '"' if anchored or {"minLength", "maxLength"} & schema.keys() else None
        return None if isinstance(kind, str) and kind in _TYPES else '"'

    def _end_of_reference(self, name: str) -> str | None:
        if name in self._seen:
            return None
        self._seen.add(name)
        return self.end_of(self._definitions[name]) if name in self._definitions else "{"

    def _end_of_object(self, schema: Mapping[str, Any]) -> str | None:
        properties = schema.get("properties")
        if properties is None:
            others = schema.get("additionalProperties") or {"type": "string"}
            return None if self.end_of(others) is None else '{"'
        for name, value in properties.items():
            if '"' in name or "\\" in name or self.end_of(value) is not None:
                return f'{{"{name}'
        return None
