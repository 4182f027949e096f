"""A fault in words: `NAME; argument=value`, as the header and the command line write it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

from ._fault import Fault, FaultError
from ._faulty_delivery import Cut, HangUp, Pings, Reset, Segments, Slow, Stall
from ._faulty_responses import ErrorEvent, HugeLine, MalformedEvent, Redirect, Status

FAULTS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        *(Redirect, ErrorEvent, MalformedEvent, HugeLine),
        *(Slow, Cut, Reset, Stall, Pings, Segments, HangUp),
    )
}
"""Every fault by its name, but for a status, whose name is its number."""

_ARGUMENT = re.compile(r";\s*(?=\w+\s*=|$)")


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
