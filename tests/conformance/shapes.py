"""Reduce an answer to what two servers with different models must have in common."""

from __future__ import annotations

import json
import re
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


def shape_of_today(response: httpx.Response) -> dict[str, Any]:
    """Return the same of an answer of vLLM 0.32.0, to a model with real weights.

    How long a prompt or an answer is depends on the vocabulary, and so does which pieces of text
    come in one event. What pydantic finds wrong is not compared beyond the field.
    """
    kind = response.headers["content-type"] if response.content else ""
    if kind.startswith("text/event-stream"):
        body: Any = _pieces(response.text)
    elif kind == "application/json":
        body = _of_today(_shape(response.json()))
    else:
        body = response.text
    return {"status": response.status_code, "content type": kind, "body": body}


def _pieces(text: str) -> dict[str, Any]:
    *events, rest = text.split("\n\n")
    parsed = [_parsed(event) for event in events]
    choices: dict[str, list[Any]] = {}
    frames: list[Any] = []
    kinds = [_kind(event) for event in parsed]
    for event, kind in zip(parsed, kinds, strict=True):
        if kind not in ("role", "delta"):
            continue
        (choice,) = event["choices"]
        said = choices.setdefault(f"choice {choice['index']}", [])
        choice["index"] = 0
        said += _said(choice.pop("delta"))
        if choice["finish_reason"]:
            said.append({key: choice[key] for key in ("finish_reason", "stop_reason")})
        if kind == "role" or choice["finish_reason"]:
            frames.append(_of_today(_shape(event)))
    return {
        "roles": kinds.count("role"),
        "frames": _distinct(frames),
        **{name: _distinct(said) for name, said in choices.items()},
        "others": [
            _of_today(_shape(event))
            for event, kind in zip(parsed, kinds, strict=True)
            if kind in ("usage", "error")
        ],
        "rest": rest,
    }


def _said(delta: dict[str, Any]) -> list[Any]:
    """List what a delta says, so that it does not matter how it is divided."""
    calls = delta.pop("tool_calls", [])
    said = [{"content": None}] if calls and "content" in delta else []
    said += [{key: _shape(value, key)} for key, value in delta.items() if value is not None]
    for call in calls:
        function = call.pop("function")
        said += [_shape(call)] if "id" in call else []
        said += [{key: function[key]} if key == "name" else {key: "text"} for key in function]
    return said


_PARTS_OF_START = ("prompt_tokens", "root")
_PARTS_OF_MODEL = re.compile(
    r"(?<=of )\d+(?=, which)|(?<=value=)\d+|(?<=size: )\d+|(?<=max_tokens=)\d+, got \d+"
)


def _of_today(value: Any) -> Any:
    if isinstance(value, list):
        return [_of_today(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    shape = {name: _of_today(inner) for name, inner in value.items() if name not in _PARTS_OF_START}
    message = shape.get("message")
    if isinstance(message, str):
        if "validation error" in message:
            shape["message"], shape["param"] = "validation errors", _field(shape.get("param"))
        else:
            beginning = re.split(r"(?<=Grammar error): |(?<=specified): ", message)[0]
            shape["message"] = _PARTS_OF_MODEL.sub("...", beginning)
    return shape


def _field(param: Any) -> Any:
    return ".".join(param.split(".")[:2]) if isinstance(param, str) else param


SHAPES = {"vllm-0.5.0": shape_of, "vllm-0.32.0": shape_of_today}
"""How an answer of each server is reduced."""
