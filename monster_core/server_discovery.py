"""Read which release of vLLM an endpoint is, from what it says without being asked to generate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from monster_core.server_profiles import name_of_release

__all__ = ["SERVER_SOURCES", "read_openapi", "read_version"]


def read_version(body: bytes) -> str | None:
    """Read the body of ``GET /version``.

    Args:
        body: The bytes of the response.

    Returns:
        The server's name for the argument ``server``; None if it is not a release that has a
        profile.
    """
    data = _parse(body)
    version = data.get("version") if isinstance(data, dict) else None
    return name_of_release(version) if isinstance(version, str) else None


def read_openapi(body: bytes) -> str | None:
    """Read the body of ``GET /openapi.json``: the fields of a request tell the release's profile.

    Args:
        body: The bytes of the response.

    Returns:
        As :func:`read_version`.
    """
    fields: Any = _parse(body)
    for key in ("components", "schemas", "ChatCompletionRequest"):
        fields = fields.get(key) if isinstance(fields, dict) else None
    if not isinstance(fields, dict) or not isinstance(fields.get("properties"), dict):
        return None
    return _name_by_fields(fields["properties"], fields.get("additionalProperties") is not False)


SERVER_SOURCES = (("/version", read_version), ("/openapi.json", read_openapi))
"""Where a server may tell its release, beside the base URL, and how each response is read."""


def _name_by_fields(fields: Mapping[str, Any], takes_unknown: bool) -> str | None:
    if "structured_outputs" in fields:
        return "vllm-0.11" if "guided_json" in fields else "vllm"
    if "guided_json" not in fields:
        return None
    if not takes_unknown:
        return "vllm-0.6" if "parallel_tool_calls" in fields else "vllm-0.5"
    return "vllm-0.8.3" if _is_required_known(fields.get("tool_choice")) else "vllm-0.6.6"


def _is_required_known(tool_choice: Any) -> bool:
    options = tool_choice.get("anyOf", [tool_choice]) if isinstance(tool_choice, dict) else []
    return any(
        isinstance(option, dict)
        and (option.get("const") == "required" or "required" in (option.get("enum") or ()))
        for option in options
    )


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None
