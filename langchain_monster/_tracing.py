"""Decide what traces and caches learn of a call: its settings, never its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import LangSmithParams

from monster_core.request.fields import CallParameters

__all__ = ["langsmith_params", "traced_params"]


def langsmith_params(
    fields: Mapping[str, Any], stop: list[str] | None, provider: str
) -> LangSmithParams:
    """Return what LangSmith shows of a call.

    Args:
        fields: The instance's fields, the call's laid over them.
        stop: The call's stop texts.
        provider: The name that response metadata give the provider, too.
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

    Unknown ones are left out, the call refuses them: they may hold secrets. A long guide is cut.

    Args:
        params: The parameters by name.
    """
    known = {name: value for name, value in params.items() if name in _TRACED}
    return {name: _shown(value) if name in _GUIDES else value for name, value in known.items()}


_GUIDES = frozenset({"guided_json", "guided_regex", "guided_choice", "guided_grammar"})
_TRACED = frozenset(CallParameters.model_fields) | {
    "_type",
    "base_url",
    "model_kwargs",
    "stream",
    "stream_usage",
}
_LONGEST_GUIDE = 1000  # characters


def _shown(guide: Any) -> Any:
    written = str(guide)
    if len(written) <= _LONGEST_GUIDE:
        return guide
    return f"{written[:_LONGEST_GUIDE]}... ({len(written)} characters)"
