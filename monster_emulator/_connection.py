"""A client's connection, which can break below HTTP: cut, reset, or in tiny segments."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from email.utils import formatdate
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

# no time to linger: closing sends RST at once; Windows has two shorts there
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_STATE_KEY = "emulator_connection"


class Wire:
    """Stands between the HTTP protocol and the transport, and breaks what is written."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._budget: int | None = None
        self._resets = False
        self._held: bytearray | None = None
        self._closes = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, as far as that is allowed now."""
        if self._held is not None:
            self._held += data
        elif self._budget is None:
            self._transport.write(data)
        else:
            self._transport.write(data[: self._budget])
            self._budget -= min(len(data), self._budget)
            if not self._budget:
                self.cut(reset=self._resets)

    def close(self) -> None:
        """Close the connection, after what is held back."""
        if self._held is None:
            self._transport.close()
        else:
            self._closes = True

    def cut(self, *, reset: bool = False) -> None:
        """Close the connection."""
        if reset:
            own: socket.socket = self._transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._transport.abort()
        else:
            self._transport.close()

    def cut_after(self, size: int, *, reset: bool = False) -> None:
        """Close the connection after that many bytes of the reply, its head included."""
        self._budget, self._resets = size, reset
        if not size:
            self.cut(reset=reset)

    def hold(self) -> None:
        """Keep what is written from now on."""
        self._held = bytearray()

    async def release(self, size: int) -> None:
        """Send what was kept, in segments of their own."""
        held, self._held = self._held or b"", None
        for start in range(0, len(held), size):
            if self._transport.is_closing():
                return
            self._transport.write(bytes(held[start : start + size]))
            await asyncio.sleep(0)
        if self._closes:
            self._transport.close()


class Connection(H11Protocol):
    """Uvicorn's HTTP protocol on a wire that can break; requests carry the wire in their state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection."""
        wire = Wire(transport)
        self.app_state = {**self.app_state, _STATE_KEY: wire}
        super().connection_made(cast("asyncio.Transport", wire))

    def data_received(self, data: bytes) -> None:
        """Take a part of a request, whose response will carry the date."""
        date = formatdate(usegmt=True).encode()
        self.server_state.default_headers = [(b"date", date), *self.config.encoded_headers]
        super().data_received(data)

    def shutdown(self) -> None:
        """Close the connection, after the response that is being sent.

        With TLS, a transport that is closed waits for the client to say goodbye too, which a client
        that keeps the connection for its next request does not.
        """
        super().shutdown()
        is_sent = not self.transport.get_write_buffer_size()
        if self.is_idle and is_sent and self.transport.get_extra_info("ssl_object"):
            self.transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether no request of it is being answered."""
        return self.cycle is None or self.cycle.response_complete


def wire_of(scope: Scope) -> Wire:
    """Return the wire that a request came on."""
    wire: Wire = scope["state"][_STATE_KEY]
    return wire
