"""Read which models an endpoint serves, and their context windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from monster_core.errors import ResponseError

__all__ = [
    "MAX_DISCOVERY_SECONDS",
    "ServedModel",
    "context_window_of",
    "context_window_sources",
    "read_models",
]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model that an endpoint serves.

    Args:
        id: The name to ask for it.
        context_window: Tokens that prompt and response may have together, if the endpoint says so.
    """

    id: str
    context_window: int | None


def read_models(body: bytes) -> list[ServedModel]:
    """Read the body of ``GET {base}/models``.

    Args:
        body: The bytes of the response.

    Raises:
        ResponseError: The body is not a list of models.
    """
    data = _parse(body)
    rows = data.get("data") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise ResponseError(_UNREADABLE)
    return [_read_model(row) for row in rows if isinstance(row, dict) and row.get("id")]


def read_models_info(body: bytes) -> list[ServedModel]:
    """Read the body of MonsterAPI's ``GET {base}/models/info``, in either of its two forms.

    Args:
        body: The bytes of the response.

    Raises:
        ResponseError: The body is not a JSON object.
    """
    data = _parse(body)
    if not isinstance(data, dict):
        raise ResponseError(_UNREADABLE)
    windows = data.get("maximum_context_length")
    if not isinstance(windows, dict):
        windows = {
            model: info.get("maximum_context_length")
            for model, info in data.items()
            if isinstance(info, dict)
        }
    return [ServedModel(model, _window(window)) for model, window in windows.items()]


def context_window_of(model: str, served: Iterable[ServedModel]) -> int | None:
    """Return a model's context window, or None if the endpoint does not say it.

    Args:
        model: The model's name.
        served: What an endpoint said of its models.
    """
    windows = (found.context_window for found in served if found.id == model)
    return next((window for window in windows if window is not None), None)


def context_window_sources(model: str) -> list[tuple[str, Callable[[bytes], int | None]]]:
    """Return the paths where an endpoint may tell a context window, and how each body is read.

    Args:
        model: The model's name.
    """

    def window_in(read: Callable[[bytes], list[ServedModel]], body: bytes) -> int | None:
        return context_window_of(model, read(body))

    return [
        ("/models", partial(window_in, read_models)),
        ("/models/info", partial(window_in, read_models_info)),
    ]


MAX_DISCOVERY_SECONDS = 10.0
"""Seconds that a question for a model's context window may take, unless the caller says so."""

_UNREADABLE = (
    "The server's list of models cannot be read: check the base URL, it ends in /v1 as a rule."
)


def _read_model(row: dict[str, Any]) -> ServedModel:
    for name in ("max_model_len", "context_length", "context_window", "max_context_length"):
        window = _window(row.get(name))
        if window is not None:
            return ServedModel(str(row["id"]), window)
    return ServedModel(str(row["id"]), None)


def _window(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 and value is not True else None


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None
