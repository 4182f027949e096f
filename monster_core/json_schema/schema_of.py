"""Turn what a user may give as a schema into a JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import orjson

from .errors import SchemaError


def schema_of(source: Any) -> dict[str, Any]:
    """Return the JSON schema of what a user gives as one.

    Args:
        source: A JSON schema as a mapping or as JSON text, on its own or in the wrapper of a
            provider (see :func:`unwrap`), a pydantic class of either generation,
            or any type that pydantic's ``TypeAdapter`` takes: a ``TypedDict``, a dataclass, an
            ``Enum``, a ``Literal``, a union, ``list[...]`` and so on.

    Raises:
        SchemaError: It has no JSON schema.
    """
    if isinstance(source, str | bytes):
        return _of_text(source)
    if isinstance(source, Mapping):
        return unwrap(source)
    if isinstance(source, bool) or source is None:
        raise SchemaError(f"{source!r} is not a schema")
    own = getattr(source, "model_json_schema", None)
    if isinstance(source, type) and own is not None:
        return _generated(own, source)
    legacy = getattr(source, "schema", None)
    if isinstance(source, type) and hasattr(source, "__fields__") and callable(legacy):
        return _generated(legacy, source)
    return _generated(lambda: _adapted(source), source)


def _of_text(source: str | bytes) -> dict[str, Any]:
    try:
        schema = json.loads(source)
    except ValueError as error:
        raise SchemaError(f"the schema is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise SchemaError("the schema is JSON, but not an object")
    return unwrap(schema)


def _adapted(source: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(source).json_schema()


def _generated(generate: Any, source: Any) -> dict[str, Any]:
    from pydantic.errors import PydanticUserError

    try:
        schema = generate()
    except (PydanticUserError, TypeError, ValueError, NameError) as error:
        name = getattr(source, "__name__", repr(source))
        reason = str(error).split("\n", 1)[0]
        raise SchemaError(f"{name} has no JSON schema: {reason}") from error
    if not isinstance(schema, dict):
        raise SchemaError(f"{source!r} has no JSON schema")
    return schema


_WRAPPERS = (
    "json_schema",
    "function",
    "toolSpec",
    "schema",
    "parameters",
    "input_schema",
    "inputSchema",
    "parametersJsonSchema",
)
"""Keys that hold a schema, or a wrapper of one, where the mapping itself is not one."""

_KEYWORD_NAMES = """
$anchor $comment $defs $dynamicAnchor $dynamicRef $id $recursiveAnchor $recursiveRef $ref
$schema $vocabulary additionalItems additionalProperties allOf anyOf const contains
contentEncoding contentMediaType contentSchema default definitions dependencies
dependentRequired dependentSchemas deprecated description discriminator else enum example
examples exclusiveMaximum exclusiveMinimum format id if items maxContains maxItems maxLength
maxProperties maximum minContains minItems minLength minProperties minimum multipleOf not
nullable oneOf pattern patternProperties prefixItems properties propertyNames propertyOrder
propertyOrdering
readOnly required then title type unevaluatedItems unevaluatedProperties uniqueItems writeOnly
"""
_KEYWORDS = frozenset(_KEYWORD_NAMES.split())
_VALUES = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords whose value, or part of it, is a value that the schema describes."""

_NAMED_SCHEMAS = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"}
)
_ANNOTATIONS = frozenset({"$comment", "$id", "$schema", "description", "id", "title"})
_MISSPELLABLE = [
    *(keyword for keyword in _KEYWORDS if not keyword.startswith("$")),
    *_WRAPPERS,
]
_MIN_LIKENESS = 0.75


def unwrap(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema in a mapping: the mapping itself, or what it wraps.

    The wrappers are those of OpenAI (``json_schema`` formats, functions of both of its APIs),
    Anthropic (``input_schema``), MCP (``inputSchema``), Bedrock (``toolSpec``) and Gemini. Name and
    description of a wrapper become the schema's title and description.

    Raises:
        SchemaError: The mapping has an unknown key where a keyword was probably meant, or unknown
            keys only.
    """
    schema = _normalized(_unwrapped(source))
    for key in schema.keys() - _KEYWORDS:
        meant = get_close_matches(str(key), _MISSPELLABLE, 1, _MIN_LIKENESS)
        if meant and key not in _WRAPPERS:
            raise SchemaError(
                f"{key!r} is not a keyword of JSON schema: did you mean {meant[0]!r}?"
            )
    is_not_one = bool(schema.keys() - _KEYWORDS) and schema.keys() & _KEYWORDS <= _ANNOTATIONS
    if is_not_one:
        keys = ", ".join(map(repr, list(schema)[:5]))
        raise SchemaError(f"it has no keyword of JSON schema, such as type or properties: {keys}")
    return schema


def _normalized(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without the keywords that are null, and with its types in lower case.

    Some MCP servers write null for an absent keyword. The null of a ``const``, ``default``,
    ``enum`` or example is a value, and stays; an ``enum`` that is null itself does not. Gemini's
    API writes types in upper case.
    """
    try:
        if not _NEEDS_NORMALIZING.search(orjson.dumps(schema)):
            return dict(schema)
        return _normalized_schema(schema)
    except (RecursionError, TypeError):  # it is not JSON, which is reported where it is lowered
        return dict(schema)


_NEEDS_NORMALIZING = re.compile(rb'null|"type":\[?"[A-Z]')
_UPPER_CASE_TYPES = frozenset({"ARRAY", "BOOLEAN", "INTEGER", "NULL", "NUMBER", "OBJECT", "STRING"})


def _normalized_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    normalized: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _VALUES:
            if value is not None or key not in ("enum", "examples"):
                normalized[key] = value
        elif key == "type":
            normalized.update(_type_keyword(value))
        elif key in _NAMED_SCHEMAS and isinstance(value, Mapping):
            normalized[key] = {name: _normalized_part(part or {}) for name, part in value.items()}
        elif value is not None:
            normalized[key] = _normalized_part(value)
    return normalized


def _normalized_part(part: Any) -> Any:
    if isinstance(part, Mapping):
        return _normalized_schema(part)
    return [_normalized_part(item) for item in part] if isinstance(part, list) else part


def _type_keyword(value: Any) -> dict[str, Any]:
    if value in (None, "TYPE_UNSPECIFIED"):
        return {}
    if isinstance(value, list):
        return {"type": [_lower_case(kind) for kind in value]}
    return {"type": _lower_case(value)}


def _lower_case(kind: Any) -> Any:
    is_upper = isinstance(kind, str) and kind in _UPPER_CASE_TYPES
    return kind.lower() if is_upper else kind


def _unwrapped(source: Mapping[str, Any]) -> dict[str, Any]:
    if "properties" in source:
        return dict(source)
    for key in _WRAPPERS:
        inner = source.get(key)
        if isinstance(inner, Mapping):
            json_of_bedrock = inner.get("json") if key == "inputSchema" else None
            inner = json_of_bedrock if isinstance(json_of_bedrock, Mapping) else inner
            return _titled(source, _unwrapped(inner))
    return dict(source)


def _titled(wrapper: Mapping[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    titles = {"title": wrapper.get("name"), "description": wrapper.get("description")}
    return {**{key: value for key, value in titles.items() if isinstance(value, str)}, **schema}
