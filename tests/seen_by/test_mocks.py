"""Mocks answer in the endpoint's place, and nothing leaves the process.

respx, pytest-httpx and pook install beside each other and beside everything else in the group
``test`` of pyproject.toml.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from unittest import mock

import httpx
import pook
import pytest
import respx
from pytest_httpx import HTTPXMock

from monster_core.errors import MonsterError
from tests.seen_by.ways import BASE_URL, EVERY_WAY, KEY, TEXT, Way, reply

URL = f"{BASE_URL}/chat/completions"


class CountingServer(HTTPServer):
    """A server on this machine that counts what reaches it."""

    requests = 0


class _Count(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, CountingServer)
        self.server.requests += 1
        self.send_response(500)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer(("127.0.0.1", 0), _Count) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def check_sent(request: httpx.Request, is_stream: bool) -> None:
    assert request.headers["authorization"] == f"Bearer {KEY}"
    body = json.loads(request.content)
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert body.get("stream", False) is is_stream


@EVERY_WAY
@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_respx_answers(ask: Way, is_stream: bool, using: str) -> None:
    kind, body = reply(is_stream)
    with respx.mock(using=using) as router:
        route = router.post(URL).respond(200, content=body, content_type=kind)
        assert await ask() == TEXT
    check_sent(route.calls.last.request, is_stream)


@EVERY_WAY
@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_respx_answers_a_model_whose_connections_are_older(
    ask: Way, is_stream: bool, using: str, server: CountingServer
) -> None:
    base_url = f"http://127.0.0.1:{server.server_port}/v1"
    with pytest.raises(MonsterError):
        await ask(base_url=base_url)
    kind, body = reply(is_stream)
    with respx.mock(using=using) as router:
        router.post(f"{base_url}/chat/completions").respond(200, content=body, content_type=kind)
        assert await ask(base_url=base_url) == TEXT
    assert server.requests == 1


@EVERY_WAY
@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_respx_lets_nothing_out_that_no_route_matches(
    ask: Way, is_stream: bool, using: str, server: CountingServer
) -> None:
    with respx.mock(using=using, assert_all_called=False) as router:
        router.post("https://other.example/").respond(200)
        with pytest.raises(AssertionError, match="not mocked"):
            await ask(base_url=f"http://127.0.0.1:{server.server_port}/v1")
    assert server.requests == 0


@EVERY_WAY
async def test_respx_raises_what_a_test_asks_for(ask: Way, is_stream: bool) -> None:
    with respx.mock as router:
        router.post(URL).mock(side_effect=httpx.ConnectError("refused"))
        with pytest.raises(MonsterError, match="refused"):
            await ask()


@EVERY_WAY
async def test_pytest_httpx_answers(ask: Way, is_stream: bool, httpx_mock: HTTPXMock) -> None:
    kind, body = reply(is_stream)
    httpx_mock.add_response(url=URL, content=body, headers={"content-type": kind})
    assert await ask() == TEXT
    request = httpx_mock.get_request()
    assert request is not None
    check_sent(request, is_stream)


@EVERY_WAY
async def test_pook_answers(ask: Way, is_stream: bool) -> None:
    kind, body = reply(is_stream)
    with pook.use():
        mocked = pook.post(URL, reply=200, response_headers={"content-type": kind})
        mocked.header("authorization", f"Bearer {KEY}")
        mocked.reply(200).body(body)
        assert await ask() == TEXT
        assert mocked.calls == 1


@EVERY_WAY
async def test_a_mocked_send_answers(ask: Way, is_stream: bool) -> None:
    kind, body = reply(is_stream)
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, content=body, headers={"content-type": kind}, request=request)

    def send(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        return answer(request)

    async def asend(
        client: httpx.AsyncClient, request: httpx.Request, **options: Any
    ) -> httpx.Response:
        return answer(request)

    with (
        mock.patch.object(httpx.Client, "send", send),
        mock.patch.object(httpx.AsyncClient, "send", asend),
    ):
        assert await ask() == TEXT
    (request,) = sent
    check_sent(request, is_stream)


@EVERY_WAY
async def test_a_mock_transport_of_the_caller_answers(ask: Way, is_stream: bool) -> None:
    kind, body = reply(is_stream)

    def answer(request: httpx.Request) -> httpx.Response:
        check_sent(request, is_stream)
        return httpx.Response(200, content=body, headers={"content-type": kind})

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport) as client:
        with httpx.Client(transport=transport) as sync_client:
            name = ask.__name__
            is_llama_index = "complete" in name
            given = (
                {("async_http_client" if is_llama_index else "http_async_client"): client}
                if name.startswith("a")
                else {"http_client": sync_client}
            )
            assert await ask(**given) == TEXT
