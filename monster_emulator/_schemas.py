"""JSON schemas as the server reads them (outlines 0.0.44): as one regular expression.

It looks at one keyword of a schema, the first of `properties`, `allOf`, `anyOf`, `oneOf`,
`prefixItems`, `enum`, `const`, `$ref` and `type` (outlines/fsm/json_schema.py:185), and passes over
the others: bounds of numbers, `required` names that are not described, `not` beside a `type`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ._errors import Crash, NotEmulated, Refusal

_MOST_OPTIONAL = 9
_MOST_CHARACTERS = 1000
_LARGEST = 300_000

_ANY = ("boolean", "null", "number", "integer", "string", "array", "object")
_ANY_ITEM = ("boolean", "null", "number", "integer", "string")
_ANY_MEMBER = ("string", "number", "boolean", "null")

# the patterns of texts, numbers and constants are those of outlines/fsm/json_schema.py:13 and :297
_CHARACTER = r'([^"\\\x00-\x1f\x7f-\x9f]|\\\\)'
_INTEGER = "(-)?(0|[1-9][0-9]*)"
_SCALARS = {
    "string": f'"{_CHARACTER}*"',
    "integer": _INTEGER,
    "number": rf"({_INTEGER})(\.[0-9]+)?([eE][+-][0-9]+)?",
    "boolean": "(true|false)",
    "null": "null",
}
_HOUR = "(2[0-3]|[01][0-9])"
_MONTH_AND_DAY = "(1[0-2]|0[1-9])-(3[01]|0[1-9]|[12][0-9])"
_SECOND = f"{_HOUR}:([0-5][0-9]):([0-5][0-9])"
_FORMATS = {
    "date": rf"[0-9]{{4}}-{_MONTH_AND_DAY}",
    "time": rf"{_SECOND}(\\.[0-9]+)?(Z)?",
    "date-time": rf"(-?([1-9][0-9]*)?[0-9]{{4}})-{_MONTH_AND_DAY}T{_SECOND}(\.[0-9]{{3}})?(Z)?",
    "uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


def parse_schema(text: str) -> Any:
    """Parse the text of a schema."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Refusal(str(error)) from error


