"""What a fault is: a name, arguments that are checked, and what it does to a response."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any, ClassVar, get_type_hints

from starlette.types import Message

from ._faulty_response import FaultyResponse, without_length


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
TIMES = Kind(
    "a whole number from 1 on, or 'always'",
    lambda value: value == "always" or (_is_whole(value) and value >= 1),
)
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

    async def act(self, response: FaultyResponse) -> None:
        """Answer the request, wrongly."""
        await response.ask_endpoint(self.deliver)

    async def deliver(self, response: FaultyResponse, message: Message) -> None:
        """Do something with a message of the endpoint's, such as passing it on."""
        raise NotImplementedError


@dataclass(frozen=True)
class FaultAtPlace(Fault):
    """Something that happens after some tokens of a stream; in a full answer, in its middle.

    Args:
        after_tokens: How many tokens come first; 0 for the head alone, None for nothing at all.
    """

    after_tokens: Annotated[int | None, COUNT] = None

    def place_in(self, response: FaultyResponse) -> int:
        """Return after how many tokens; of a full answer, any number but 0 is half of the body."""
        return self.after_tokens or 0

    async def happen(self, response: FaultyResponse) -> None:
        """Let go wrong what goes wrong here."""
        raise NotImplementedError

    async def act(self, response: FaultyResponse) -> None:
        """Let it happen at once, or while the endpoint answers."""
        if self.after_tokens is None:
            await self.happen(response)
        else:
            await response.ask_endpoint(self.deliver)

    async def deliver(self, response: FaultyResponse, message: Message) -> None:
        """Pass a message on, and then let it happen if this is the place."""
        message = without_length(message)
        if "body" in message and not (response.is_stream or response.has_happened):
            half = len(message["body"]) // 2
            await response.write(message["body"][:half])
            await self._happen_once(response)
            message = {**message, "body": message["body"][half:]}
        await response.pass_on(message)
        if response.tokens == self.place_in(response):
            await self._happen_once(response)

    async def _happen_once(self, response: FaultyResponse) -> None:
        if not response.has_happened:
            response.has_happened = True
            await self.happen(response)
