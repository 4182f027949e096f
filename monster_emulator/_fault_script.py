"""Which request meets which fault: the next ones of a script, or the one that asks for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._client import Clients
from ._dialects import Dialect
from ._errors import Refusal
from ._fault import Fault, FaultError
from ._fault_text import fault_of, split
from ._held_response import HeldResponse

HEADER = "x-emulator-fault"


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
        planned = _Planned(
            fault_of(name, {**written, **arguments}), count if times is None else times
        )
        with self._lock:
            self._planned.append(planned)

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
            if planned.is_last():
                self._planned.pop(0)
            return planned.fault


@dataclass(slots=True)
class _Planned:
    """A fault, and how many requests are still to meet it."""

    fault: Fault
    times: int | Literal["always"]

    def __post_init__(self) -> None:
        is_count = isinstance(self.times, int) and not isinstance(self.times, bool)
        if self.times != "always" and not (is_count and self.times >= 1):
            raise FaultError(
                "The argument 'times' of a fault must be a whole number from 1 on, or 'always', "
                f"not {self.times!r}."
            )

    def is_last(self) -> bool:
        """Count a request, and say whether it is the last one."""
        if self.times == "always":
            return False
        self.times -= 1
        return self.times == 0


class FaultInjection:
    """Calls the endpoint and lets faults happen to its replies.

    A request whose header `x-emulator-fault` asks for a fault meets that one, and takes none off
    the script.
    """

    def __init__(
        self, app: ASGIApp, script: FaultScript, clients: Clients, dialect: Dialect
    ) -> None:
        self._app = app
        self._script = script
        self._clients = clients
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
        else:
            await self._meet(fault, scope, receive, send)

    async def _meet(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        body = [await receive()]
        async with self._clients.watch(receive) as client:

            async def receive_again() -> Message:
                return body.pop() if body else await client.leaves()

            async with HeldResponse(
                self._app, scope, receive_again, send, client, self._dialect
            ) as response:
                if not fault.delay or await client.stays(fault.delay):
                    await fault.act(response)
