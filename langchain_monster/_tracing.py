"""What traces and caches are given of a call: its settings, and none of its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic import SecretStr

from monster_core.request.fields import CallParameters
from monster_core.request.validation import CALL_OPTIONS, GUIDES

__all__ = ["cached_arguments", "traced_params"]


def traced_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a call as callbacks see them.

    Those that are not request fields are left out, since they may hold secrets. A long constraint
    is shortened.
    """
    traced = {}
    for name, value in params.items():
        if name in _TRACED:
            traced[name] = _shortened(value) if name in GUIDES else value
    return traced


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
