"""Decide what a model class takes as arguments, and what the environment fills in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, PlainSerializer, SecretStr, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from monster_core.name_suggestions import unknown_name
from monster_core.secrets import check_headers, check_key

if TYPE_CHECKING:
    import httpx

__all__ = [
    "DEFAULT_TIMEOUT",
    "HeadersArgument",
    "TimeoutArgument",
    "filled_in",
    "refuse_unknown",
]

DEFAULT_TIMEOUT = 120.0
"""Seconds for each phase of a request."""

_PHASES = ("connect", "read", "write", "pool")


def _seconds(value: Any) -> Any:
    if value is None or all(hasattr(value, phase) for phase in _PHASES):
        return value
    if isinstance(value, Mapping) and set(value) <= set(_PHASES):
        import httpx

        return httpx.Timeout(**{phase: value.get(phase) for phase in _PHASES})
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise ValueError("a timeout is a number of seconds above 0, or an httpx.Timeout")
    return float(value)


def _timeout_to_json(value: Any) -> Any:
    if value is None or isinstance(value, float):
        return value
    return {phase: getattr(value, phase) for phase in _PHASES}


if TYPE_CHECKING:
    TimeoutArgument = float | httpx.Timeout | None
    HeadersArgument = dict[str, SecretStr] | None
else:
    TimeoutArgument = Annotated[Any, BeforeValidator(_seconds), PlainSerializer(_timeout_to_json)]
    HeadersArgument = Annotated[dict[str, SecretStr] | None, BeforeValidator(check_headers)]


def refuse_unknown(model: type[BaseModel], data: Mapping[str, Any], extra: str) -> None:
    """Refuse arguments that a class does not have.

    Args:
        model: The class.
        data: Arguments by name.
        extra: The argument that takes fields this package does not know.

    Raises:
        ValidationError: It names each unknown argument, and the nearest known one.
    """
    unknown = data.keys() - model.model_fields.keys()
    if not unknown:
        return
    known = {*model.model_fields, *_aliases(model)}
    advice = f"Fields this package does not know go into {extra}."
    errors = [
        InitErrorDetails(
            type=PydanticCustomError("unknown_argument", "{said} {advice}", said),
            loc=(name,),
            input=None,
        )
        for name in sorted(unknown - known)
        for said in [{"said": unknown_name("argument", name, known), "advice": advice}]
    ]
    if errors:
        raise ValidationError.from_exception_data(model.__name__, errors, hide_input=True)


def filled_in(data: Mapping[str, Any], base_url_field: str) -> dict[str, Any]:
    """Lay arguments over the environment's settings, and check key and address.

    Args:
        data: Arguments by name.
        base_url_field: The argument that holds the base URL.

    Raises:
        ConfigurationError: The key, the address or a variable cannot be used.
    """
    from monster_core.settings import check_base_url, environment_settings

    found = environment_settings()
    filled = {name: value for name, value in data.items() if value is not None}
    if "api_key" in filled:
        filled["api_key"] = check_key(filled["api_key"], "api_key")
    elif found.api_key is not None:
        filled["api_key"] = found.api_key
    for name in ("timeout", "max_retries", "allow_http", "model"):
        value = getattr(found, name)
        if name not in filled and value is not None:
            filled[name] = value
    filled[base_url_field] = check_base_url(
        str(filled.get(base_url_field, found.api_base)), allow_http=bool(filled["allow_http"])
    )
    return filled


def _aliases(model: type[BaseModel]) -> set[str]:
    return {field.alias for field in model.model_fields.values() if field.alias}
