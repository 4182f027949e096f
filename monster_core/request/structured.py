"""Decide how a response in a type, schema, choice, pattern or grammar is asked for and read.

:func:`output_spec_of` turns a type into request fields and into what reads the response as a value
of the type; :func:`schema_part` turns a JSON schema into what it adds to a request. Whatever comes
back is checked against the original: a constraint may fail open.
"""

from __future__ import annotations

import enum
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, get_origin

from monster_core.errors import (
    IGNORED_GUIDE_ADVICE,
    InvalidRequestError,
    ResponseError,
    StructuredAnswerError,
    TruncatedAnswerError,
)
from monster_core.json_schema import SchemaError, lower, schema_of
from monster_core.json_schema.lower import canonical
from monster_core.json_schema.schema_for_prompt import schema_for_prompt
from monster_core.name_suggestions import unknown_name
from monster_core.request.engine_choice import EngineChoice
from monster_core.request.request_part import RequestPart
from monster_core.response.json import parse_json_text
from monster_core.response.types import ResponseSpec

__all__ = ["METHODS", "OutputSpec", "guidable_pattern", "output_spec_of", "schema_part"]

METHODS = (
    "guided_json",
    "json_schema",
    "function_calling",
    "json_mode",
    "guided_choice",
    "guided_regex",
    "guided_grammar",
)
"""Every way to ask for structured output; "json_schema" is another name of "guided_json"."""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """Hold how structured output is asked for and read.

    Args:
        method: How the response is constrained.
        fields: The request fields that ask for it.
        schema: The JSON schema, for the methods that have one.
        read: Turns the response's text and its finish reason into the value.
    """

    method: str
    fields: Mapping[str, Any]
    read: Callable[[str, str | None], Any]
    schema: dict[str, Any] | None = None

    @property
    def is_guided(self) -> bool:
        """Whether the server is asked to hold the response to the schema."""
        return self.method != "json_mode"


def output_spec_of(output_type: Any, method: str | None = None) -> OutputSpec:
    """Decide how to ask for output of a type.

    Args:
        output_type: A type that pydantic can validate, a JSON schema (dict or text, also in the
            wrapper of a provider), a Literal, an Enum, a compiled pattern or a Lark grammar.
        method: One of METHODS; None for the one that fits the type.

    Raises:
        InvalidRequestError: The method is unknown, or does not fit the type.
    """
    if method is not None and method not in METHODS:
        raise InvalidRequestError(
            f"{unknown_name('method', method, METHODS)} Use one of {', '.join(METHODS)}."
        )
    chosen = method or _fitting_method(output_type)
    if chosen == "guided_choice":
        return _choice(output_type)
    if chosen == "guided_regex":
        return _pattern(output_type)
    if chosen == "guided_grammar":
        return _grammar(output_type)
    return _json(output_type, "guided_json" if chosen == "json_schema" else chosen)


def _fitting_method(output_type: Any) -> str:
    if _choices_of(output_type) is not None:
        return "guided_choice"
    if isinstance(output_type, re.Pattern):
        return "guided_regex"
    if _grammar_text(output_type) is not None:
        return "guided_grammar"
    return "guided_json"


def _json(output_type: Any, method: str) -> OutputSpec:
    try:
        schema = schema_of(output_type)
    except (SchemaError, TypeError) as error:
        reason = error.reason if isinstance(error, SchemaError) else str(error)
        end = "" if reason.endswith("?") else "."
        raise InvalidRequestError(
            f"The schema cannot be used: {reason.rstrip('.')}{end} {_hint(output_type, method)}"
        ) from error
    named = {"name": str(schema.get("title") or "answer"), "schema": schema}
    fields = {"response_format": {"type": "json_schema", "json_schema": named}}
    if method == "json_mode":
        fields = {"response_format": {"type": "json_object"}}

    def read(text: str, finish_reason: str | None) -> Any:
        # the response pipeline has restored guided text, but not text in a code fence
        lowered = lower(schema)
        is_guided = method == "guided_json" and lowered.guided
        return lowered.restore(parse_json_text(text, finish_reason, is_guided=is_guided))

    return OutputSpec(method, fields, read, schema)


