"""An instance of a JSON schema, filled with the names and numbers of a question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 12
_MAX_ITEMS = 5
_MAX_TEXT_CHARS = 80
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?|\d+(?:\.\d+)?")
_CAPITALIZED = r"[^\W\d_a-zß-ÿ][\w'-]*"
# what is quoted, and words with a capital letter inside a sentence
_NAME = re.compile(rf'"([^"\n]+)"|(?<=[^.!?:\s])\s+({_CAPITALIZED}(?: {_CAPITALIZED})*)')
_EXAMPLES = {
    "date": "2024-05-17",
    "time": "12:00:00",
    "date-time": "2024-05-17T12:00:00Z",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}
_UNWRITABLE = re.compile(r'["\\\x00-\x1f\x7f-\x9f]+')  # the server's texts hold no escapes


class Words:
    """Hands out the names and the numbers of a text, each of them once."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.numbers = _NUMBER.findall(self.text)
        self.names = [found[1] or found[2] for found in _NAME.finditer(self.text)]

    def number(self) -> float:
        """Take the next number; 1 if there is none left."""
        return float(self.numbers.pop(0)) if self.numbers else 1.0

    def name(self) -> str:
        """Take the next name; the whole text if there is none left."""
        name = self.names.pop(0) if self.names else self.text[:_MAX_TEXT_CHARS]
        return _UNWRITABLE.sub(" ", name).strip()

    def place_of(self, value: str) -> int:
        """Find where a value is mentioned last, as a word of its own; -1 if it is not."""
        pattern = rf"(?<!\w){re.escape(value)}(?!\w)"
        return max((found.start() for found in re.finditer(pattern, self.text, re.I)), default=-1)

    def mention_a_part_of(self, identifier: str) -> bool:
        """Return whether one of the words of an identifier is mentioned, but for "get"."""
        parts = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", identifier).lower())
        return any(self.place_of(part) >= 0 for part in parts if part != "get")


def fill(schema: Any, words: Words) -> Any:
    """Return an instance of a schema; the words that it uses are taken out of `words`.

    It need not be valid: what answers is held to the schema while it is written.
    """
    return _Filling(schema, words).value(schema, 0)


class _Filling:
    """Fills one schema; keywords count in the order in which the server looks at them."""

    def __init__(self, root: Any, words: Words) -> None:
        self._root = root
        self._words = words

    def value(self, schema: Any, depth: int) -> Any:
        """Fill a sub-schema."""
        schema = self._resolved(schema)
        if depth > _MAX_DEPTH:  # the schema holds itself
            return None
        match schema:
            case {"properties": dict(members)}:
                names = [name for name in members if name in schema.get("required", ())]
                return {name: self.value(members[name], depth + 1) for name in names}
            case {"anyOf": [first, *others]} | {"oneOf": [first, *others]}:
                best = next(filter(self._is_said, (first, *others)), first)
                return self.value(best, depth + 1)
            case {"allOf": [first, *_]}:
                return self.value(first, depth + 1)
            case {"enum": [_, *_] as values}:
                return max(values, key=lambda value: self._words.place_of(str(value)))
            case {"const": value}:
                return value
        return self._of_type(schema, depth)

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        for _ in range(_MAX_DEPTH):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            target: Any = self._root
            for step in filter(None, schema["$ref"].lstrip("#").split("/")):
                target = target.get(step, {}) if isinstance(target, dict) else {}
            schema = target
        return schema if isinstance(schema, dict) else {}

    def _is_said(self, schema: Any) -> bool:
        """Return whether the words hold a value for a schema."""
        match self._resolved(schema):
            case {"enum": list(values)}:
                return any(self._words.mention_a_part_of(str(value)) for value in values)
            case {"const": value}:
                return self._words.mention_a_part_of(str(value))
            case {"properties": {"name": {"enum": _} | {"const": _} as name}}:  # a call
                return self._is_said(name)
            case {"type": "integer" | "number"}:
                return bool(self._words.numbers)
            case {"type": "string"}:
                return bool(self._words.names)
            case {"type": "null"} | {"properties": {}}:
                return True
        return False

    def _of_type(self, schema: Mapping[str, Any], depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return {"key": self.value(schema.get("additionalProperties"), depth + 1)}
            case "array":
                return self._array(schema.get("items"), depth)
            case "integer":
                return int(self._words.number())
            case "number":
                number = self._words.number()
                return int(number) if number.is_integer() else number
            case "boolean":
                return True
            case "null":
                return None
        return _EXAMPLES.get(str(schema.get("format"))) or self._words.name()

    def _array(self, items: Any, depth: int) -> list[Any]:
        """List every number or name that is left, or one value of another kind."""
        filled = [self.value(items, depth + 1)]
        is_scalar = self._resolved(items).get("type") in ("integer", "number", "string")
        while is_scalar and self._is_said(items) and len(filled) < _MAX_ITEMS:
            filled.append(self.value(items, depth + 1))
        return filled
