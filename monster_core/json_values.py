"""Read, write and copy JSON values without losing the digits of large integers.

orjson knows integers of 64 bits: it reads larger ones as floats and does not write them. A model
may well write one, an amount in the smallest unit of a currency for instance.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import orjson

__all__ = ["copied", "read_json", "write_json"]

_LARGE_INTEGER = re.compile(r"\d{19}")
_TOO_LARGE_FOR_ORJSON = "infinity"  # what its error says of a number that no float can hold
_WRITABLE_BY_PYTHON = ("64-bit", "surrogates")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def read_json(text: str) -> Any:
    """Read a JSON text.

    Args:
        text: The text.

    Raises:
        ValueError: The text is not JSON, is nested too deeply, or holds a number that Python cannot
            hold; the message says which in one clause.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if _TOO_LARGE_FOR_ORJSON not in str(error):
            raise
    else:
        if not _LARGE_INTEGER.search(text):
            return value
    try:
        return json.loads(text, parse_constant=_constant, parse_float=_float, parse_int=_integer)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _float(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"the number {number[:40]} is too large for a float")
    return value


def _integer(number: str) -> int:
    try:
        return int(number)
    except ValueError:
        raise ValueError(f"an integer has {len(number)} digits, more than Python reads") from None


def write_json(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """Write a value as JSON.

    Args:
        value: The value; keys that are not text are written as text.
        default: Makes JSON values of what is none.

    Raises:
        TypeError: It holds what is not JSON, or is nested too deeply.
    """
    try:
        return orjson.dumps(value, default, orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as error:
        if not any(cause in str(error) for cause in _WRITABLE_BY_PYTHON):
            raise
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=default)
    if _HALF_CHARACTER.search(text):
        return json.dumps(value, separators=(",", ":"), default=default)
    return text


def copied(value: Any) -> Any:
    """Return a JSON value that shares no list or dict with another one.

    Args:
        value: The value; one that is too deep for Python to copy is shared.
    """
    try:
        return _copied(value)
    except RecursionError:
        return value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) if type(one) in _HOLDERS else one for key, one in value.items()}
    if isinstance(value, list):
        return [_copied(one) if type(one) in _HOLDERS else one for one in value]
    return value


_HOLDERS = frozenset({dict, list})