def _hint(output_type: Any, method: str) -> str:
    """Say what to give instead of what is neither a type nor a schema."""
    if isinstance(output_type, str):
        return "A text must be a JSON schema, or a Lark grammar with a start rule."
    if isinstance(output_type, (list, tuple)):
        return "A list of texts takes method='guided_choice'."
    if isinstance(output_type, re.Pattern):
        return f"A pattern takes method='guided_regex', not {method!r}."
    if hasattr(type(output_type), "model_fields"):
        return f"Give the class {type(output_type).__name__}, not an object of it."
    return "Give a type that pydantic can validate, or a JSON schema."


def _choice(output_type: Any) -> OutputSpec:
    values = _choices_of(output_type)
    if values is None and isinstance(output_type, (list, tuple)):
        values = list(output_type)
    if not values:
        raise InvalidRequestError("guided_choice takes a Literal, an Enum or a list of texts.")
    by_text = _by_text(values)

    def read(text: str, finish_reason: str | None) -> Any:
        if text in by_text:
            return by_text[text]
        if text.strip() in by_text:
            return by_text[text.strip()]
        raise _unfit(text, f"none of {', '.join(by_text)}", finish_reason)

    return OutputSpec("guided_choice", {"guided_choice": list(by_text)}, read)


def _choices_of(output_type: Any) -> list[Any] | None:
    """Return the values of a Literal or the members of an Enum; None for another type."""
    if get_origin(output_type) is Literal:
        return list(get_args(output_type))
    if isinstance(output_type, type) and issubclass(output_type, enum.Enum):
        return list(output_type)
    return None


def _by_text(values: Iterable[Any]) -> dict[str, Any]:
    """Return each value by the text that the model writes for it."""
    by_text: dict[str, Any] = {}
    for value in values:
        text = str(value.value if isinstance(value, enum.Enum) else value)
        if not text:
            raise InvalidRequestError("guided_choice cannot offer an empty text: leave it out.")
        if text in by_text and by_text[text] is not value and not _is_same(by_text[text], value):
            raise InvalidRequestError(
                f"guided_choice cannot tell {by_text[text]!r} from {value!r}, which are the same "
                "text: leave one out, or make the type a field of a pydantic model, which is "
                "answered as JSON."
            )
        by_text.setdefault(text, value)
    return by_text


def _is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _pattern(output_type: Any) -> OutputSpec:
    try:
        pattern = re.compile(output_type)
    except (TypeError, re.error) as error:
        raise InvalidRequestError(f"guided_regex takes a regular expression: {error}.") from None
    if not isinstance(pattern.pattern, str):
        raise InvalidRequestError("guided_regex takes a regular expression of text, not of bytes.")
    sent = guidable_pattern(pattern)

    def read(text: str, finish_reason: str | None) -> str:
        if pattern.fullmatch(text):
            return text
        raise _unfit(text, f"not a match of {pattern.pattern!r}", finish_reason)

    return OutputSpec("guided_regex", {"guided_regex": sent}, read)


def guidable_pattern(pattern: re.Pattern[str]) -> str:
    """Return a pattern as the server can compile it: it always matches the whole response.

    Args:
        pattern: The compiled pattern.

    Raises:
        InvalidRequestError: It uses what the server cannot compile.
    """
    if pattern.flags & ~(re.UNICODE | re.DOTALL):
        raise InvalidRequestError("guided_regex takes no flags: write the pattern without them.")
    source = _ANCHORED_START.sub("", _ANCHORED_END.sub(r"\1", pattern.pattern))
    obstacle = next((found[1] for found in _PIECES.finditer(source) if found[1]), None)
    if obstacle:
        raise InvalidRequestError(
            f"guided_regex cannot use {obstacle!r}: the server compiles no look-around, "
            "back-reference, special group or anchor inside a pattern, and no \\u, \\N or \\0."
        )
    return source


# outlines 0.0.44 compiles patterns with interegular, which knows none of these
_ANCHORED_START = re.compile(r"\A(?:\^|\\A)")
_ANCHORED_END = re.compile(r"(?<!\\)((?:\\\\)*)(?:\$|\\Z)\Z")
_PIECES = re.compile(
    r"\[\^?\]?(?:\\[^uUN]|[^\]\\])*\]"  # a class of characters: nothing in it is an anchor
    r"|(\(\?(?:[=!>#(]|<[=!]|P=)|\\(?:[1-9bBAZuUN]|0(?![0-7]))|[\^$])"
    r"|\\?.",
    re.DOTALL,
)


