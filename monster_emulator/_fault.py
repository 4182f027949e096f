"""What a fault is: a name, arguments that are checked, and what it does to a response."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated, ClassVar, get_type_hints

from ._fault_arguments import SECONDS
from ._held_response import HeldResponse


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
