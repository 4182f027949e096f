"""A model that is made for a single web request brings no connection of its own."""

from __future__ import annotations

import copy
import gc
import pickle
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.core.scripted_server import ScriptedServer, answer
from tests.endurance.models import MODELS, ChatMonsterModel, Model

pytestmark = pytest.mark.no_cover  # the same code many times

WEB_REQUESTS = 24
THREADS = 4


@pytest.fixture(params=["http", "https"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ScriptedServer]:
    tls = None
    if request.param == "https":
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
    with ScriptedServer(answer("Hello"), tls=tls) as running:
        yield running


def make_models(base_url: str) -> Iterator[Model]:
    """Make models of both classes; what belongs to their requests is different for each."""
    for place in range(WEB_REQUESTS):
        settings: dict[str, Any] = {
            "model": f"model-{place % 3}",
            "api_key": f"key-{place}",
            "temperature": place / WEB_REQUESTS,
            "timeout": 20 + place,
            "default_headers": {"x-tenant": str(place)},
        }
        yield MODELS[place % 2](base_url, **settings)


def check_requests(server: ScriptedServer, connections: int = 1) -> None:
    keys = sorted(f"Bearer key-{place}" for place in range(WEB_REQUESTS))
    assert sorted(one.headers["authorization"] for one in server.received) == keys
    assert all(
        one.headers["authorization"] == f"Bearer key-{one.headers['x-tenant']}"
        for one in server.received
    )
    assert 1 <= server.accepted <= connections


@pytest.mark.parametrize("are_kept", [False, True], ids=["collected", "kept"])
def test_many_models_use_one_connection(server: ScriptedServer, are_kept: bool) -> None:
    kept = []
    for model in make_models(server.base_url):
        assert model.ask("Hi") == "Hello"
        kept += [model] if are_kept else []
    check_requests(server)


@pytest.mark.parametrize("are_kept", [False, True], ids=["collected", "kept"])
async def test_many_models_of_an_event_loop_use_one_connection(
    server: ScriptedServer, are_kept: bool
) -> None:
    kept = []
    for model in make_models(server.base_url):
        assert await model.aask("Hi") == "Hello"
        kept += [model] if are_kept else []
    check_requests(server)


def test_many_models_of_a_few_threads_use_as_many_connections(server: ScriptedServer) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        asked = pool.map(lambda model: model.ask("Hi"), make_models(server.base_url))
        assert set(asked) == {"Hello"}
    check_requests(server, THREADS)


@pytest.mark.parametrize(
    "copied",
    [lambda llm: pickle.loads(pickle.dumps(llm)), copy.deepcopy, copy.copy],
    ids=["pickle", "deepcopy", "copy"],
)
def test_copies_share_the_connection_of_the_original(
    server: ScriptedServer, make: type[Model], copied: Callable[[Any], Any]
) -> None:
    original, other = make(server.base_url), make(server.base_url)
    original.ask("Hi")
    for _ in range(3):
        other.llm = copied(original.llm)
        assert other.ask("Hi") == "Hello"
        gc.collect()
    assert (len(server.received), server.accepted) == (4, 1)


def test_timeouts_and_headers_of_a_call_take_the_models_connection(server: ScriptedServer) -> None:
    llm = ChatMonsterModel(server.base_url).llm
    for place in range(3):
        llm.invoke("Hi", timeout=5 + place, extra_headers={"x-call": str(place)})
        llm.bind(timeout=5 + place, stop=["."]).invoke("Hi")
    assert [one.headers.get("x-call") for one in server.received] == [
        "0",
        None,
        "1",
        None,
        "2",
        None,
    ]
    assert server.accepted == 1
