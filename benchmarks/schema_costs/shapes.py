"""Write the shapes of other people's schemas: what a server compiles of them, without their words.

    python benchmarks/schema_costs/shapes.py DATA > tests/core/json_schema/measured_shapes.jsonl

``DATA`` is the folder ``data`` of JSONSchemaBench (github.com/guidance-ai/jsonschemabench). A few
schemas of each of its easier and middle families are taken, from small to large. Names and listed
values become letters that mean nothing, of the same length, and so do the words of patterns;
titles, descriptions, defaults and examples are left out. A schema and its shape cost alike, since
each letter is a state of the automaton whichever letter it is.
"""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path
from typing import Any

from monster_core.json_schema import SchemaError, lower
from monster_core.json_schema.engines import LM_FORMAT_ENFORCER

_FAMILIES = {
    "Github_trivial": 8,
    "Github_easy": 16,
    "Github_medium": 10,
    "Glaiveai2K": 16,
    "Kubernetes": 8,
    "Snowplow": 10,
    "WashingtonPost": 8,
    "JsonSchemaStore": 4,
}
_MIN_CHARS, _MAX_CHARS = 100, 5000
_KEPT = re.compile("type|format|multipleOf|(min|max)[A-Za-z]*|exclusiveM(in|ax)imum|uniqueItems")
_OF_SCHEMAS = re.compile("[a-z]*Items|items|additionalProperties|not|if|then|else|contains|...Of")
_OF_NAMED_SCHEMAS = re.compile(r"properties|definitions|\$defs|patternProperties")
_PATTERN_PART = re.compile(r"(\\[dwsDWSbB.]|\\u\w{4}|\\x\w\w|\\.|\[[^\]]*\]|\(\?P?<?[:=!])")


class _Shape:
    """Write one schema with other words, each word with the same one wherever it stands."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._words: dict[str, str] = {}

    def word(self, text: str) -> str:
        """Return letters of the same length, the same ones for the same text."""
        while text and text not in self._words:
            letters = "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz", k=len(text)))
            if letters not in self._words.values() or len(text) < 3:
                self._words[text] = letters
        return self._words.get(text, "")

    def pattern(self, source: str) -> str:
        """Return a pattern with other letters outside of its classes and escapes."""
        parts = _PATTERN_PART.split(source)
        for index in range(0, len(parts), 2):
            parts[index] = re.sub("[A-Za-z]+", lambda found: self.word(found[0]), parts[index])
        return "".join(parts)

    def value(self, value: Any) -> Any:
        """Return a listed value with other letters."""
        if isinstance(value, str):
            return self.word(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {self.word(name): self.value(one) for name, one in value.items()}
        return value

    def schema(self, schema: Any) -> Any:
        """Return a schema with other words."""
        if isinstance(schema, list):
            return [self.schema(one) for one in schema]
        if not isinstance(schema, dict):
            return schema
        written = {keyword: self._keyword(keyword, value) for keyword, value in schema.items()}
        return {keyword: value for keyword, value in written.items() if value is not None}

    def _keyword(self, keyword: str, value: Any) -> Any:
        """Return the value of one keyword with other words; None where it is left out."""
        if _KEPT.fullmatch(keyword):
            return value
        if _OF_SCHEMAS.fullmatch(keyword):
            return self.schema(value)
        if _OF_NAMED_SCHEMAS.fullmatch(keyword) and isinstance(value, dict):
            rename = self.pattern if keyword == "patternProperties" else self.word
            return {rename(name): self.schema(part) for name, part in value.items()}
        if keyword in ("enum", "const", "required"):
            return self.value(value)
        if keyword == "pattern":
            return self.pattern(value)
        if keyword == "$ref":
            *path, name = value.split("/")
            return "/".join([*path, self.word(name)]) if path else value
        return None


def _is_schema(shape: Any) -> bool:
    """Return whether a shape still means something: a reference may lead into what is left out."""
    try:
        return lower(shape, engine=LM_FORMAT_ENFORCER).guided
    except SchemaError:
        return False


def main() -> None:
    data = Path(sys.argv[1])
    for family, count in _FAMILIES.items():
        found: list[tuple[int, str, Any]] = []
        for file in sorted((data / family).glob("*.json")):
            shape = _Shape(file.stem).schema(json.loads(file.read_text(encoding="utf-8")))
            size = len(json.dumps(shape))
            if _MIN_CHARS <= size <= _MAX_CHARS and _is_schema(shape):
                found.append((size, file.stem, shape))
        found.sort(key=lambda one: one[:2])
        for number in range(count):
            _, name, shape = found[(2 * number + 1) * len(found) // (2 * count)]
            print(json.dumps({"name": f"{family}/{name}", "schema": shape}))


if __name__ == "__main__":
    main()
