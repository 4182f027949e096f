"""Talk to the endpoint: the only code that does I/O, twice, without and with async."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from typing import TYPE_CHECKING

import httpx

from monster_core.errors import MonsterError, NotFoundError, ResponseError
from monster_core.models_endpoint import (
    CONTEXT_WINDOW_SOURCES,
    LONGEST_DISCOVERY,
    ServedModel,
    context_window_of,
    read_models,
)
from monster_core.response.pipeline import ResponseStream, parse_response
from monster_core.response.types import add_usage
from monster_core.transport.async_transport import AsyncOriginClient, AsyncReply
from monster_core.transport.attempt import LONGEST_ERROR_BODY, Attempt, StreamState
from monster_core.transport.body import Body, araw_bytes, raw_bytes
from monster_core.transport.endpoint import Endpoint
from monster_core.transport.proxied import LoopClients, can_watch, has_proxy, proxied_client
from monster_core.transport.reply import OutgoingRequest
from monster_core.transport.sse import EventDecoder
from monster_core.transport.sync_transport import OriginClient, SyncReply

if TYPE_CHECKING:
    from monster_core.request.chat_request import ChatRequest
    from monster_core.response.types import Chunk, Completion

__all__ = ["AsyncMonsterClient", "MonsterClient"]

_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)


class MonsterClient:
    """Send calls over one pool of connections, made at the first call; serves many threads.

    Args:
        endpoint: Where calls go.
        http_client: A client of your own to send with; it is never closed here.
    """

    def __init__(self, endpoint: Endpoint, http_client: httpx.Client | None = None) -> None:
        self.endpoint = endpoint
        self._given = http_client
        self._own: dict[str, httpx.Client | OriginClient] = {}

    def with_endpoint(self, endpoint: Endpoint) -> MonsterClient:
        """Return a client that sends over the same connections, with other timeouts or headers.

        Args:
            endpoint: The endpoint; its base URL is the same.
        """
        other = copy.copy(self)
        other.endpoint = endpoint
        return other

    def answer(self, call: ChatRequest) -> Completion:
        """Send a call and return its full answer.

        Args:
            call: What to send.

        Raises:
            MonsterError: The call failed.
        """
        exchange = Attempt.begin(self.endpoint, call)
        body = self._whole(exchange)
        try:
            completion = parse_response(body, call.spec)
        except MonsterError as error:
            exchange.mask(error)
            raise
        if call.follow_up is None or completion.has_tool_calls:
            return completion
        following = self.answer(call.follow_up)
        following.usage = add_usage(following.usage, completion.usage)
        return following

    def stream(self, call: ChatRequest) -> Generator[Chunk, None, None]:
        """Send a call and yield its answer as it arrives; leaving early frees the server.

        Args:
            call: What to send.

        Raises:
            MonsterError: The call failed, or its stream was cut.
        """
        stream = ResponseStream(call.spec)
        if call.follow_up is None:
            return self._stream(call, stream)
        return self._followed_up(call, stream, call.follow_up)

    def _followed_up(
        self, call: ChatRequest, stream: ResponseStream, follow_up: ChatRequest
    ) -> Generator[Chunk, None, None]:
        usage = None
        for chunk in self._stream(call, stream):
            usage = chunk.usage
            if stream.has_tool_calls:
                yield chunk
        if not stream.has_tool_calls:
            for chunk in self.stream(follow_up):
                if chunk.is_last:
                    chunk.usage = add_usage(chunk.usage, usage)
                yield chunk

    def _stream(self, call: ChatRequest, reader: ResponseStream) -> Generator[Chunk, None, None]:
        exchange = Attempt.begin(self.endpoint, call)
        response = self._open(exchange)
        try:
            body = Body.begin(response, self.endpoint.max_response_bytes)
            state = StreamState(exchange, body, EventDecoder(), reader)
            exchange.deadline.content_arrived()
            for received in raw_bytes(response):
                for chunk in state.receive(received):
                    yield chunk
            for chunk in state.close():
                yield chunk
        except _FAILURES as error:
            for chunk in state.broken(error):
                yield chunk
        except MonsterError as error:
            exchange.mask(error)
            raise
        finally:
            exchange.deadline.disarm()
            response.close()

    def models(self) -> list[ServedModel]:
        """Return the models that the endpoint serves.

        Raises:
            MonsterError: The request failed.
        """
        return read_models(self._whole(Attempt.begin_get(self.endpoint, "/models")))

    def context_window(self, model: str, timeout: float = LONGEST_DISCOVERY) -> int | None:
        """Return how many tokens a prompt and its answer may have together.

        Args:
            model: The model's name.
            timeout: Seconds for each of the two places where it may be told.

        Returns:
            The number, or None if the endpoint does not tell it.

        Raises:
            MonsterError: A request failed otherwise than by a path that is not there.
        """
        endpoint = self.endpoint.within(timeout)
        for path, read in CONTEXT_WINDOW_SOURCES:
            try:
                window = context_window_of(
                    model, read(self._whole(Attempt.begin_get(endpoint, path)))
                )
            except (NotFoundError, ResponseError):
                continue
            if window is not None:
                return window
        return None

    def close(self) -> None:
        """Close the connections that are idle; the next call opens a new one."""
        own = self._own.pop("client", None)
        if own is not None:
            own.close()

    def _whole(self, exchange: Attempt) -> bytes:
        response = self._open(exchange)
        try:
            body = Body.begin(response, self.endpoint.max_response_bytes)
            return b"".join(map(body.take, raw_bytes(response)))
        except _FAILURES as error:
            raise exchange.failure(error) from error
        finally:
            exchange.deadline.disarm()
            response.close()

    def _open(self, exchange: Attempt) -> httpx.Response | SyncReply:
        """Send until a reply of 200 begins, or no attempt is left."""
        client = self._http()
        while True:
            cause: Exception | None = None
            try:
                response = _sent(client, exchange.request())
                if response.status_code == 200:
                    exchange.bind(response)
                    return response
                failure = exchange.refusal(response, _error_body(response))
            except _FAILURES as error:
                failure, cause = exchange.failure(error), error
            delay = exchange.delay_after(failure)
            if delay is None:
                raise failure from cause
            time.sleep(delay)

    def _http(self) -> httpx.Client | OriginClient:
        client = self._given or self._own.get("client")
        if client is None:
            is_proxied = self.endpoint.uses_proxies and has_proxy()
            made = proxied_client() if is_proxied else OriginClient(self.endpoint.origin)
            client = self._own.setdefault("client", made)  # the first of several threads' wins
        return client


class AsyncMonsterClient:
    """Send calls from coroutines, on one event loop after another or on several at a time.

    Args:
        endpoint: Where calls go.
        http_client: A client of your own to send with; it is never closed here.
    """

    def __init__(self, endpoint: Endpoint, http_client: httpx.AsyncClient | None = None) -> None:
        self.endpoint = endpoint
        self._given = http_client
        self._own: AsyncOriginClient | None = None
        self._proxied = LoopClients() if endpoint.uses_proxies and has_proxy() else None

    def with_endpoint(self, endpoint: Endpoint) -> AsyncMonsterClient:
        """Return a client that sends over the same connections, with other timeouts or headers.

        Args:
            endpoint: The endpoint; its base URL is the same.
        """
        if self._own is None and self._given is None and self._proxied is None:
            self._own = AsyncOriginClient(self.endpoint.origin)
        other = copy.copy(self)
        other.endpoint = endpoint
        return other

    async def answer(self, call: ChatRequest) -> Completion:
        """Send a call and return its full answer; the twin of :meth:`MonsterClient.answer`."""
        exchange = Attempt.begin(self.endpoint, call)
        body = await self._whole(exchange)
        try:
            completion = parse_response(body, call.spec)
        except MonsterError as error:
            exchange.mask(error)
            raise
        if call.follow_up is None or completion.has_tool_calls:
            return completion
        following = await self.answer(call.follow_up)
        following.usage = add_usage(following.usage, completion.usage)
        return following

    def stream(self, call: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Send a call and yield its answer as it arrives; see :meth:`MonsterClient.stream`."""
        stream = ResponseStream(call.spec)
        if call.follow_up is None:
            return self._stream(call, stream)
        return self._followed_up(call, stream, call.follow_up)

    async def _followed_up(
        self, call: ChatRequest, stream: ResponseStream, follow_up: ChatRequest
    ) -> AsyncGenerator[Chunk, None]:
        usage = None
        async with aclosing(self._stream(call, stream)) as chunks:
            async for chunk in chunks:
                usage = chunk.usage
                if stream.has_tool_calls:
                    yield chunk
        if not stream.has_tool_calls:
            async with aclosing(self.stream(follow_up)) as chunks:
                async for chunk in chunks:
                    if chunk.is_last:
                        chunk.usage = add_usage(chunk.usage, usage)
                    yield chunk

    async def _stream(
        self, call: ChatRequest, reader: ResponseStream
    ) -> AsyncGenerator[Chunk, None]:
        exchange = Attempt.begin(self.endpoint, call)
        response = await self._open(exchange)
        try:
            body = Body.begin(response, self.endpoint.max_response_bytes)
            state = StreamState(exchange, body, EventDecoder(), reader)
            exchange.deadline.content_arrived()
            async for received in araw_bytes(response):
                for chunk in state.receive(received):
                    yield chunk
            for chunk in state.close():
                yield chunk
        except _FAILURES as error:
            for chunk in state.broken(error):
                yield chunk
        except MonsterError as error:
            exchange.mask(error)
            raise
        finally:
            exchange.deadline.disarm()
            await response.aclose()

    async def models(self) -> list[ServedModel]:
        """Return the models that the endpoint serves; the twin of :meth:`MonsterClient.models`."""
        return read_models(await self._whole(Attempt.begin_get(self.endpoint, "/models")))

    async def context_window(self, model: str, timeout: float = LONGEST_DISCOVERY) -> int | None:
        """Return a context window; the twin of :meth:`MonsterClient.context_window`."""
        endpoint = self.endpoint.within(timeout)
        for path, read in CONTEXT_WINDOW_SOURCES:
            try:
                window = context_window_of(
                    model, read(await self._whole(Attempt.begin_get(endpoint, path)))
                )
            except (NotFoundError, ResponseError):
                continue
            if window is not None:
                return window
        return None

    async def aclose(self) -> None:
        """Close the connections that are idle; the next call opens a new one."""
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()
        if self._proxied is not None:
            await self._proxied.aclose()

    async def _whole(self, exchange: Attempt) -> bytes:
        response = await self._open(exchange)
        try:
            body = Body.begin(response, self.endpoint.max_response_bytes)
            return b"".join([body.take(received) async for received in araw_bytes(response)])
        except _FAILURES as error:
            raise exchange.failure(error) from error
        finally:
            exchange.deadline.disarm()
            await response.aclose()

    async def _open(self, exchange: Attempt) -> httpx.Response | AsyncReply:
        """Send until a reply of 200 begins, or no attempt is left."""
        client = await self._http()
        while True:
            cause: Exception | None = None
            try:
                response = await _asent(client, exchange.request())
                if response.status_code == 200:
                    exchange.bind(response)
                    return response
                failure = exchange.refusal(response, await _aerror_body(response))
            except _FAILURES as error:
                failure, cause = exchange.failure(error), error
            delay = exchange.delay_after(failure)
            if delay is None:
                raise failure from cause
            await asyncio.sleep(delay)

    async def _http(self) -> httpx.AsyncClient | AsyncOriginClient:
        if self._given is not None:
            return self._given
        if self._proxied is None and not can_watch(asyncio.get_running_loop()):
            self._proxied = LoopClients()
        if self._proxied is not None:
            return await self._proxied.get()
        if self._own is None:
            self._own = AsyncOriginClient(self.endpoint.origin)
        return self._own


