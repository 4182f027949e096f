"""What hooks into httpx's transport, as recorders and tracers do, sees every request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import wrapt

from tests.core.drivers import Driver
from tests.core.scripted_server import ScriptedServer, answer, events, token

Connect = Callable[..., Driver]
Serve = Callable[..., ScriptedServer]

HOOKED = (
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
)


class Seen:
    """Collects the requests that pass."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def replace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put functions in the place of httpx's, as vcrpy does."""
        (transport, name), (async_transport, async_name) = HOOKED
        original, async_original = getattr(transport, name), getattr(async_transport, async_name)

        def handle(this: Any, request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            response: httpx.Response = original(this, request)
            return response

        async def handle_async(this: Any, request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            response: httpx.Response = await async_original(this, request)
            return response

        monkeypatch.setattr(transport, name, handle)
        monkeypatch.setattr(async_transport, async_name, handle_async)

    def wrap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put wrappers around httpx's functions that look just like them, as OpenTelemetry does."""

        def note(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            self.requests.append(args[0])
            return wrapped(*args, **kwargs)

        for transport, name in HOOKED:
            wrapper: Any = wrapt.FunctionWrapper(getattr(transport, name), note)
            monkeypatch.setattr(transport, name, wrapper)


@pytest.fixture(params=[Seen.replace, Seen.wrap], ids=["replaced", "wrapped"])
def seen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Seen:
    collected = Seen()
    request.param(collected, monkeypatch)
    return collected


def test_a_hook_sees_a_call(connect: Connect, serve: Serve, seen: Seen) -> None:
    server = serve(answer("Hello"))
    assert connect(server).answer().choices[0].text == "Hello"
    (request,) = seen.requests
    assert (request.method, str(request.url)) == ("POST", f"{server.base_url}/chat/completions")
    assert request.read() == server.received[0].body


def test_a_hook_sees_a_stream(connect: Connect, serve: Serve, seen: Seen) -> None:
    server = serve(events(token("Hi"), token("!", "stop"), "[DONE]"))
    assert "".join(chunk.text for chunk in connect(server).stream()) == "Hi!"
    assert [request.url.path for request in seen.requests] == ["/v1/chat/completions"]


def test_the_same_request_is_sent_with_and_without_a_hook(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answer())
    client = connect(server)
    client.answer()
    Seen().replace(monkeypatch)
    client.answer()
    plain, hooked = server.received
    assert (plain.line, plain.headers, plain.body) == (hooked.line, hooked.headers, hooked.body)
    assert plain.connection == hooked.connection


def test_a_hook_may_answer_itself(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"id": "cmpl-1", "choices": [{"index": 0, "message": {"content": "Mocked"}}]}

    def handle(this: Any, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body)

    async def handle_async(this: Any, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body)

    for (transport, name), own in zip(HOOKED, (handle, handle_async), strict=True):
        monkeypatch.setattr(transport, name, own)
    assert connect("http://127.0.0.1:9/v1").answer().choices[0].text == "Mocked"


def test_a_hook_finds_the_request_of_a_reply(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies: list[httpx.Response] = []
    (transport, name), (async_transport, async_name) = HOOKED
    original, async_original = getattr(transport, name), getattr(async_transport, async_name)

    def handle(this: Any, request: httpx.Request) -> httpx.Response:
        replies.append(original(this, request))
        return replies[-1]

    async def handle_async(this: Any, request: httpx.Request) -> httpx.Response:
        replies.append(await async_original(this, request))
        return replies[-1]

    monkeypatch.setattr(transport, name, handle)
    monkeypatch.setattr(async_transport, async_name, handle_async)
    connect(serve(answer())).answer()
    assert [one.request.url.path for one in replies] == ["/v1/chat/completions"]


def test_a_hook_that_was_there_first_is_seen_as_one(serve: Serve) -> None:
    server = serve(answer())
    code = f"""
import httpx
seen, original = [], httpx.HTTPTransport.handle_request
def handle(self, request):
    seen.append(request)
    return original(self, request)
httpx.HTTPTransport.handle_request = handle
from langchain_monster import ChatMonster
ChatMonster(model="m", base_url={server.base_url!r}, api_key="k").invoke("Hi")
assert len(seen) == 1, seen
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_hook_that_is_taken_away_sees_no_more(connect: Connect, serve: Serve) -> None:
    server = serve(answer())
    client, collected = connect(server), Seen()
    with pytest.MonkeyPatch.context() as monkeypatch:
        collected.replace(monkeypatch)
        client.answer()
    client.answer()
    assert (len(collected.requests), len(server.received)) == (1, 2)
