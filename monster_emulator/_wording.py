"""The server's wording of what a request model finds wrong: pydantic 2.7's, under FastAPI."""

from __future__ import annotations

import re
from json import JSONDecodeError
from typing import Any

from pydantic import ValidationError

# pydantic 2.7 calls each typed dictionary "typed-dict"; later ones call it by its name
_TYPED_DICTS = re.compile(
    r"\b(?:(?:System|User|Assistant|Tool|Function|Custom)Message"
    r"|(?:Text|Image|Custom)Part|ImageURL|CalledFunction|ToolCall)\b"
)
_DOCUMENTATION = re.compile(r"(?<=errors\.pydantic\.dev/)[\d.]+(?=/v/)")
_PART = re.compile(r"^\d+\..*$", re.MULTILINE)


def of_errors(error: ValidationError) -> str:
    """Word what is wrong with a body."""
    details = error.errors(include_url=False)
    return str([{**detail, "loc": ("body", *map(_place, detail["loc"]))} for detail in details])


def of_part_errors(error: ValidationError) -> str:
    """Word what is wrong with a part of a content list."""
    lines = _PART.sub(lambda place: _TYPED_DICTS.sub("typed-dict", place[0]), str(error))
    return _DOCUMENTATION.sub("2.7", lines)


def missing_body() -> dict[str, Any]:
    """Detail that there is no body, as pydantic would."""
    return {"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}


def bad_json(error: JSONDecodeError) -> dict[str, Any]:
    """Detail that a body is not JSON, as pydantic would."""
    return {
        "type": "json_invalid",
        "loc": ("body", error.pos),
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": error.msg},
    }


def _place(step: str | int) -> str | int:
    return _TYPED_DICTS.sub("typed-dict", step) if isinstance(step, str) else step