def schema_pattern(schema: Any, white_space: str | None) -> str:
    """Write a schema as the server reads it."""
    try:
        pattern = _Reading(schema, "[ ]?" if white_space is None else white_space).read(schema)
    except (TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
        raise Crash("the schema cannot be read") from error
    except ValueError as error:
        raise Refusal(str(error)) from error
    if not isinstance(pattern, str):
        raise Crash("the schema has no pattern")
    return _bounded(pattern)


class _Reading:
    """Reads one schema; what it passes over is not looked at."""

    def __init__(self, root: Any, white_space: str) -> None:
        self._root = root
        self._space = white_space
        self._comma = f"{white_space},{white_space}"
        self._keywords: dict[str, Callable[[Mapping[str, Any]], str]] = {
            "properties": self._properties,
            "allOf": lambda schema: f"({''.join(map(self.read, schema['allOf']))})",
            "anyOf": lambda schema: self._one_of(schema["anyOf"]),
            "oneOf": lambda schema: self._one_of(schema["oneOf"]),
            "prefixItems": self._tuple,
            "enum": self._enum,
            "const": self._const,
            "$ref": lambda schema: self.read(self._target(schema["$ref"])),
            "type": self._type,
        }

    def read(self, schema: Any) -> str:
        """Write a sub-schema as a regular expression."""
        if schema == {}:
            return "|".join(f"({self.read({'type': kind})})" for kind in _ANY)
        keyword = next((keyword for keyword in self._keywords if keyword in schema), None)
        if keyword is None:
            raise Crash("the server knows no keyword of this schema")
        return _bounded(self._keywords[keyword](schema))

    def _one_of(self, schemas: Iterable[Any]) -> str:
        return f"({'|'.join(map(self.read, schemas))})"

    def _properties(self, schema: Mapping[str, Any]) -> str:
        required = schema.get("required", [])
        names = list(schema["properties"])
        needed = [name in required for name in names]
        # where a member must come, the names are escaped; where none must, they are patterns
        escape = re.escape if any(needed) else str
        members = [
            f'{self._space}"{escape(name)}"{self._space}:{self._space}{self.read(value)}'
            for name, value in schema["properties"].items()
        ]
        inside = self._after_needed(members, needed) if any(needed) else self._optional(members)
        return rf"\{{{inside}{self._space}\}}"

    def _after_needed(self, members: list[str], needed: list[bool]) -> str:
        last = len(needed) - 1 - needed[::-1].index(True)
        written = []
        for place, member in enumerate(members):
            if place < last:
                member = f"{member}{self._space},"
            elif place > last:
                member = f"{self._space},{member}"
            written.append(member if needed[place] else f"({member})?")
        return "".join(written)

    def _optional(self, members: list[str]) -> str:
        if len(members) > _MOST_OPTIONAL:
            raise _never_ends(f"an object of {len(members)} members, none of them required")
        patterns = []
        for place, member in enumerate(members):
            before = "".join(f"({other}{self._space},)?" for other in members[:place])
            after = "".join(f"({self._space},{other})?" for other in members[place + 1 :])
            patterns.append(f"{before}{member}{after}")
        return f"({'|'.join(patterns)})?"

    def _tuple(self, schema: Mapping[str, Any]) -> str:
        items = self._comma.join(map(self.read, schema["prefixItems"]))
        return rf"\[{self._space}{items}{self._space}\]"

    def _enum(self, schema: Mapping[str, Any]) -> str:
        return f"({'|'.join(filter(None, map(_constant_pattern, schema['enum'])))})"

    def _const(self, schema: Mapping[str, Any]) -> str:
        written = _constant_pattern(schema["const"])
        if written is None:
            raise Crash("the server writes neither null nor objects as constants")
        return written

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise Crash("the reference leads out of the schema")
        target = self._root
        for step in filter(None, reference[1:].split("/")):
            name = step.replace("~1", "/").replace("~0", "~")
            target = target[int(name)] if isinstance(target, list) else target[name]
        return target

    def _type(self, schema: Mapping[str, Any]) -> str:
        kind = schema["type"]
        if isinstance(kind, list):
            return self._one_of({"type": one} for one in kind)
        match kind:
            case "string":
                return _text_pattern(schema)
            case "array":
                return self._array(schema)
            case "object":
                return self._map(schema)
        if kind not in _SCALARS:
            raise Crash("the server knows no such type")
        return _SCALARS[kind]

    def _array(self, schema: Mapping[str, Any]) -> str:
        repeats = _repeats(schema, "Items")
        if repeats is None:
            return rf"\[{self._space}\]"
        end = "" if int(schema.get("minItems", 0)) else "?"
        if "items" in schema:
            item = self.read(schema["items"])
            inside = f"(({item})(,{self._space}({item})){repeats}){end}"
        else:
            item = "|".join(self.read(one) for one in self._free(_ANY_ITEM, schema))
            inside = f"({item})(,{self._space}({item})){repeats}{end}"
        return rf"\[{self._space}{inside}{self._space}\]"

    def _map(self, schema: Mapping[str, Any]) -> str:
        repeats = _repeats(schema, "Properties")
        if repeats is None:
            return rf"\{{{self._space}\}}"
        end = "" if int(schema.get("minProperties", 0)) else "?"
        value = schema.get("additionalProperties")
        if value == {}:
            raise _never_ends("an object of members of any kind")
        if value is None or value is True:
            value = {"anyOf": list(self._free(_ANY_MEMBER, schema))}
        member = f"{_SCALARS['string']}{self._space}:{self._space}{self.read(value)}"
        inside = f"({member}({self._comma}{member}){repeats}){end}"
        return rf"\{{{self._space}{inside}{self._space}\}}"

    @staticmethod
    def _free(kinds: Iterable[str], schema: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        """List what may stand inside a free array or object, two levels deep."""
        depth = schema.get("depth", 2)
        yield from ({"type": kind} for kind in kinds)
        if depth > 0:
            yield from ({"type": kind, "depth": depth - 1} for kind in ("object", "array"))


def _repeats(schema: Mapping[str, Any], counted: str) -> str | None:
    """Write how often something follows the first one; None if not even the first may come."""
    least = max(int(schema.get(f"min{counted}") or 0) - 1, 0)
    most = schema.get(f"max{counted}")
    if most is None:
        return f"{{{least},}}"
    return f"{{{least},{int(most) - 1}}}" if int(most) >= 1 else None


def _bounded(pattern: str) -> str:
    if len(pattern) > _LARGEST:
        raise _never_ends("its pattern is too large")
    return pattern


def _text_pattern(schema: Mapping[str, Any]) -> str:
    """Write a schema of type string: its lengths count, else its pattern, else its format."""
    if "minLength" in schema or "maxLength" in schema:
        least, most = schema.get("minLength", ""), schema.get("maxLength", "")
        if not isinstance(least or 0, int) or not isinstance(most or 0, int):
            raise Crash("a length is not a number")
        if most and most > _MOST_CHARACTERS:
            raise _never_ends(f"a text of up to {most} characters")
        return f'"{_CHARACTER}{{{least},{most}}}"'
    if "pattern" in schema:
        pattern = schema["pattern"]
        if pattern[0] == "^" and pattern[-1] == "$":
            raise Crash("the server compiles no anchors")
        return f'("{pattern}")'
    if "format" in schema:
        if schema["format"] not in _FORMATS:
            raise Crash("the server knows no such format")
        return f'"{_FORMATS[schema["format"]]}"'
    return _SCALARS["string"]


def _constant_pattern(value: Any) -> str | None:
    """Write a constant as Python does (true becomes True); None for null, a list or an object."""
    if isinstance(value, str):
        return f'"{re.escape(value)}"'
    return re.escape(str(value)) if isinstance(value, int | float) else None


def _never_ends(what: str) -> NotEmulated:
    """Return the refusal of a schema that would take the server minutes to compile."""
    return NotEmulated(
        f"The server would stand still for minutes to compile this schema ({what}). "
        "This emulator refuses it at once."
    )
