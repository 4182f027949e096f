"""Mocks answer in the endpoint's place, and nothing leaves the process."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import respx

from monster_core.errors import MonsterError
from tests.core.scripted_server import Reply, ScriptedServer
from tests.seen_by.mocks import MOCKS, MOCKS_OF_STREAMS, ROUTERS, Mock, Sent
from tests.seen_by.ways import BASE_URL, EVERY_STREAM, EVERY_WAY, KEY, TEXT, Way

Serve = Callable[[Reply], ScriptedServer]
URL = f"{BASE_URL}/chat/completions"


def check_sent(way: Way, seen: list[Sent]) -> None:
    (sent,) = seen
    assert sent.key == f"Bearer {KEY}"
    assert sent.body["messages"] == [{"role": "user", "content": "Hi"}]
    assert sent.body.get("stream", False) is way.is_stream


@EVERY_WAY
@pytest.mark.parametrize("mocked", MOCKS.values(), ids=MOCKS)
async def test_a_mock_answers(way: Way, mocked: Mock, request: pytest.FixtureRequest) -> None:
    with mocked(request, URL, *way.reply()) as seen:
        assert await way.ask(way.make()) == TEXT
        check_sent(way, seen())


@EVERY_WAY
@pytest.mark.parametrize("name", MOCKS)
async def test_a_mock_answers_over_an_open_connection_which_serves_on_afterwards(
    way: Way, name: str, request: pytest.FixtureRequest, serve: Serve
) -> None:
    server = serve(way.served())
    model = way.make(base_url=server.base_url)
    assert await way.ask(model) == TEXT
    with MOCKS[name](request, f"{server.base_url}/chat/completions", *way.reply()) as seen:
        assert await way.ask(model) == TEXT
        check_sent(way, seen())
        assert len(server.received) == 1
        if name == "pytest-httpx":  # which mocks until the test ends
            return
        mocked = way.make(base_url=server.base_url)
        await way.ask(mocked)
    for one in (model, mocked, way.make(base_url=server.base_url)):
        await way.ask(one)
    assert (len(server.received), server.connections) == (4, 1)


@EVERY_STREAM
@pytest.mark.parametrize("mocked", MOCKS_OF_STREAMS.values(), ids=MOCKS_OF_STREAMS)
async def test_a_mock_streams_in_pieces(
    way: Way, mocked: Mock, request: pytest.FixtureRequest
) -> None:
    with mocked(request, URL, *way.reply()) as seen:
        assert await way.ask(way.make()) == TEXT
        check_sent(way, seen())


@EVERY_WAY
@pytest.mark.parametrize("is_open", [False, True], ids=["first call", "open connection"])
@pytest.mark.parametrize("name", ROUTERS)
@pytest.mark.httpx_mock(
    assert_all_requests_were_expected=False, assert_all_responses_were_requested=False
)
async def test_nothing_leaves_that_no_route_matches(
    way: Way, name: str, is_open: bool, request: pytest.FixtureRequest, serve: Serve
) -> None:
    server = serve(way.served())
    model = way.make(base_url=server.base_url)
    if is_open:
        await way.ask(model)
    mocked, error, message = ROUTERS[name]
    with pytest.raises(error, match=message):  # noqa: SIM117
        with mocked(request, URL, *way.reply()):
            await way.ask(model)
    assert server.accepted == len(server.received) == int(is_open)


@EVERY_WAY
@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_respx_raises_what_a_test_asks_for(way: Way, using: str) -> None:
    with respx.mock(using=using) as router:
        router.post(URL).mock(side_effect=httpx.ConnectError("refused"))
        with pytest.raises(MonsterError, match="refused"):
            await way.ask(way.make())


@EVERY_WAY
async def test_a_mock_transport_of_the_caller_answers(way: Way) -> None:
    kind, body = way.reply()
    seen: list[Sent] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(Sent.of(request))
        return httpx.Response(200, content=body, headers={"content-type": kind})

    transport = httpx.MockTransport(handle)
    async with httpx.AsyncClient(transport=transport) as async_client:
        with httpx.Client(transport=transport) as client:
            model = way.make(http_client=client, **{way.async_client_argument: async_client})
            assert await way.ask(model) == TEXT
    check_sent(way, seen)
