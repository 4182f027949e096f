"""Let each tool answer in the endpoint's place, by the tool's own means.

They install beside each other and beside everything else in the group ``test`` of pyproject.toml.
Each of them answers requests of clients that were made before it began, whose connections are open:
respx, pytest-httpx and vcrpy replace methods of httpx's or httpcore's classes, pook and a mocked
``send`` methods of httpx's clients. Only where the class itself is replaced, or its constructor, do
clients that there are go on undisturbed; then a new client is opened here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import httpx
import pook
import pytest
import respx
from pytest_httpx import HTTPXMock, IteratorStream

from tests.seen_by.ways import pieces

__all__ = ["MOCKS", "MOCKS_AT_THE_CLIENT", "MOCKS_OF_STREAMS", "ROUTERS", "Mock", "Sent"]


@dataclass(frozen=True)
class Sent:
    """Hold what a tool saw of a request."""

    key: str
    body: dict[str, Any]

    @classmethod
    def of(cls, request: Any) -> Sent:
        """Read it from the tool's own object, httpx's as a rule."""
        body = request.content if isinstance(request, httpx.Request) else request.body
        return cls(request.headers["authorization"], json.loads(body))


Seen = Callable[[], list[Sent]]
Mock = Callable[[pytest.FixtureRequest, str, str, bytes], AbstractContextManager[Seen]]
"""Takes the test, an address, and the content type and the body of the response to it."""


@contextmanager
def respx_in_httpcore(_: pytest.FixtureRequest, url: str, kind: str, body: bytes) -> Iterator[Seen]:
    with respx.mock as router:
        route = router.post(url).respond(200, content=body, content_type=kind)
        yield lambda: [Sent.of(call.request) for call in route.calls]


@contextmanager
def respx_in_httpx(_: pytest.FixtureRequest, url: str, kind: str, body: bytes) -> Iterator[Seen]:
    with respx.mock(using="httpx") as router:
        route = router.post(url).respond(200, content=body, content_type=kind)
        yield lambda: [Sent.of(call.request) for call in route.calls]


@contextmanager
def respx_streams(_: pytest.FixtureRequest, url: str, kind: str, body: bytes) -> Iterator[Seen]:
    with respx.mock as router:
        headers = {"content-type": kind}
        reply = httpx.Response(200, headers=headers, stream=IteratorStream(pieces(body)))
        route = router.post(url).mock(return_value=reply)
        yield lambda: [Sent.of(call.request) for call in route.calls]


@contextmanager
def pytest_httpx(test: pytest.FixtureRequest, url: str, kind: str, body: bytes) -> Iterator[Seen]:
    mocked: HTTPXMock = test.getfixturevalue("httpx_mock")
    mocked.add_response(url=url, content=body, headers={"content-type": kind})
    yield lambda: [Sent.of(request) for request in mocked.get_requests()]


@contextmanager
def pytest_httpx_streams(
    test: pytest.FixtureRequest, url: str, kind: str, body: bytes
) -> Iterator[Seen]:
    mocked: HTTPXMock = test.getfixturevalue("httpx_mock")
    stream = IteratorStream(pieces(body))
    mocked.add_response(url=url, stream=stream, headers={"content-type": kind})
    yield lambda: [Sent.of(request) for request in mocked.get_requests()]


@contextmanager
def pook_mock(_: pytest.FixtureRequest, url: str, kind: str, body: bytes) -> Iterator[Seen]:
    pook.on()  # pook.use() would stay in place where an exception leaves it
    try:
        mocked = pook.post(url, reply=200, response_headers={"content-type": kind}).persist()
        mocked.reply(200).body(body)
        yield lambda: list(map(Sent.of, mocked.matches))
    finally:
        pook.off()
        pook.reset()


@contextmanager
def mocked_send(_: pytest.FixtureRequest, url: str, kind: str, body: bytes) -> Iterator[Seen]:
    # One response for every request, with no request of its own: as a test writes it down.
    reply = httpx.Response(200, content=body, headers={"content-type": kind})
    with (
        mock.patch.object(httpx.Client, "send", autospec=True, return_value=reply) as send,
        mock.patch.object(httpx.AsyncClient, "send", autospec=True, return_value=reply) as asend,
    ):
        yield lambda: [Sent.of(call.args[1]) for call in send.call_args_list + asend.call_args_list]


@contextmanager
def streams_of_a_mocked_send(
    _: pytest.FixtureRequest, url: str, kind: str, body: bytes
) -> Iterator[Seen]:
    reply = httpx.Response(200, headers={"content-type": kind}, stream=IteratorStream(pieces(body)))
    with (
        mock.patch.object(httpx.Client, "send", autospec=True, return_value=reply) as send,
        mock.patch.object(httpx.AsyncClient, "send", autospec=True, return_value=reply) as asend,
    ):
        yield lambda: [Sent.of(call.args[1]) for call in send.call_args_list + asend.call_args_list]


@contextmanager
def replaced_class(_: pytest.FixtureRequest, url: str, kind: str, body: bytes) -> Iterator[Seen]:
    """Make other clients, as AWS X-Ray's instrumentation does."""
    transport, seen = _transport(kind, body)
    with ExitStack() as patches:
        for name in ("Client", "AsyncClient"):
            instrumented = type(name, (getattr(httpx, name),), {"__init__": _init_with(transport)})
            patches.enter_context(mock.patch.object(httpx, name, instrumented))
        yield seen


@contextmanager
def replaced_constructor(
    _: pytest.FixtureRequest, url: str, kind: str, body: bytes
) -> Iterator[Seen]:
    transport, seen = _transport(kind, body)
    with ExitStack() as patches:
        for of in (httpx.Client, httpx.AsyncClient):
            patches.enter_context(mock.patch.object(of, "__init__", _init_with(transport, of)))
        yield seen


def _init_with(transport: httpx.MockTransport, of: Any = None) -> Callable[..., None]:
    original = of and of.__init__

    def init(self: Any, **arguments: Any) -> None:
        arguments["transport"] = transport
        (original or type(self).__base__.__init__)(self, **arguments)

    return init


def _transport(kind: str, body: bytes) -> tuple[httpx.MockTransport, Seen]:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=body, headers={"content-type": kind})

    return httpx.MockTransport(handle), lambda: [Sent.of(request) for request in requests]


ROUTERS: dict[str, tuple[Mock, type[Exception], str]] = {
    "respx": (respx_in_httpcore, AssertionError, "not mocked"),
    "respx using httpx": (respx_in_httpx, AssertionError, "not mocked"),
    "pytest-httpx": (pytest_httpx, Exception, "did not answer"),
    "pook": (pook_mock, pook.exceptions.PookNoMatches, "Cannot match any mock"),
}
"""Those that match requests with routes, and what they raise where none matches."""

MOCKS_AT_THE_CLIENT: dict[str, Mock] = {
    "pook": pook_mock,
    "a mocked send": mocked_send,
    "a replaced class": replaced_class,
    "a replaced constructor": replaced_constructor,
}
MOCKS: dict[str, Mock] = {
    **{name: mocked for name, (mocked, *_) in ROUTERS.items()},
    **MOCKS_AT_THE_CLIENT,
}
MOCKS_OF_STREAMS: dict[str, Mock] = {
    "respx": respx_streams,
    "pytest-httpx": pytest_httpx_streams,
    "a mocked send": streams_of_a_mocked_send,
}
