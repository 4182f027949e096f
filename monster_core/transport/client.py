"""Talk to the endpoint: the only code that does I/O, twice, without and with async.

The two clients are the same short loops: what they do next is decided in
:mod:`monster_core.transport.attempt`, and :mod:`monster_core.transport.http` lends what they send
with.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    aclosing,
    nullcontext,
)
from typing import TYPE_CHECKING, TypeVar

import httpx
from typing_extensions import Self

from monster_core.errors import (
    ConfigurationError,
    MonsterError,
    NotFoundError,
    ResponseError,
    StatusError,
)
from monster_core.models_endpoint import (
    MAX_DISCOVERY_SECONDS,
    ServedModel,
    context_window_sources,
    read_models,
)
from monster_core.response.pipeline import ResponseStream
from monster_core.response.types import add_usage
from monster_core.server_discovery import SERVER_SOURCES
from monster_core.transport.attempt import (
    AFTER_DONE_SECONDS,
    MAX_ERROR_BODY_BYTES,
    Attempt,
    StreamState,
    failures,
)
from monster_core.transport.body import (
    Body,
    araw_bytes,
    aread_beginning,
    raw_bytes,
    read_beginning,
)
from monster_core.transport.deadline import time_limit
from monster_core.transport.endpoint import Endpoint
from monster_core.transport.http import AsyncConnections, Connections
from monster_core.transport.second_request import HeldChunks, second_request
from monster_core.transport.stream_end import read_end

if TYPE_CHECKING:
    from monster_core.request.builder import ChatRequest
    from monster_core.response.types import Chunk, Completion

__all__ = ["AsyncMonsterClient", "MonsterClient"]

_CHAT = "/chat/completions"
_T = TypeVar("_T")
_Sources = Iterable[tuple[str, Callable[[bytes], _T | None]]]
"""Paths that may tell something, and what reads it from each response."""


class _Client:
    """Hold what the clients without and with async have in common.

    Args:
        endpoint: Where requests go.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._build_request: Callable[..., httpx.Request] | None = None

    def with_endpoint(self, endpoint: Endpoint) -> Self:
        """Return a client that sends over the same connections, with other timeouts or headers.

        Args:
            endpoint: The endpoint; its base URL is the same.
        """
        other = copy.copy(self)
        other.endpoint = endpoint
        return other


