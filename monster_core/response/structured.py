"""Read the text of a response as a value of a schema, and check the value.

A constraint may fail open on the server, so a value is always checked against its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monster_core.errors import StructuredAnswerError
from monster_core.json_schema import SchemaError, validate

__all__ = ["check_value", "raise_for_refusal"]


def check_value(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value that satisfies a schema.

    Args:
        value: The value, such as a tool call's arguments.
        schema: The original schema.

    Raises:
        StructuredAnswerError: It does not satisfy the schema; the message says where.
    """
    try:
        validate(value, schema)
    except SchemaError as error:
        raise StructuredAnswerError(f"The answer does not satisfy its schema: {error}") from error
    return value


def raise_for_refusal(refusal: Any) -> None:
    """Raise an error if the model refused to give the value.

    Args:
        refusal: What the server says of a refusal, if anything.

    Raises:
        StructuredAnswerError: It did; the message holds what it said.
    """
    if refusal:
        raise StructuredAnswerError(f"The model refused to answer: {str(refusal)[:200]!r}.")
