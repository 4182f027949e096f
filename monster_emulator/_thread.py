"""The server's thread: uvicorn's protocol on a port that can be closed and opened again."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from os import PathLike

import uvicorn
from uvicorn.server import ServerState

from ._clock import EventLoop
from ._connection import Connection
from ._exchange import Recorder

_BACKLOG = 2048
_GRACE_SECONDS = 1.0  # what has not ended by then is broken off

# a broken-off answer is an error to uvicorn; here it is what was asked for
logging.getLogger("uvicorn").addHandler(logging.NullHandler())


class ServerThread(threading.Thread):
    """Serves an application until it is stopped.

    `uvicorn.Server` looks ten times a second whether it shall stop, and then waits for another
    tenth. Tests that start a server each would wait for these most of their time.
    """

    def __init__(
        self,
        app: Recorder,
        host: str,
        port: int,
        certfile: str | PathLike[str] | None,
        keyfile: str | PathLike[str] | None,
    ) -> None:
        super().__init__(name="monster-emulator", daemon=True)
        self._app = app
        self._ready = threading.Event()
        self._config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            ssl_certfile=certfile,
            ssl_keyfile=keyfile,
        )
        try:
            self._config.load()
        except OSError as error:
            raise OSError(f"the certificate or its key cannot be read: {error}") from error
        self._state = ServerState()
        self._listener = _listen(host, port)
        self.address: tuple[str, int] = host, self._listener.getsockname()[1]

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._state.connections)

    def start(self) -> None:
        """Start, and wait until connections are accepted."""
        super().start()
        self._ready.wait()

    def run(self) -> None:
        """Serve until stopped."""
        loop = EventLoop()
        try:
            loop.run_until_complete(self._serve())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    def stop(self) -> None:
        """End what is being answered, then the server, and wait for it."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self.join()

    def close_port(self) -> None:
        """Refuse connections from now on, and close those that wait for a request."""
        asyncio.run_coroutine_threadsafe(self._close_port(), self._loop).result()

    def open_port(self) -> None:
        """Accept connections again, on the same port."""
        self._listener = _listen(*self.address)
        asyncio.run_coroutine_threadsafe(self._open_port(), self._loop).result()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await self._open_port()
        self._ready.set()
        await self._stopping.wait()
        self._app.dismiss()
        await self._close_port()
        end = self._loop.time() + _GRACE_SECONDS
        while (self._state.connections or self._state.tasks) and self._loop.time() < end:
            await asyncio.sleep(0.002)
        for connection in list(self._state.connections):
            connection.transport.abort()
        for task in self._state.tasks:
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)

    async def _close_port(self) -> None:
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()

    async def _open_port(self) -> None:
        self._server = await self._loop.create_server(
            self._connection, sock=self._listener, ssl=self._config.ssl, backlog=_BACKLOG
        )

    def _connection(self) -> Connection:
        return Connection(self._config, self._state, {})


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol named, asyncio sends each event at once instead of collecting (TCP_NODELAY)
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