class MonsterClient(_Client):
    """Send requests over the connections that models of equal settings share; serves many threads.

    Args:
        endpoint: Where requests go.
        http_client: A client of your own to send with; it is never closed here.
    """

    def __init__(self, endpoint: Endpoint, http_client: httpx.Client | None = None) -> None:
        super().__init__(endpoint)
        self._connections = Connections(endpoint)
        self._client: Callable[[], AbstractContextManager[httpx.Client]] = self._connections.use
        if http_client is not None:
            self._build_request = http_client.build_request
            self._client = lambda: nullcontext(_open_one(http_client))

    def complete(self, request: ChatRequest) -> Completion:
        """Send a request and return its completion.

        Args:
            request: What to send.

        Raises:
            MonsterError: The request failed.
        """
        attempt = Attempt(self.endpoint, _CHAT, request)
        completion = attempt.parse(self._whole(attempt), request.spec)
        second = second_request(request, completion)
        if second is None:
            return completion
        following = self.complete(second)
        following.usage = add_usage(following.usage, completion.usage)
        return following

    def stream(self, request: ChatRequest) -> Generator[Chunk, None, None]:
        """Send a request and yield its chunks as they arrive; leaving early frees the server.

        Args:
            request: What to send.

        Raises:
            MonsterError: The request failed, or its stream was cut.
        """
        stream = ResponseStream(request.spec)
        if request.follow_up is None and request.ask_again is None:
            return self._stream(request, stream)
        return self._held_stream(request, stream)

    def _held_stream(
        self, request: ChatRequest, reader: ResponseStream
    ) -> Generator[Chunk, None, None]:
        held = HeldChunks(request, reader)
        for chunk in self._stream(request, reader):
            yield from held.take(chunk)
        rest, second = held.end()
        yield from rest
        if second is not None:
            for chunk in self.stream(second):
                yield held.with_usage(chunk)

    def _stream(self, request: ChatRequest, reader: ResponseStream) -> Generator[Chunk, None, None]:
        attempt, broken = Attempt(self.endpoint, _CHAT, request), None
        with self._client() as client:
            response = self._open(client, attempt)
            try:
                state = StreamState(attempt, response, reader)
                pieces = raw_bytes(response)
                for received in pieces:
                    yield from state.receive(received)
                    if state.is_done:
                        read_end(response, pieces, AFTER_DONE_SECONDS)
                        return
                yield from state.close()
            except failures() as error:
                broken = error
            finally:
                response.close()
        if broken is not None:
            yield from attempt.last_of_broken(reader, broken)

    def models(self) -> list[ServedModel]:
        """Return the models that the endpoint serves.

        Raises:
            MonsterError: The request failed.
        """
        return read_models(self._whole(Attempt(self.endpoint, "/models")))

    def context_window(self, model: str, timeout: float = MAX_DISCOVERY_SECONDS) -> int | None:
        """Return how many tokens a prompt and its answer may have together.

        Args:
            model: The model's name.
            timeout: Seconds for each of the two requests that may be needed.

        Returns:
            The number, or None if the endpoint does not tell it.

        Raises:
            MonsterError: A request failed otherwise than by a path that is not there.
        """
        endpoint, sources = self.endpoint.within(timeout), context_window_sources(model)
        return self._first_found(endpoint, sources, (NotFoundError, ResponseError))

    def server(self, timeout: float = MAX_DISCOVERY_SECONDS) -> str | None:
        """Ask which release of vLLM the endpoint is.

        Args:
            timeout: Seconds for each of the two places where it may be told.

        Returns:
            The name for the argument ``server``, or None if the endpoint does not tell it.

        Raises:
            MonsterError: A request failed otherwise than by an answer of the server.
        """
        endpoint = self.endpoint.beside().within(timeout)
        return self._first_found(endpoint, SERVER_SOURCES, (StatusError, ResponseError))

    def _first_found(
        self, endpoint: Endpoint, sources: _Sources[_T], absent: tuple[type[MonsterError], ...]
    ) -> _T | None:
        """Ask for one path after another until a response tells what is looked for."""
        for path, read in sources:
            try:
                found = read(self._whole(Attempt(endpoint, path)))
            except absent:
                continue
            if found is not None:
                return found
        return None

    def close(self) -> None:
        """Close the connections, unless other models use them; the next call opens a new one."""
        self._connections.close()

    def _whole(self, attempt: Attempt) -> bytes:
        """Send, and return the body of the response."""
        with self._client() as client:
            response = self._open(client, attempt)
            try:
                body = Body(response, attempt.endpoint.max_response_bytes, attempt.deadline)
                return b"".join([body.take(received) for received in raw_bytes(response)])
            except failures() as error:
                failure = attempt.failure(error)
            finally:
                response.close()
        raise failure

    def _open(self, client: httpx.Client, attempt: Attempt) -> httpx.Response:
        """Send until a response of 200 begins, or no attempt is left."""
        while True:
            try:
                request = attempt.request(self._build_request)
                response = client.send(request, stream=True, follow_redirects=False)
                if attempt.is_answered_by(response):
                    return response
                beginning = read_beginning(response, MAX_ERROR_BODY_BYTES)
                failure = attempt.refusal(response, beginning.text)
            except failures() as error:
                failure = attempt.failure(error)
            time.sleep(attempt.delay_after(failure))


