"""Read the JSON of an answer that was asked for in a shape, and hold it against its schema.

A constraint may fail open on the server, so what comes back is never taken on trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monster_core.errors import StructuredAnswerError, TruncatedAnswerError
from monster_core.json_schema import (
    SchemaError,
    UnreadableAnswer,
    lower,
    read_json_answer,
    validate,
)

__all__ = ["check_value", "read_value"]


def read_value(text: str, schema: Mapping[str, Any], finish_reason: str | None) -> Any:
    """Read an answer that had to be JSON; whether it satisfies its schema is not asked.

    Args:
        text: The answer.
        schema: The original schema; what guiding the answer by it changed is undone.
        finish_reason: Why the answer ended.

    Raises:
        TruncatedAnswerError: ``max_tokens`` cut it.
        StructuredAnswerError: It is no JSON.
    """
    try:
        value = read_json_answer(text)
    except UnreadableAnswer as error:
        if finish_reason == "length":
            raise _truncated(error) from error
        raise StructuredAnswerError(f"The answer is no JSON: {error.reason}.") from error
    return lower(schema).restore(value)


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


def _truncated(error: UnreadableAnswer) -> TruncatedAnswerError:
    if error.kind == "endless whitespace":
        return TruncatedAnswerError(
            "The model wrote white space until max_tokens: tell it in the prompt to answer in "
            "JSON, or set guided_whitespace_pattern to ''."
        )
    return TruncatedAnswerError(
        "max_tokens cut the answer before its JSON was complete: raise max_tokens and ask again."
    )
