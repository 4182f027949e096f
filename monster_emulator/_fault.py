"""What a fault is: a name, arguments that are checked, and what it does to a response."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any, ClassVar, get_type_hints

from ._held_response import HeldResponse


@dataclass(frozen=True)
class Kind:
    """What an argument may be; its default needs no check."""

    description: str
    accepts: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_body(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return isinstance(value, bytes)
    return True


def _is_printable(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_printable(one) for pair in value.items() for one in pair
    )


def _is_moment(value: Any) -> bool:
    return _is_number(value) or isinstance(value, datetime) or _is_printable(value)


COUNT = Kind("a whole number from 0 on", lambda value: _is_whole(value) and value >= 0)
SIZE = Kind("a whole number from 1 on", lambda value: _is_whole(value) and value >= 1)
SECONDS = Kind("a number of seconds from 0 on", lambda v: _is_number(v) and 0 <= v < math.inf)
STATUS = Kind("an HTTP status from 200 to 599", lambda v: _is_whole(v) and 200 <= v <= 599)
REDIRECT = Kind("301, 302, 303, 307 or 308", lambda value: value in (301, 302, 303, 307, 308))
TEXT = Kind("text", lambda value: isinstance(value, str))
PRINTABLE = Kind("printable ASCII", _is_printable)
BODY = Kind("text, bytes or JSON", _is_body)
HEADERS = Kind("an object of names and values in printable ASCII", _are_headers)
MOMENT = Kind("seconds, a datetime, or the header's text in printable ASCII", _is_moment)


class FaultError(ValueError):
    """Report a fault that does not exist, or an argument that it cannot take."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with the response to one request."""

    name: ClassVar[str]

    delay: Annotated[float, SECONDS] = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self), include_extras=True)
        for one in fields(self):
            (kind,), value = kinds[one.name].__metadata__, getattr(self, one.name)
            if value is not one.default and not kind.accepts(value):
                raise FaultError(
                    f"The argument {one.name!r} of the fault {self.name!r} must be "
                    f"{kind.description}, not {value!r}."
                )

    async def act(self, response: HeldResponse) -> None:
        """Answer the request, wrongly."""
        raise NotImplementedError
