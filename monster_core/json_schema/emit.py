"""Write concrete nodes as the JSON schema that is sent: few keywords, with one meaning each."""

from __future__ import annotations

import json
from typing import Any

from .engines import OUTLINES, SchemaEngine
from .ir import (
    Anything,
    Array,
    Boolean,
    Literal,
    Map,
    Never,
    Node,
    Null,
    Numeric,
    Object,
    Presence,
    Regex,
    Text,
    Tuple,
    Union,
)
from .patterns import any_text

KEYWORDS = frozenset(
    {
        "additionalProperties",
        "anyOf",
        "enum",
        "items",
        "maxDigits",
        "maxDigitsExponent",
        "maxDigitsFraction",
        "maxDigitsInteger",
        "maxItems",
        "maxLength",
        "maxProperties",
        "minItems",
        "minLength",
        "minProperties",
        "pattern",
        "prefixItems",
        "properties",
        "required",
        "type",
    }
)
"""The keywords a lowered schema may contain."""

_GROUP_SIZE = 16  # listed values; more than twice as many compile faster in groups

SCALAR = Union((any_text(), Numeric(), Boolean(), Null()))
ANYTHING = Union((*SCALAR.options, Map(SCALAR), Array(SCALAR)))
"""What is sent for an unrestricted value: the server's own notion of one is not JSON."""


def encoded(text: str) -> str:
    """Write a string as it stands between the quotation marks of a JSON text.

    The server pastes names and listed values into its regular expression as they are.
    """
    return json.dumps(text, ensure_ascii=False)[1:-1]


MAX_DIGITS = 20
"""How many digits a number may have, before and after the point, where digits are bounded."""

_MAX_EXPONENT_DIGITS = 3


def emit(
    node: Node, engine: SchemaEngine = OUTLINES, *, bounds_digits: bool = False
) -> dict[str, Any]:
    """Write a concrete node as a JSON schema.

    Args:
        node: The node.
        engine: What it is made concrete for.
        bounds_digits: Whether numbers may have MAX_DIGITS digits at most; only for an engine that
            compiles schemas. A small model may write digits without end otherwise.
    """
    return _Emitter(engine, bounds_digits=bounds_digits).emit(node)


class _Emitter:
    """Write nodes for one engine."""

    def __init__(self, engine: SchemaEngine, *, bounds_digits: bool) -> None:
        self._engine = engine
        self._bounds_digits = bounds_digits

    def emit(self, node: Node) -> dict[str, Any]:
        match node:
            case Anything():
                return self._anything()
            case Union(options):
                return {"anyOf": [self.emit(option) for option in options]}
            case Array() | Tuple():
                return self._array(node)
            case Object():
                return self._named_object(node)
            case Map():
                return self._map(node)
            case Regex() if self._is_free(node):
                return {"type": "string"}
            case Literal(values):
                return self._literal(values)
        return self._scalar(node)

    def _literal(self, values: tuple[str | int | float, ...]) -> dict[str, Any]:
        written = [self._text(value) if isinstance(value, str) else value for value in values]
        if self._engine.compiles:
            starts = range(0, len(written), _GROUP_SIZE)
            groups = [written[start : start + _GROUP_SIZE] for start in starts]
            return _enums([written] if len(written) <= 2 * _GROUP_SIZE else groups)
        texts = [value for value in written if isinstance(value, str)]
        return _enums([texts, [value for value in written if not isinstance(value, str)]])

    def _anything(self) -> dict[str, Any]:
        if self._engine.compiles:
            return self.emit(ANYTHING)
        return {"anyOf": [{"type": name} for name in _FREE_TYPES]}

    def _array(self, node: Array | Tuple) -> dict[str, Any]:
        if isinstance(node, Tuple) and node.items:
            bounds = {"minItems": len(node.items), "maxItems": len(node.items)}
            items = [self.emit(item) for item in node.items]
            return {"type": "array", "prefixItems": items, **bounds}
        if isinstance(node, Tuple) or node.high == 0:
            # an engine that follows the schema lets a first item come: it is dropped as a null
            null = {} if self._engine.compiles else {"items": {"type": "null"}}
            return {"type": "array", **null, "maxItems": 0}
        least = {"minItems": node.low} if node.low else {}
        most = {} if node.high is None else {"maxItems": node.high}
        return {"type": "array", "items": self.emit(node.items), **least, **most}

    def _map(self, node: Map) -> dict[str, Any]:
        if isinstance(node.values, Never):
            empty: dict[str, Any] = (
                {"maxProperties": 0} if self._engine.compiles else {"properties": {}}
            )
            if self._engine.is_open:
                empty = {"properties": {}, "additionalProperties": False}
            return {"type": "object", **empty}
        if isinstance(node.values, Anything) and not self._engine.compiles:
            return {"type": "object"}
        least = {"minProperties": node.low} if node.low else {}
        return {"type": "object", "additionalProperties": self.emit(node.values), **least}

    def _named_object(self, node: Object) -> dict[str, Any]:
        names = {field.name: self._text(field.name) for field in node.fields}
        closed = {"additionalProperties": False} if self._engine.is_open else {}
        return {
            "type": "object",
            "properties": {names[field.name]: self.emit(field.node) for field in node.fields},
            "required": [
                names[field.name]
                for field in node.fields
                if field.presence is not Presence.OPTIONAL
            ],
            **closed,
        }

    def _scalar(self, node: Node) -> dict[str, Any]:
        match node:
            case Regex(source):
                # the server stumbles over an empty pattern
                return {"type": "string", "pattern": source} if source else {"enum": [""]}
            case Text(_, _, low, high):
                least = {"minLength": low} if low else {}
                most = {} if high is None else {"maxLength": high}
                return {"type": "string", **least, **most}
            case Numeric(whole, None, None) if self._bounds_digits:
                return _INTEGER if whole else _NUMBER
            case Numeric(whole, low, high):
                kind = "integer" if whole else "number"
                bounds = {"minimum": low, "maximum": high} if self._engine.has_bounds else {}
                return {"type": kind, **{k: v for k, v in bounds.items() if v is not None}}
        return {"type": "null" if isinstance(node, Null) else "boolean"}

    def _is_free(self, node: Regex) -> bool:
        """Return whether a string is sent without its expression."""
        if self._engine.escapes and node == any_text():
            return True
        return bool(node.wide) and not self._engine.has_wide_patterns

    def _text(self, text: str) -> str:
        """Return a name or a listed value as the engine is given it."""
        return text if self._engine.escapes else encoded(text)


# outlines 0.0.44 reads these keywords in ``to_regex``
_INTEGER = {"type": "integer", "maxDigits": MAX_DIGITS}
_NUMBER = {
    "type": "number",
    "maxDigitsInteger": MAX_DIGITS,
    "maxDigitsFraction": MAX_DIGITS,
    "maxDigitsExponent": _MAX_EXPONENT_DIGITS,
}
_FREE_TYPES = ("string", "number", "boolean", "null", "object", "array")


def _enums(groups: list[list[Any]]) -> dict[str, Any]:
    enums = [{"enum": group} for group in groups if group]
    return enums[0] if len(enums) == 1 else {"anyOf": enums}
