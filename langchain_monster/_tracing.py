"""What traces and caches are given of a call: its settings, and none of its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from langchain_core.language_models import LangSmithParams
from pydantic import SecretStr

from monster_core.request.fields import CallParameters

__all__ = ["CALL_OPTIONS", "cached_arguments", "langsmith_params", "traced_params"]

CALL_OPTIONS = ("timeout", "extra_headers")
"""Arguments of a call that are not request fields: how it is sent, not what it asks."""


def langsmith_params(
    fields: Mapping[str, Any], stop: list[str] | None, provider: str
) -> LangSmithParams:
    """Return what LangSmith shows of a call.

    Args:
        fields: The model's fields, replaced by those of the call.
        stop: The call's stop texts.
        provider: The provider's name, which must be the one in the response metadata.
    """
    params = LangSmithParams(ls_provider=provider, ls_model_type="chat")
    for name in ("model", "temperature", "max_tokens"):
        if fields.get(name) is not None:
            key = "ls_model_name" if name == "model" else f"ls_{name}"
            params[key] = fields[name]  # type: ignore[literal-required]
    stops = stop or fields.get("stop")
    if stops:
        params["ls_stop"] = [stops] if isinstance(stops, str) else stops
    return params


def traced_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a call as callbacks see them.

    Those that are not request fields are left out, since they may hold secrets. A long constraint
    is shortened.
    """
    known = {name: value for name, value in params.items() if name in _TRACED}
    return {
        name: _shortened(value) if name in _CONSTRAINTS else value for name, value in known.items()
    }


def cached_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call that a cached answer depends on, without any secret."""
    kept = {name: value for name, value in arguments.items() if name not in CALL_OPTIONS}
    headers = arguments.get("extra_headers")
    if headers:  # a gateway may answer another tenant differently
        kept["extra_headers"] = sha256(repr(_revealed(headers)).encode()).hexdigest()
    return kept


def _revealed(headers: Any) -> Any:
    if not isinstance(headers, Mapping):
        return headers
    return sorted(
        (name, value.get_secret_value() if isinstance(value, SecretStr) else value)
        for name, value in headers.items()
    )


_CONSTRAINTS = frozenset({"guided_json", "guided_regex", "guided_choice", "guided_grammar"})
_TRACED = frozenset(CallParameters.model_fields) | {
    "_type",
    "base_url",
    "model_kwargs",
    "stream",
    "stream_usage",
}
_MAX_CONSTRAINT_CHARS = 1000


def _shortened(constraint: Any) -> Any:
    written = str(constraint)
    if len(written) <= _MAX_CONSTRAINT_CHARS:
        return constraint
    return f"{written[:_MAX_CONSTRAINT_CHARS]}... ({len(written)} characters)"
