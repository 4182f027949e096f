"""Read the text of a response as a value of a schema, and check the value.

A constraint may fail open on the server, so a value is always checked against its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monster_core.errors import IGNORED_GUIDE_ADVICE, StructuredAnswerError
from monster_core.json_schema import SchemaError, lower, validate

__all__ = ["check_value", "misfit", "raise_for_refusal"]


def check_value(value: Any, schema: Mapping[str, Any], *, is_guided: bool = True) -> Any:
    """Return a value that satisfies a schema.

    Args:
        value: The value, such as a tool call's arguments.
        schema: The original schema.
        is_guided: Whether the server was asked to hold the value to the schema.

    Raises:
        StructuredAnswerError: It does not satisfy the schema; the message says where.
    """
    try:
        validate(value, schema)
    except SchemaError as error:
        raise misfit(value, schema, error, is_guided=is_guided) from error
    return value


def misfit(
    value: Any, schema: Mapping[str, Any] | None, error: Exception, *, is_guided: bool = True
) -> StructuredAnswerError:
    """Make the error for a value that is not what was asked for.

    If the server was to hold the value to a schema, and has not, the error says what may be wrong.

    Args:
        value: The value.
        schema: The original schema; None where there is none.
        error: What does not fit.
        is_guided: As in :func:`check_value`.
    """
    problem = f"The answer does not satisfy its schema: {error}"
    if is_guided and schema is not None and _breaks_guide(value, schema):
        problem = f"{problem.rstrip('.')}. {IGNORED_GUIDE_ADVICE}"
    return StructuredAnswerError(problem)


def _breaks_guide(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a server that had been guided by a schema could not have given a value."""
    lowered = lower(schema)
    if lowered.obstacle or lowered.relaxed:  # it may have been given up what the value breaks
        return False
    try:
        validate(value, schema)
    except SchemaError:
        return True
    return False


def raise_for_refusal(refusal: Any) -> None:
    """Raise an error if the model refused to give the value.

    Args:
        refusal: What the server says of a refusal, if anything.

    Raises:
        StructuredAnswerError: It did; the message holds what it said.
    """
    if refusal:
        raise StructuredAnswerError(f"The model refused to answer: {str(refusal)[:200]!r}.")
