"""Read the list of models that an endpoint serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from monster_core.errors import ResponseError

__all__ = ["ServedModel", "read_models"]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """Hold one model that an endpoint serves.

    Args:
        id: The name to ask for it.
        context_window: How many tokens prompt and answer may have together, if it says so.
    """

    id: str
    context_window: int | None


def read_models(body: bytes) -> list[ServedModel]:
    """Read the body of ``GET {base}/models``.

    Args:
        body: The bytes of the reply.

    Raises:
        ResponseError: The body is no list of models.
    """
    try:
        data = orjson.loads(body)
    except ValueError:
        data = None
    rows = data.get("data") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise ResponseError(
            "The server's list of models cannot be read: check the base URL, it ends in /v1 as a "
            "rule."
        )
    return [_read_model(row) for row in rows if isinstance(row, dict) and row.get("id")]


def _read_model(row: dict[str, Any]) -> ServedModel:
    for name in ("max_model_len", "context_length", "context_window", "max_context_length"):
        window = row.get(name)
        if isinstance(window, int) and window > 0:
            return ServedModel(str(row["id"]), window)
    return ServedModel(str(row["id"]), None)
