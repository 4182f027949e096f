"""Check an answer against the original schema, by the rules of the draft that the schema names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from .errors import SchemaError, SchemaMismatch
from .lower import canonical

if TYPE_CHECKING:  # jsonschema takes longer to import than all the rest of the core
    from jsonschema import FormatChecker
    from jsonschema.protocols import Validator

_OLD_TUPLES = "http://json-schema.org/draft-07/schema#"
_OLD_BOUNDS = "http://json-schema.org/draft-04/schema#"
_URI = re.compile(r"[A-Za-z][A-Za-z\d+.-]*:\S*")
_MAX_SENTENCE_CHARS = 300


def validate(instance: Any, schema: Mapping[str, Any] | bool) -> None:
    """Check that an answer satisfies a schema.

    Args:
        instance: The parsed answer.
        schema: The original schema; ``$schema`` names its draft, 2020-12 by default.

    Raises:
        SchemaMismatch: It does not, with the path and one sentence.
        SchemaError: The schema itself is unusable.
    """
    from jsonschema.exceptions import UndefinedTypeCheck, UnknownType, best_match
    from referencing.exceptions import Unresolvable

    validator = _validator(canonical(schema))
    try:
        error = best_match(validator.iter_errors(instance))
    except Unresolvable as reason:
        raise SchemaError(f"the reference {reason.ref!r} leads to nothing in the schema") from None
    except (UnknownType, UndefinedTypeCheck) as reason:
        unknown = getattr(reason, "type", reason)
        raise SchemaError(f"{unknown!r} is not a JSON schema type") from None
    except RecursionError:
        raise SchemaError("the schema refers to itself without end") from None
    except (AttributeError, TypeError, ValueError) as reason:
        raise SchemaError(f"the schema is malformed: {reason}") from reason
    if error is not None:
        raise SchemaMismatch(_shortened(error.message), error.json_path)


def _shortened(sentence: str) -> str:
    if len(sentence) <= _MAX_SENTENCE_CHARS:
        return sentence
    half = _MAX_SENTENCE_CHARS // 2
    return f"{sentence[:half]} … {sentence[-half:]}"


@lru_cache(maxsize=128)
def _validator(source: bytes) -> Validator:
    from jsonschema.validators import Draft202012Validator, extend, validator_for
    from referencing import Registry
    from referencing.jsonschema import EMPTY_REGISTRY

    document = json.loads(source)
    draft = validator_for({"$schema": _draft(document)}, default=Draft202012Validator)
    tolerant = {
        keyword: _unless(is_excused, draft.VALIDATORS[keyword])
        for keyword, is_excused in _EXCUSED
        if keyword in draft.VALIDATORS
    }
    registry: Registry[Any] = EMPTY_REGISTRY  # with no way to fetch what it does not hold
    validator: Validator = cast(Any, extend)(draft, validators=tolerant)(
        document, registry=registry, format_checker=_formats()
    )
    return validator


def _draft(document: Any) -> str:
    """Return the draft that a document names, otherwise the one whose keywords it has."""
    if isinstance(document, dict) and isinstance(document.get("$schema"), str):
        return str(document["$schema"])
    if _any_in(document, lambda s: isinstance(s.get("exclusiveMinimum"), bool)) or _any_in(
        document, lambda s: isinstance(s.get("exclusiveMaximum"), bool)
    ):
        return _OLD_BOUNDS
    return _OLD_TUPLES if _any_in(document, lambda s: isinstance(s.get("items"), list)) else ""


def _any_in(value: Any, holds: Callable[[dict[str, Any]], bool]) -> bool:
    if isinstance(value, list):
        return any(_any_in(item, holds) for item in value)
    if not isinstance(value, dict):
        return False
    return holds(value) or any(_any_in(item, holds) for item in value.values())


Check = Callable[["Validator", Any, Any, Mapping[str, Any]], Any]


def _unless(is_excused: Callable[[Any, Any, Mapping[str, Any]], bool], check: Check) -> Check:
    def checked(
        validator: Validator, value: Any, instance: Any, schema: Mapping[str, Any]
    ) -> Iterator[Any]:
        if not is_excused(value, instance, schema):
            yield from check(validator, value, instance, schema) or ()

    return checked


def _is_nullable(value: Any, instance: Any, schema: Mapping[str, Any]) -> bool:
    """Return whether a null is allowed by OpenAPI 3.0's keyword for it."""
    return instance is None and schema.get("nullable") is True


def _is_unreadable(value: Any, instance: Any, schema: Mapping[str, Any]) -> bool:
    """Return whether Python cannot read a pattern: JSON schema's are those of ECMA 262."""
    return not _readable(value)


_EXCUSED = (
    ("type", _is_nullable),
    ("enum", _is_nullable),
    ("const", _is_nullable),
    ("allOf", _is_nullable),
    ("anyOf", _is_nullable),
    ("oneOf", _is_nullable),
    ("pattern", _is_unreadable),
)


@lru_cache(maxsize=512)
def _readable(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


@lru_cache(maxsize=1)
def _formats() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(("email", "idn-email", "ipv4", "ipv6", "uuid", "date"))
    checker.checks("date", ValueError)(lambda value: _parses(date.fromisoformat, value))
    checker.checks("time", ValueError)(lambda value: _parses(time.fromisoformat, value))
    checker.checks("date-time", ValueError)(lambda value: _parses(datetime.fromisoformat, value))
    checker.checks("uri")(lambda value: not isinstance(value, str) or bool(_URI.fullmatch(value)))
    return checker


_FRACTION = re.compile(r"\.(\d+)")


def _parses(parse: Callable[[str], Any], value: object) -> bool:
    """Parse a date or a time; Python 3.10 reads neither a Z nor every length of a fraction."""
    if isinstance(value, str):
        value = re.sub("[Zz]$", "+00:00", value).replace("t", "T")
        parse(_FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", value, count=1))
    return True