def _sent(
    client: httpx.Client | OriginClient, request: OutgoingRequest
) -> httpx.Response | SyncReply:
    if isinstance(client, OriginClient):
        return client.send(request)
    return client.send(request.made_by(client.build_request), stream=True, follow_redirects=False)


async def _asent(
    client: httpx.AsyncClient | AsyncOriginClient, request: OutgoingRequest
) -> httpx.Response | AsyncReply:
    if isinstance(client, AsyncOriginClient):
        return await client.send(request)
    made = request.made_by(client.build_request)
    return await client.send(made, stream=True, follow_redirects=False)


def _error_body(response: httpx.Response | SyncReply) -> bytes:
    text = b""
    try:
        body = Body(response, LONGEST_ERROR_BODY)
        for received in raw_bytes(response):
            text += body.decompressed(received)
            if len(text) >= LONGEST_ERROR_BODY:
                break
    except ResponseError:
        pass  # the status tells enough
    finally:
        response.close()
    return text


async def _aerror_body(response: httpx.Response | AsyncReply) -> bytes:
    text = b""
    try:
        body = Body(response, LONGEST_ERROR_BODY)
        async for received in araw_bytes(response):
            text += body.decompressed(received)
            if len(text) >= LONGEST_ERROR_BODY:
                break
    except ResponseError:
        pass  # the status tells enough
    finally:
        await response.aclose()
    return text
