"""Which request meets which fault: the next ones of a script, or the one that asks for it.

A fault in words, `NAME; argument=value`, is what the header and the command line hold.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import threading
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ._dialects import Dialect
from ._errors import Refusal
from ._fault import TIMES, Fault, FaultError
from ._faults import FAULTS, Status
from ._faulty_response import FaultyResponse

HEADER = "x-emulator-fault"

_ARGUMENT = re.compile(r";\s*(?=\w+\s*=|$)")


class FaultScript:
    """The faults that the next requests meet, in this order."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def add(
        self, name: int | str, times: int | Literal["always"] | None, arguments: dict[str, Any]
    ) -> None:
        """Plan a fault after those that are planned already."""
        name, written = split(str(name))
        count = written.pop("times", 1)
        fault = fault_of(name, {**written, **arguments})
        times = count if times is None else times
        if not TIMES.accepts(times):
            raise FaultError(
                f"The argument 'times' of a fault must be {TIMES.description}, not {times!r}."
            )
        with self._lock:
            self._planned.append(_Planned(fault, math.inf if times == "always" else times))

    def clear(self) -> None:
        """Forget what has not happened yet."""
        with self._lock:
            self._planned.clear()

    def take(self) -> Fault | None:
        """Return the fault that the next request meets, if it meets one."""
        with self._lock:
            if not self._planned:
                return None
            planned = self._planned[0]
            planned.times -= 1
            if not planned.times:
                self._planned.pop(0)
            return planned.fault


@dataclass(slots=True)
class _Planned:
    """A fault, and how many requests are still to meet it."""

    fault: Fault
    times: float


class FaultInjection:
    """Calls the endpoint and lets faults happen to its replies.

    A request whose header `x-emulator-fault` asks for a fault meets that one, and takes none off
    the script.
    """

    def __init__(self, app: ASGIApp, script: FaultScript, dialect: Dialect) -> None:
        self._app = app
        self._script = script
        self._dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            asked = Headers(scope=scope).get(HEADER)
            fault = self._script.take() if asked is None else fault_of(*split(asked))
        except FaultError as error:
            body = self._dialect.error_body(Refusal(str(error)))
            refusal = JSONResponse(body, Refusal.status)
            await refusal(scope, receive, send)
            return
        if fault is None:
            await self._app(scope, receive, send)
            return
        response = FaultyResponse(self._app, scope, receive, send, self._dialect)
        if not fault.delay or await response.exchange.stays(fault.delay):
            await fault.act(response)


def split(text: str) -> tuple[str, dict[str, Any]]:
    """Split a fault in words into its name and its arguments: JSON, or the text that they are."""
    name, *parts = _ARGUMENT.split(text)
    arguments = {}
    for part in filter(None, parts):
        argument, _, value = part.partition("=")
        arguments[argument.strip()] = _value(value.strip())
    return name.strip(), arguments


def fault_of(name: str, arguments: dict[str, Any]) -> Fault:
    """Make a fault of its name and arguments."""
    kind: type[Fault] | None = Status if name.isdecimal() else FAULTS.get(name)
    if kind is None:
        raise FaultError(
            f"There is no fault {name!r}{_nearest(name, list(FAULTS))}. "
            f"There are a status from 200 to 599, {_listed(list(FAULTS))}."
        )
    own = {"status": int(name)} if kind is Status else {}
    taken = [one.name for one in fields(kind) if one.name not in own]
    needed = [one.name for one in fields(kind) if one.default is MISSING and one.name in taken]
    for argument in arguments:
        if argument not in taken:
            raise FaultError(
                f"The fault {name!r} takes no {argument!r}{_nearest(argument, taken)}. "
                f"It takes {_listed(taken)}."
            )
    for argument in needed:
        if argument not in arguments:
            raise FaultError(f"The fault {name!r} needs the argument {argument!r}.")
    return kind(**own, **arguments)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _nearest(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _listed(names: Sequence[str]) -> str:
    *others, final = names
    return f"{', '.join(others)} and {final}" if others else final
