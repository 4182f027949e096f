"""Reads the keywords of single types, and tells which type keywords without one imply."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from .ir import Never, Node, Numeric, Text

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
    """Read the keywords of a string."""
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
    """Read the bounds of a number; those of whole numbers become inclusive."""
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
