"""The emulator on a socket of its own, in a thread."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Sequence
from types import TracebackType

import uvicorn

from ._app import Application, Middleware
from ._engine import Engine
from ._recorder import ReceivedRequest, Recorder

# a broken-off answer is an error to uvicorn; here it is what was asked for
logging.getLogger("uvicorn").addHandler(logging.NullHandler())


class Emulator:
    """Serve an endpoint with the rules of vLLM 0.5.0 on the loopback interface.

    It is no language model: it answers by fixed rules. Use it in a `with` statement; it serves
    until the block is left.

    Args:
        model: The served model's name, or its names; the first one stands in every answer,
            and decides which roles its chat template takes.
        api_key: The bearer key to ask for; empty for none.
        max_model_len: The context's length in tokens; a token is a UTF-8 byte.
        pace: Seconds that each token takes.
        host: The address to listen on.
        port: The port to listen on; 0 for a free one.
        middleware: ASGI wrappers around the endpoint, outermost last: the hook for faults.

    Raises:
        OSError: On entering, if the port is in use.
    """

    def __init__(
        self,
        *,
        model: str | Sequence[str] = "meta-llama/Meta-Llama-3.1-8B-Instruct",
        api_key: str = "sk-emulator",
        max_model_len: int = 8192,
        pace: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        models = (model,) if isinstance(model, str) else tuple(model)
        self.api_key = api_key
        self._engine = Engine(models, max_model_len, pace)
        self._application = Application(self._engine, api_key, middleware)
        self._recorder = Recorder(self._application)
        self._address = (host, port)
        self._base_url: str | None = None
        self._thread: _ServerThread | None = None

    def __enter__(self) -> Emulator:
        host, port = self._address
        listener = _listen(host, port)
        bound = listener.getsockname()[1]
        self._base_url = f"http://{f'[{host}]' if ':' in host else host}:{bound}/v1"
        self._thread = _ServerThread(self._application, self._recorder, listener)
        self._thread.start()
        self._thread.started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread:
            self._thread.stop()
            self._thread = None

    @property
    def base_url(self) -> str:
        """The base URL, `/v1` included."""
        if self._base_url is None:
            raise RuntimeError("The emulator has no address yet: use it in a `with` statement.")
        return self._base_url

    @property
    def model(self) -> str:
        """The served model's first name."""
        return self._engine.models[0]

    @property
    def pace(self) -> float:
        """Seconds that each token takes; may be set at any time."""
        return self._engine.pace

    @pace.setter
    def pace(self, seconds: float) -> None:
        self._engine.pace = seconds

    @property
    def alive(self) -> bool:
        """Whether the engine still generates; a bad `logit_bias` ends it, as in the server."""
        return self._engine.alive

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests so far, in the order in which they came; clear the list to forget them."""
        return self._recorder.requests

    @property
    def served(self) -> int:
        """How many requests were answered to the end, refusals included."""
        return self._recorder.served

    @property
    def aborted(self) -> int:
        """How many requests were not: the client left, or the connection was cut."""
        return self._recorder.aborted

    @property
    def in_progress(self) -> int:
        """How many requests are being answered."""
        return self._recorder.in_progress


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol named, asyncio sends each event at once instead of collecting (TCP_NODELAY)
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except BaseException:
        listener.close()
        raise
    return listener


class _ServerThread(threading.Thread):
    """Runs uvicorn on a listening socket until it is stopped."""

    def __init__(
        self, application: Application, recorder: Recorder, listener: socket.socket
    ) -> None:
        super().__init__(name="monster-emulator", daemon=True)
        self.started = threading.Event()
        self._application = application
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                recorder,
                http="h11",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )

    def run(self) -> None:
        """Serve until stopped."""
        with self._listener:
            asyncio.run(self._serve())

    def stop(self) -> None:
        """End what is being answered, then the server, and wait for it."""
        self._server.should_exit = True
        self._loop.call_soon_threadsafe(self._application.dismiss_clients)
        self.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self.started.set)
        await self._server.serve(sockets=[self._listener])
