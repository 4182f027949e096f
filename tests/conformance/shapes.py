"""Reduce an answer to what two servers with different models must have in common."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import httpx

# values that do not depend on what a model says
_KEPT_KEYS = """
    code detail error finish_reason index max_model_len message model name object owned_by param
    parent prompt_tokens role root stop_reason type
"""
KEPT = frozenset(_KEPT_KEYS.split())


def shape_of(response: httpx.Response) -> dict[str, Any]:
    """Return an answer's status and content type, its keys and types, and what is kept of values.

    Args:
        response: The answer, read to its end.
    """
    kind = response.headers["content-type"]
    if kind.startswith("text/event-stream"):
        body = _stream(response.text)
    elif kind == "application/json":
        body = _shape(response.json())
    else:
        body = response.text
    return {"status": response.status_code, "content type": kind, "body": body}


def _stream(text: str) -> dict[str, Any]:
    """Say in which order the kinds of events come, and how each choice goes on."""
    *events, rest = text.split("\n\n")
    parsed = [_parsed(event) for event in events]
    choices: dict[str, list[Any]] = {}
    for event in parsed:
        if _kind(event) in ("role", "delta"):
            (choice,) = event["choices"]
            choices.setdefault(f"choice {choice['index']}", []).append(_shape(event))
    return {
        "order": _collapsed(map(_kind, parsed)),
        "roles": sum(_kind(event) == "role" for event in parsed),
        **{name: _collapsed(shapes) for name, shapes in choices.items()},
        "others": [_shape(event) for event in parsed if _kind(event) in ("usage", "error")],
        "rest": rest,
    }


def _parsed(event: str) -> Any:
    data = event.removeprefix("data: ")
    return data if data == "[DONE]" else json.loads(data)


def _kind(event: Any) -> str:
    if event == "[DONE]":
        return "done"
    if "error" in event:
        return "error"
    if not event["choices"]:
        return "usage"
    return "role" if "role" in event["choices"][0]["delta"] else "delta"


def _collapsed(values: Iterable[Any]) -> list[Any]:
    return [value for value, _ in groupby(values)]


def _shape(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _shape(inner, name) for name, inner in value.items()}
    if key == "bytes":
        return "bytes"
    if isinstance(value, list):
        if key == "choices":  # the server sorts them by likelihood
            value = sorted(value, key=lambda choice: choice["index"])
        shapes = [_shape(inner) for inner in value]
        return _distinct(shapes) if key == "content" else shapes
    if key in KEPT:
        return value
    if isinstance(value, str):
        return "JSON" if key in ("content", "arguments") and _is_json(value) else "text"
    return "null" if value is None else "number"


def _distinct(shapes: list[Any]) -> list[Any]:
    return [shape for place, shape in enumerate(shapes) if shape not in shapes[:place]]


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False
