"""An instance of a JSON schema, filled with what a user's words hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ._words import Words, words_of

_DEEPEST = 12
_LONGEST_LIST = 5
_FORMATS = {
    "date": ("2024-05-17", r"\d{4}-\d\d-\d\d"),
    "time": ("12:00:00", r"\d\d:\d\d:\d\d"),
    "date-time": ("2024-05-17T12:00:00Z", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "uuid": (
        "123e4567-e89b-12d3-a456-426614174000",
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
}
_UNWRITABLE = re.compile(r'["\\\x00-\x1f\x7f-\x9f]+')  # the server's texts hold no escapes


def spelled(value: Any) -> list[str]:
    """Write a value as JSON in the two ways that a guide may ask for."""
    return [json.dumps(value, ensure_ascii=False, separators=s) for s in ((", ", ": "), (",", ":"))]


def fill(schema: Any, words: Words, fits: Callable[[str, str], bool]) -> Any:
    """Return an instance of a schema; the words that it uses are taken out of `words`."""
    return _Filling(schema, words, fits).value(schema, "", 0)


class _Filling:
    """Fills one schema; keywords count in the order in which the server looks at them."""

    def __init__(self, root: Any, words: Words, fits: Callable[[str, str], bool]) -> None:
        self._root = root
        self._words = words
        self._fits = fits

    def value(self, schema: Any, label: str, depth: int) -> Any:
        """Fill a sub-schema that stands under a label."""
        schema = self._resolved(schema)
        if depth > _DEEPEST:
            return None
        match schema:
            case {"properties": dict(members)}:
                return self._object(schema, members, depth)
            case {"allOf": [first, *_]}:
                return self.value(first, label, depth + 1)
            case {"anyOf": [_, *_] as several} | {"oneOf": [_, *_] as several}:
                best = max(several, key=lambda one: self._promise(one, label))
                return self.value(best, label, depth + 1)
            case {"prefixItems": list(items)}:
                return [self.value(item, label, depth + 1) for item in items]
            case {"enum": [_, *_] as values}:
                return self._mentioned(values)
            case {"const": value}:
                return value
        return self._of_type(schema, label, depth)

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            target: Any = self._root
            for step in filter(None, schema["$ref"].lstrip("#").split("/")):
                target = target.get(step, {}) if isinstance(target, dict) else {}
            schema = target
        return schema if isinstance(schema, dict) else {}

    def _object(self, schema: Mapping[str, Any], members: Mapping[str, Any], depth: int) -> Any:
        required = schema.get("required", [])
        return {
            name: self.value(member, name, depth + 1)
            for name, member in members.items()
            if name in required or self._promise(member, name) >= 1
        }

    def _promise(self, schema: Any, label: str, depth: int = 0) -> float:
        """Rate what the words hold for a schema: below 1 where it is nothing."""
        schema = self._resolved(schema)
        match schema:
            case {"properties": dict(members)}:
                return 1 + sum(p >= 2 for p in self._promises(members.items(), depth))
            case {"anyOf": list(several)} | {"oneOf": list(several)} | {"allOf": list(several)}:
                return max(self._promises([(label, one) for one in several], depth), default=0)
            case {"enum": list(values)}:
                return 2 * any(map(self._is_said, values))
            case {"const": value}:
                return 2 * self._is_said(value)
            case {"type": "null"}:
                return 0.5
            case {"type": "integer" | "number"}:
                return 1 if self._words.numbers else 0
            case {"type": "string"}:
                return 1 if self._words.phrases else 0
            case {"type": "boolean"}:
                return 1 if self._words.mentions(label) else 0
            case {"type": list(kinds)}:
                return max((self._promise({"type": kind}, label) for kind in kinds), default=0)
        return 0

    def _promises(self, labelled: Iterable[tuple[str, Any]], depth: int) -> list[float]:
        if depth > _DEEPEST:  # the schema holds itself
            return []
        return [self._promise(schema, label, depth + 1) for label, schema in labelled]

    def _is_said(self, value: Any) -> bool:
        if not isinstance(value, str):
            return json.dumps(value) in self._words.numbers
        return self._words.mentions(value) or any(
            self._words.mentions(word) for word in words_of(value) if len(word) > 3
        )

    def _mentioned(self, values: list[Any]) -> Any:
        """Choose the value that was mentioned last; the first one if none was."""
        return max(values, key=lambda value: last_mention(str(value), self._words.text))

    def _of_type(self, schema: Mapping[str, Any], label: str, depth: int) -> Any:
        kind = schema.get("type", "string")
        if isinstance(kind, list):
            kind = max(kind, key=lambda one: self._promise({"type": one}, label), default="null")
        match kind:
            case "object":
                return self._map(schema, label, depth)
            case "array":
                return self._array(schema, label, depth)
            case "integer":
                return int(float(self._words.number(label) or 1))
            case "number":
                number = float(self._words.number(label) or 1)
                return int(number) if number.is_integer() else number
            case "boolean":
                return not self._words.is_negative
            case "null":
                return None
        return self._text(schema, label)

    def _map(self, schema: Mapping[str, Any], label: str, depth: int) -> dict[str, Any]:
        value = schema.get("additionalProperties")
        if schema.get("maxProperties") == 0:
            return {}
        least = max(schema.get("minProperties", 1), 1)
        names = [self._words.phrase("name") or f"{label or 'key'}{i or ''}" for i in range(least)]
        kind = value if isinstance(value, dict) else {"type": "string"}
        return {_writable(name): self.value(kind, name, depth + 1) for name in names}

    def _array(self, schema: Mapping[str, Any], label: str, depth: int) -> list[Any]:
        least = int(schema.get("minItems") or 0)
        most = min(int(schema.get("maxItems", _LONGEST_LIST)), max(_LONGEST_LIST, least))
        items = schema.get("items", {"type": "string"})
        filled: list[Any] = []
        while len(filled) < most and (
            len(filled) < max(least, 1) or self._goes_on(items, label, filled)
        ):
            filled.append(self.value(items, label.removesuffix("s"), depth + 1))
        return filled

    def _goes_on(self, items: Any, label: str, filled: list[Any]) -> bool:
        """Return whether there is another scalar for a list; objects come one at a time."""
        is_scalar = self._resolved(items).get("type") in ("integer", "number", "string")
        is_text = bool(filled) and filled[-1] == self._words.text
        return is_scalar and not is_text and self._promise(items, label) >= 1

    def _text(self, schema: Mapping[str, Any], label: str) -> str:
        least, most = schema.get("minLength") or 0, schema.get("maxLength")
        is_bounded = "minLength" in schema or "maxLength" in schema
        if not is_bounded and "pattern" not in schema and schema.get("format") in _FORMATS:
            default, form = _FORMATS[schema["format"]]
            found = re.search(form, self._words.text)
            return found[0] if found else default
        text = _writable(self._words.phrase(label) or _topic(self._words.text) or label or "text")
        if not is_bounded and (pattern := schema.get("pattern")):
            spans = filter(None, map(_writable, [text, *self._words.spans()]))
            return next((span for span in spans if self._fits(pattern, span)), "")
        return text[:most].rstrip().ljust(least, ".")


def last_mention(value: str, text: str) -> int:
    """Find where a value is mentioned last, as a word of its own."""
    pattern = rf"(?<!\w){re.escape(value)}(?!\w)"
    return max((found.start() for found in re.finditer(pattern, text, re.I)), default=-1)


def _topic(text: str) -> str:
    """Take the last long word: what a question is about stands at its end."""
    return next((word for word in reversed(re.findall(r"[^\W\d_]{4,}", text))), "")


def _writable(text: str) -> str:
    return _UNWRITABLE.sub(" ", text).strip()