def _grammar(output_type: Any) -> OutputSpec:
    grammar = _grammar_text(output_type)
    if grammar is None:
        raise InvalidRequestError("guided_grammar takes a Lark grammar with a start rule.")

    def read(text: str, finish_reason: str | None) -> str:
        if text:
            return text
        raise StructuredAnswerError(
            "The answer is empty: the server cannot read the grammar (Lark EBNF), and does not "
            "say so."
        )

    return OutputSpec("guided_grammar", {"guided_grammar": grammar}, read)


def _grammar_text(output_type: Any) -> str | None:
    source = getattr(output_type, "source_grammar", output_type)  # of a lark.Lark
    has_start = isinstance(source, str) and _START_RULE.search(source)
    return source if has_start else None


_START_RULE = re.compile(r"^\s*\??start\b[^:\n]*:", re.MULTILINE)


def _unfit(text: str, what: str, finish_reason: str | None) -> ResponseError:
    if finish_reason == "length":
        return TruncatedAnswerError(
            "max_tokens cut the answer before it was complete: raise max_tokens and ask again."
        )
    return StructuredAnswerError(f"The answer {text[:200]!r} is {what}. {IGNORED_GUIDE_ADVICE}")


_log = logging.getLogger(__name__)
_obstacles_logged: set[str] = set()


def schema_part(
    schema: Mapping[str, Any],
    *,
    in_prompt: bool,
    is_single: bool = True,
    engines: EngineChoice | None = None,
) -> RequestPart:
    """Return what the JSON schema of the response adds to a request.

    Args:
        schema: The schema of the whole response.
        in_prompt: Whether the prompt holds the schema, too: guiding alone does not show it to the
            model.
        is_single: Whether one response is asked for: only then may the server keep to a grammar.
        engines: What may hold the response to the schema.

    Raises:
        InvalidRequestError: It is not a usable JSON schema.
    """
    engines = engines or EngineChoice()
    try:
        lowered = engines.lower(schema)
    except SchemaError as error:
        raise InvalidRequestError(f"The answer's schema cannot be used: {error}.") from error
    shown = canonical(schema_for_prompt(schema)).decode()
    prompt = f"Answer with only JSON that satisfies this JSON schema:\n\n{shown}"
    spec = ResponseSpec(schema=lowered)
    if lowered.obstacle is None:
        fields = {"guided_json": lowered.schema, **engines.fields(lowered.engine)}
        guided = RequestPart(fields, prompt if in_prompt else None, spec, is_prompt_optional=True)
        return _repeatable(guided, schema, prompt)
    if lowered.obstacle not in _obstacles_logged:
        _obstacles_logged.add(lowered.obstacle)
        _log.warning(
            "The answer cannot be guided by its schema (%s): the schema stands in the prompt, and "
            "the answer is checked afterwards.",
            lowered.obstacle,
        )
    if schema.get("type", "object") != "object":
        return _repeatable(RequestPart({}, prompt, spec), schema, prompt)
    part = object_part(engines)
    asked = part.fields if is_single or part.spec.schema is not None else {}
    if part.spec.schema is not None:
        spec = ResponseSpec(schema=replace(lowered, engine=part.spec.schema.engine))
    return _repeatable(RequestPart(asked, prompt, spec), schema, prompt)


def _repeatable(part: RequestPart, schema: Mapping[str, Any], prompt: str) -> RequestPart:
    """Return a part that can be asked for again, with what was wrong added to the prompt."""

    def after(problem: str, is_json: bool) -> RequestPart:
        shown = f"{prompt}\n\n{problem}"
        return RequestPart(part.fields, shown, part.spec) if is_json else RequestPart({}, shown)

    return replace(part, schema=schema, after=after)


_OBJECT = {"type": "object"}


def object_part(engines: EngineChoice) -> RequestPart:
    """Return what asking for any JSON object adds to a request.

    ``response_format`` lets a model write white space without end, and several choices share their
    place in its grammar, which stops the server. An engine that follows a schema while it writes
    has neither fault.

    Args:
        engines: What may hold the response to a schema.
    """
    for engine in engines.engines:
        if not engine.compiles:
            lowered = lower(_OBJECT, engine=engine)
            fields = {"guided_json": lowered.schema, **engines.fields(engine)}
            return RequestPart(fields, spec=ResponseSpec(schema=lowered))
    return RequestPart({"response_format": {"type": "json_object"}})
