"""The emulator on a socket of its own, in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from types import TracebackType
from typing import Any, Literal

from ._app import Application
from ._client import Clients
from ._engine import Engine
from ._fault_script import FaultInjection, FaultScript
from ._recorder import ReceivedRequest, Recorder
from ._thread import ServerThread


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
        certfile: A certificate in PEM, for https; None for http.
        keyfile: The certificate's key, if it is not in the same file.

    Raises:
        OSError: On entering, if the port is in use or a file cannot be read.
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
        certfile: str | PathLike[str] | None = None,
        keyfile: str | PathLike[str] | None = None,
    ) -> None:
        models = (model,) if isinstance(model, str) else tuple(model)
        self.api_key = api_key
        self._engine = Engine(models, max_model_len, pace)
        self._clients = Clients()
        self._script = FaultScript()
        application = Application(self._engine, self._clients, api_key)
        self._recorder = Recorder(FaultInjection(application, self._script, self._clients))
        self._listening = (host, port, certfile, keyfile)
        self._base_url: str | None = None
        self._thread: ServerThread | None = None

    def __enter__(self) -> Emulator:
        self._thread = ServerThread(self._recorder, self._clients, *self._listening)
        self._thread.start()
        host, port = self._thread.address
        scheme = "https" if self._listening[2] else "http"
        self._base_url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/v1"
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

    def fail(
        self,
        next: int | str,
        *,
        times: int | Literal["always"] | None = None,
        **arguments: Any,
    ) -> None:
        """Let a fault happen to the next request; after the faults that wait already.

            emulator.fail(next=429, retry_after=2)
            emulator.fail(next="cut", after_tokens=3, times=2)

        Args:
            next: A status from 200 to 599, a fault's name, or a whole fault in words:
                `"cut; after_tokens=3; times=2"`.
            times: How many requests meet it, 1 by default; "always" until :meth:`recover`.
            arguments: The fault's arguments: see docs/emulator.md.

        Raises:
            ValueError: There is no such fault, or it cannot take these arguments.
        """
        self._script.add(next, times, arguments)

    def recover(self) -> None:
        """Forget the faults that have not happened yet."""
        self._script.clear()

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Refuse connections while a block runs, and close those that wait for a request."""
        if self._thread is None:
            raise RuntimeError("The emulator does not run: use it in a `with` statement.")
        self._thread.close_port()
        try:
            yield
        finally:
            self._thread.open_port()

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests so far, in the order in which they came; clear the list to forget them."""
        return self._recorder.requests

    @property
    def served(self) -> int:
        """How many requests were answered to the end, refusals and faults included."""
        return self._recorder.served

    @property
    def aborted(self) -> int:
        """How many requests were not: the client left, or the connection was cut."""
        return self._recorder.aborted

    @property
    def in_progress(self) -> int:
        """How many requests are being answered."""
        return self._recorder.in_progress

    @property
    def connections(self) -> int:
        """How many connections clients hold open."""
        return self._thread.connections if self._thread else 0
