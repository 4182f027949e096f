"""Decide how an answer is given the shape of a type, and read it back as that type.

A schema becomes a guide (``response_format`` of type json_schema), a Literal or an Enum a choice, a
compiled pattern a regular expression, a Lark grammar a grammar. Whatever comes back is held
against the original: a constraint may fail open.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from monster_core.errors import (
    InvalidRequestError,
    ResponseError,
    StructuredAnswerError,
    TruncatedAnswerError,
)
from monster_core.json_schema import SchemaError, lower, schema_of
from monster_core.request.guidable_patterns import guidable_pattern
from monster_core.response.json import parse_json_text

__all__ = ["METHODS", "OutputSpec", "output_spec_of"]

METHODS = (
    "guided_json",
    "json_schema",
    "function_calling",
    "json_mode",
    "guided_choice",
    "guided_regex",
    "guided_grammar",
)
"""Every way to ask for a structured answer; "json_schema" is another name of "guided_json"."""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """Hold how a shape is asked for and read back.

    Args:
        method: How the answer is constrained.
        fields: The parameters that ask for it.
        schema: The JSON schema, for the methods that have one.
        read: Turns the answer's text and its finish reason into the value.
    """

    method: str
    fields: Mapping[str, Any]
    read: Callable[[str, str | None], Any]
    schema: dict[str, Any] | None = None


def output_spec_of(shape: Any, method: str | None = None) -> OutputSpec:
    """Decide how to ask for a shape.

    Args:
        shape: A pydantic class, TypedDict, dataclass, JSON schema (dict or text), Literal, Enum,
            compiled pattern or Lark grammar.
        method: One of METHODS; None for the one that fits the shape.

    Raises:
        InvalidRequestError: The method is unknown, or does not fit the shape.
    """
    if method is not None and method not in METHODS:
        from monster_core.name_suggestions import unknown_name

        raise InvalidRequestError(
            f"{unknown_name('method', method, METHODS)} Use one of {', '.join(METHODS)}."
        )
    chosen = method or _fitting_method(shape)
    if chosen == "guided_choice":
        return _choice(shape)
    if chosen == "guided_regex":
        return _pattern(shape)
    if chosen == "guided_grammar":
        return _grammar(shape)
    return _json(shape, "guided_json" if chosen == "json_schema" else chosen)


def _fitting_method(shape: Any) -> str:
    if _choices_of(shape) is not None:
        return "guided_choice"
    if isinstance(shape, re.Pattern):
        return "guided_regex"
    if _grammar_text(shape) is not None:
        return "guided_grammar"
    return "guided_json"


_TEXT_HINT = " A text must be a JSON schema, or a Lark grammar with a start rule."


def _json(shape: Any, method: str) -> OutputSpec:
    try:
        schema = schema_of(shape)
    except (SchemaError, TypeError) as error:
        reason = error.reason if isinstance(error, SchemaError) else str(error)
        hint = _TEXT_HINT if isinstance(shape, str) else ""
        raise InvalidRequestError(f"The schema cannot be used: {reason}.{hint}") from error
    named = {"name": str(schema.get("title") or "answer"), "schema": schema}
    fields = {"response_format": {"type": "json_schema", "json_schema": named}}
    if method == "json_mode":
        fields = {"response_format": {"type": "json_object"}}

    def read(text: str, finish_reason: str | None) -> Any:
        # the response pipeline has restored guided text, but not text in a code fence
        return lower(schema).restore(parse_json_text(text, finish_reason))

    return OutputSpec(method, fields, read, schema)


def _choice(shape: Any) -> OutputSpec:
    values = _choices_of(shape)
    if values is None and isinstance(shape, (list, tuple)):
        values = {str(value): value for value in shape}
    if not values:
        raise InvalidRequestError("guided_choice takes a Literal, an Enum or a list of texts.")
    found: dict[str, Any] = values

    def read(text: str, finish_reason: str | None) -> Any:
        if text in found:
            return found[text]
        if text.strip() in found:
            return found[text.strip()]
        raise _unfit(text, f"none of {', '.join(found)}", finish_reason)

    return OutputSpec("guided_choice", {"guided_choice": list(found)}, read)


def _pattern(shape: Any) -> OutputSpec:
    try:
        pattern = re.compile(shape)
    except (TypeError, re.error) as error:
        raise InvalidRequestError(f"guided_regex takes a regular expression: {error}.") from None
    if not isinstance(pattern.pattern, str):
        raise InvalidRequestError("guided_regex takes a regular expression of text, not of bytes.")
    sent = guidable_pattern(pattern)

    def read(text: str, finish_reason: str | None) -> str:
        if pattern.fullmatch(text):
            return text
        raise _unfit(text, f"no match of {pattern.pattern!r}", finish_reason)

    return OutputSpec("guided_regex", {"guided_regex": sent}, read)


def _grammar(shape: Any) -> OutputSpec:
    grammar = _grammar_text(shape) or (shape if isinstance(shape, str) else None)
    if grammar is None or not re.search(r"^\s*\??start\b[^:\n]*:", grammar, re.MULTILINE):
        raise InvalidRequestError("guided_grammar takes a Lark grammar with a start rule.")

    def read(text: str, finish_reason: str | None) -> str:
        if text:
            return text
        raise StructuredAnswerError(
            "The answer is empty: the server cannot read the grammar (Lark EBNF), and says nothing."
        )

    return OutputSpec("guided_grammar", {"guided_grammar": grammar}, read)


def _unfit(text: str, what: str, finish_reason: str | None) -> ResponseError:
    if finish_reason == "length":
        return TruncatedAnswerError(
            "max_tokens cut the answer before it was complete: raise max_tokens and ask again."
        )
    return StructuredAnswerError(
        f"The answer {text[:200]!r} is {what}: the server did not enforce the constraint."
    )


def _choices_of(shape: Any) -> dict[str, Any] | None:
    """Return the texts to choose from, each with the value it stands for."""
    if get_origin(shape) is Literal:
        return {str(value): value for value in get_args(shape)}
    if isinstance(shape, type) and issubclass(shape, enum.Enum):
        return {str(member.value): member for member in shape}
    return None


def _grammar_text(shape: Any) -> str | None:
    source = getattr(shape, "source_grammar", shape)
    if isinstance(source, str) and re.search(r"^\s*\??start\b[^:\n]*:", source, re.MULTILINE):
        return source
    return None