class AsyncMonsterClient(_Client):
    """Send requests from coroutines, on one event loop after another or on several at a time.

    Args:
        endpoint: Where requests go.
        http_client: A client of your own to send with; it is never closed here.
    """

    def __init__(self, endpoint: Endpoint, http_client: httpx.AsyncClient | None = None) -> None:
        super().__init__(endpoint)
        self._connections = AsyncConnections(endpoint)
        self._client: Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]]
        self._client = self._connections.use
        if http_client is not None:
            self._build_request = http_client.build_request
            self._client = lambda: nullcontext(_open_one(http_client))

    async def complete(self, request: ChatRequest) -> Completion:
        """Send a request and return its completion; see :meth:`MonsterClient.complete`."""
        attempt = Attempt(self.endpoint, _CHAT, request)
        completion = attempt.parse(await self._whole(attempt), request.spec)
        second = second_request(request, completion)
        if second is None:
            return completion
        following = await self.complete(second)
        following.usage = add_usage(following.usage, completion.usage)
        return following

    def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield its chunks as they arrive; see :meth:`MonsterClient.stream`."""
        stream = ResponseStream(request.spec)
        if request.follow_up is None and request.ask_again is None:
            return self._stream(request, stream)
        return self._held_stream(request, stream)

    async def _held_stream(
        self, request: ChatRequest, reader: ResponseStream
    ) -> AsyncGenerator[Chunk, None]:
        held = HeldChunks(request, reader)
        async with aclosing(self._stream(request, reader)) as chunks:
            async for chunk in chunks:
                for given in held.take(chunk):
                    yield given
        rest, second = held.end()
        for chunk in rest:
            yield chunk
        if second is not None:
            async with aclosing(self.stream(second)) as chunks:
                async for chunk in chunks:
                    yield held.with_usage(chunk)

    async def _stream(
        self, request: ChatRequest, reader: ResponseStream
    ) -> AsyncGenerator[Chunk, None]:
        attempt, broken = Attempt(self.endpoint, _CHAT, request), None
        async with self._client() as client:
            response = await self._open(client, attempt)
            try:
                state = StreamState(attempt, response, reader)
                pieces = araw_bytes(response)
                while True:
                    left = attempt.deadline.left()
                    if left is None:
                        received = await anext(pieces, None)
                    else:
                        async with time_limit(left):
                            received = await anext(pieces, None)
                    if received is None:
                        break
                    for chunk in state.receive(received):
                        yield chunk
                for chunk in state.close():
                    yield chunk
            except failures() as error:
                broken = error
            finally:
                await response.aclose()
        if broken is not None:
            for chunk in attempt.last_of_broken(reader, broken):
                yield chunk

    async def models(self) -> list[ServedModel]:
        """Return the models that the endpoint serves; see :meth:`MonsterClient.models`."""
        return read_models(await self._whole(Attempt(self.endpoint, "/models")))

    async def context_window(
        self, model: str, timeout: float = MAX_DISCOVERY_SECONDS
    ) -> int | None:
        """Return a context window; the async version of :meth:`MonsterClient.context_window`."""
        endpoint, sources = self.endpoint.within(timeout), context_window_sources(model)
        return await self._first_found(endpoint, sources, (NotFoundError, ResponseError))

    async def server(self, timeout: float = MAX_DISCOVERY_SECONDS) -> str | None:
        """Ask for the release; the async version of :meth:`MonsterClient.server`."""
        endpoint = self.endpoint.beside().within(timeout)
        return await self._first_found(endpoint, SERVER_SOURCES, (StatusError, ResponseError))

    async def _first_found(
        self, endpoint: Endpoint, sources: _Sources[_T], absent: tuple[type[MonsterError], ...]
    ) -> _T | None:
        """Ask for one path after another until a response tells what is looked for."""
        for path, read in sources:
            try:
                found = read(await self._whole(Attempt(endpoint, path)))
            except absent:
                continue
            if found is not None:
                return found
        return None

    async def aclose(self) -> None:
        """Close the running loop's connections; see :meth:`MonsterClient.close`."""
        await self._connections.aclose()

    async def _whole(self, attempt: Attempt) -> bytes:
        """Send, and return the body of the response."""
        async with self._client() as client:
            response = await self._open(client, attempt)
            try:
                body = Body(response, attempt.endpoint.max_response_bytes, attempt.deadline)
                async with time_limit(attempt.deadline.left()):
                    pieces = [body.take(received) async for received in araw_bytes(response)]
                return b"".join(pieces)
            except failures() as error:
                failure = attempt.failure(error)
            finally:
                await response.aclose()
        raise failure

    async def _open(self, client: httpx.AsyncClient, attempt: Attempt) -> httpx.Response:
        """Send until a response of 200 begins, or no attempt is left."""
        while True:
            try:
                request = attempt.request(self._build_request)
                async with time_limit(attempt.deadline.left()):
                    response = await client.send(request, stream=True, follow_redirects=False)
                    if attempt.is_answered_by(response):
                        return response
                    beginning = await aread_beginning(response, MAX_ERROR_BODY_BYTES)
                    failure = attempt.refusal(response, beginning.text)
            except failures() as error:
                failure = attempt.failure(error)
            await asyncio.sleep(attempt.delay_after(failure))


_Given = TypeVar("_Given", httpx.Client, httpx.AsyncClient)


def _open_one(client: _Given) -> _Given:
    """Return a caller's client, unless it was closed since the model was made."""
    if client.is_closed is True:
        kind = type(client).__name__
        raise ConfigurationError(
            f"The {kind} that this model was given is closed: give it another."
        )
    return client
