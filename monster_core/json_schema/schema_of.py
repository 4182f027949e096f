"""Turn everything a user may call a schema into a JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .dialects import unwrap
from .errors import SchemaError


def schema_of(source: Any) -> dict[str, Any]:
    """Return the JSON schema that something stands for.

    Args:
        source: A JSON schema as a mapping or as JSON text, on its own or in the wrapper of a
            provider (see :func:`.dialects.unwrap`), a pydantic class of either generation,
            or any type that pydantic's ``TypeAdapter`` takes: a ``TypedDict``, a dataclass, an
            ``Enum``, a ``Literal``, a union, ``list[...]`` and so on.

    Raises:
        SchemaError: It stands for no JSON schema.
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
