"""Decide everything about a request on its way to the server except the waiting.

The sync and the async client share it; each adds only its own short loop.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx

from monster_core.errors import (
    ConnectionFailedError,
    ContextOverflowError,
    InvalidRequestError,
    MonsterError,
    RequestTimeoutError,
    ResponseError,
    ServerReply,
    StatusError,
    status_error,
)
from monster_core.response.pipeline import parse_response
from monster_core.response.stream import no_stream
from monster_core.transport.body import Body
from monster_core.transport.deadline import Deadline
from monster_core.transport.retry import parse_retry_after, retry_delay
from monster_core.transport.sse import EventDecoder

if TYPE_CHECKING:
    from monster_core.request.builder import ChatRequest
    from monster_core.response.pipeline import ResponseStream
    from monster_core.response.types import Chunk, Completion, ResponseSpec
    from monster_core.transport.endpoint import Endpoint

__all__ = ["AFTER_DONE_SECONDS", "MAX_ERROR_BODY_BYTES", "Attempt", "StreamState", "failures"]

_log = logging.getLogger(__name__)
_UNSENDABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
_FAILURES = (MonsterError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError)
MAX_ERROR_BODY_BYTES = 100_000  # bytes of an error's body that are read
_MAX_HEAD_BYTES = 10_000  # bytes that are kept of a response that may turn out to be no stream
AFTER_DONE_SECONDS = 0.25
"""How long the connection may take to become reusable after [DONE]."""


def failures() -> tuple[type[Exception], ...]:
    """Return what is raised when sending, or reading the response, fails.

    httpx's transport over aiohttp lets some of aiohttp's own errors through.
    """
    aiohttp = sys.modules.get("aiohttp")
    return _FAILURES if aiohttp is None else (*_FAILURES, aiohttp.ClientError)


class Attempt:
    """One request on its way: what to send, the time left, the attempts made.

    Args:
        endpoint: Where it goes.
        path: What follows the base URL.
        request: The chat request; None where the endpoint is only asked for something.
    """

    __slots__ = (
        "_attempts",
        "_is_guided",
        "_shorter_body",
        "content",
        "deadline",
        "endpoint",
        "method",
        "path",
    )

    def __init__(self, endpoint: Endpoint, path: str, request: ChatRequest | None = None) -> None:
        self.endpoint = endpoint
        self.path = path
        self.method = "GET" if request is None else "POST"
        self.content = None if request is None else request.body
        self.deadline = Deadline(endpoint.timeouts)
        self._attempts = 0
        self._is_guided = request is not None and request.is_guided
        self._shorter_body = None if request is None else request.shorter_body

    def request(self, build: Callable[..., httpx.Request] | None = None) -> httpx.Request:
        """Return the next attempt's request.

        Args:
            build: The build_request of a caller's client, which adds that client's own headers
                below ours; None for a client of ours.
        """
        self._attempts += 1
        endpoint, method, content = self.endpoint, self.method, self.content
        url, extensions = endpoint.url(self.path), {"timeout": self.deadline.begin_attempt()}
        if build is not None:
            headers = endpoint.headers
            return build(method, url, headers=headers, content=content, extensions=extensions)
        # httpx takes four times as long to find out Host and Content-Length by itself.
        sent = endpoint.raw_headers
        if content is not None:
            sent = [*sent, (b"Content-Length", str(len(content)).encode())]
        stream = httpx.ByteStream(content or b"")
        request = httpx.Request(method, url, headers=sent, stream=stream, extensions=extensions)
        request.read()  # from memory: mocks and tracers look at its content
        return request

    def is_answered_by(self, response: httpx.Response) -> bool:
        """Whether a response brings the answer.

        Args:
            response: The response, its body not read yet.
        """
        _log.debug("%s %s: %s", self.method, self.path, response.status_code)
        return response.status_code == 200

    def delay_after(self, error: MonsterError) -> float:
        """Return the seconds to wait before the next attempt.

        Args:
            error: Why the last one failed.

        Raises:
            MonsterError: The error, if there is no further attempt.
        """
        if isinstance(error, ContextOverflowError) and self._shorter_body is not None:
            _log.info(
                "The prompt does not fit the context window: the answer's schema is left out."
            )
            self.content, self._shorter_body = self._shorter_body(), None
            self._attempts -= 1
            return 0.0
        delay = retry_delay(error, self._attempts, self.endpoint.max_retries)
        if delay is None or self._is_refused_guide(error) or not self.deadline.allows(delay):
            raise error
        return delay

    def refusal(self, response: httpx.Response, body: bytes) -> MonsterError:
        """Return the error for a response whose status is not 200."""
        mask = self.endpoint.mask
        headers = {name.lower(): mask(value) for name, value in response.headers.items()}
        text = mask(body.decode("utf-8", "replace"))[:10_000]
        refused = ServerReply(response.status_code, headers, text)
        error = status_error(refused, retry_after=parse_retry_after(headers))
        if self._is_refused_guide(error):
            error.is_retryable = False
            error.args = (f"{error.args[0]} {_UNCOMPILED}",)
        return error

    def parse(self, body: bytes, spec: ResponseSpec) -> Completion:
        """Read the body of the response.

        Args:
            body: The body.
            spec: What is known of the request.

        Raises:
            MonsterError: The body is not a completion.
        """
        try:
            return parse_response(body, spec)
        except MonsterError as error:
            self.mask(error)
            raise

    def mask(self, error: MonsterError) -> None:
        """Hide the secrets that a response repeated from what its error says."""
        error.args = tuple(map(self.endpoint.mask, error.args))
        error.__context__ = None  # a parser's error carries the whole response
        if isinstance(error, StatusError):
            error.server_message = self.endpoint.mask(error.server_message)
            if error.response is not None:
                text = self.endpoint.mask(error.response.text)
                error.response = replace(error.response, text=text)

    def _is_refused_guide(self, error: MonsterError) -> bool:
        """Whether the server probably cannot compile the guide; it would stand still again."""
        return self._is_guided and isinstance(error, StatusError) and error.status_code == 500

    def failure(self, error: Exception) -> MonsterError:
        """Return this package's error for one of sending, with that one, laid bare, as its cause.

        Args:
            error: What was raised; of it, only type and text remain. Its request holds the key, and
                so may the frames of its traceback and whatever it was raised from. An error of
                this package is returned as it is.
        """
        if isinstance(error, MonsterError):
            return error
        failure = self._failure(error)
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL | httpx.StreamError):
            if isinstance(error, httpx.HTTPError) and getattr(error, "_request", None) is not None:
                error.request = httpx.Request(error.request.method, error.request.url)
            error.__cause__ = error.__context__ = error.__traceback__ = None
            failure.__cause__ = error
        return failure

    def last_of_broken(self, reader: ResponseStream, error: Exception) -> list[Chunk]:
        """Return the last chunk of a stream that broke off, if its answer was complete.

        Args:
            reader: What has read the stream; the chunk is left out if it has been given.
            error: What was raised.

        Raises:
            MonsterError: The answer was not complete, or the error is one of this package's.
        """
        if isinstance(error, MonsterError):
            self.mask(error)
            raise error
        if reader.is_complete:
            return [] if reader.is_done else [reader.end()]
        failure = self.failure(error)
        if isinstance(failure, RequestTimeoutError):
            failure.partial_text = reader.partial_text
            raise failure
        interrupted = reader.interrupted(f"The connection broke in mid-stream ({_reason(error)})")
        raise interrupted from failure.__cause__

    def _failure(self, error: Exception) -> MonsterError:
        passed = self.deadline.passed()
        if passed is not None:
            return passed
        if isinstance(error, httpx.TimeoutException) and not _is_mistaken(error):
            return _timed_out(error, self.endpoint)
        if isinstance(error, _UNSENDABLE):
            return InvalidRequestError(f"The request cannot be sent: {error}.")
        return ConnectionFailedError(
            f"No answer from {self.endpoint.base_url}: {_reason(error)}. Check the base URL "
            "(MONSTER_API_BASE) and that the server runs."
        )


_UNCOMPILED = (
    "It answers so to a schema, pattern or grammar that it cannot compile: simplify it, or ask "
    "without guiding."
)


class StreamState:
    """Turn the bytes of a stream into chunks, and its end into a last chunk or an error.

    Args:
        attempt: What is answered; the time between chunks begins.
        response: The response, its body not read yet.
        reader: What reads the events.
    """

    __slots__ = ("_attempt", "_body", "_decoder", "_has_events", "_head", "_reader", "is_done")

    def __init__(self, attempt: Attempt, response: httpx.Response, reader: ResponseStream) -> None:
        self._attempt = attempt
        self._body = Body(response, attempt.endpoint.max_response_bytes, attempt.deadline)
        self._decoder = EventDecoder()
        self._reader = reader
        self._head = b""
        self._has_events = False
        self.is_done = False
        """Whether [DONE] has come, after which only the end of the body may follow."""
        attempt.deadline.begin_stream()

    def receive(self, received: bytes) -> Iterator[Chunk]:
        """Take the next bytes; give the chunks they completed, the last one at [DONE]."""
        try:
            received = self._body.take(received)
        except (ResponseError, RequestTimeoutError) as error:
            error.partial_text = self._reader.partial_text
            raise
        if not self._has_events and len(self._head) < _MAX_HEAD_BYTES:
            self._head += received[:_MAX_HEAD_BYTES]
        return self._chunks(self._decoder.feed(received))

    def close(self) -> Iterator[Chunk]:
        """Take the end of the stream; give what it leaves, the last chunk at its end."""
        if self.is_done:
            return
        yield from self._chunks(self._decoder.flush())
        if not self._has_events:
            raise no_stream(self._head)
        if not self.is_done:
            yield self._reader.end()

    def _chunks(self, events: list[bytes]) -> Iterator[Chunk]:
        # one by one: all of a block at once would live long enough to keep the garbage collector
        # busy, and an error must not overtake what came before it
        reader, deadline, has_content = self._reader, self._attempt.deadline, False
        if self.is_done:
            return
        if events:
            self._has_events = True
        for data in events:
            chunk = reader.feed(data)
            if chunk is not None:
                has_content = True
                yield chunk
            elif reader.holds_back:
                has_content = True  # it arrived, although it is not given yet
            elif reader.is_done:
                self.is_done = True
                deadline.finish_within(AFTER_DONE_SECONDS)
                yield reader.end()
                return
        if has_content:
            deadline.content_arrived()
        elif (passed := deadline.passed()) is not None:
            passed.partial_text = reader.partial_text
            raise passed


def _timed_out(error: httpx.TimeoutException, endpoint: Endpoint) -> MonsterError:
    timeouts = endpoint.timeouts
    if isinstance(error, httpx.ConnectTimeout):
        return ConnectionFailedError(
            f"No connection to {endpoint.base_url} within {timeouts.connect:g} seconds. "
            "Check the base URL (MONSTER_API_BASE) and that the server runs."
        )
    if isinstance(error, httpx.PoolTimeout):
        return RequestTimeoutError(
            f"No free connection within {timeouts.pool:g} seconds: too many calls at a time."
        )
    phase, seconds = (
        ("take the request", timeouts.write)
        if isinstance(error, httpx.WriteTimeout)
        else ("answer", timeouts.read)
    )
    return RequestTimeoutError(
        f"The server did not {phase} within {seconds or 0:g} seconds (timeout, MONSTER_TIMEOUT)."
    )


def _is_mistaken(error: httpx.TimeoutException) -> bool:
    """Whether aiohttp's transport calls a refused or broken connection a timeout."""
    cause = error.__cause__
    return type(cause).__module__.startswith("aiohttp.") and not isinstance(
        cause, (TimeoutError, asyncio.TimeoutError)
    )


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")
