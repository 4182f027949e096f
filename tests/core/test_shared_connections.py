"""Models of equal settings share connections; each leaves the others' alone, and none is left."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
import trustme
from pydantic import SecretStr

from monster_core.errors import ConfigurationError
from monster_core.transport import http
from monster_core.transport.client import AsyncMonsterClient, MonsterClient
from monster_core.transport.deadline import Timeouts
from tests.core.drivers import call, endpoint
from tests.core.scripted_server import Reply, ScriptedServer, answer, events, token

Serve = Callable[..., ScriptedServer]
AUTHORITY = trustme.CA()
MANY = 20


@pytest.fixture
def serve_securely(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    return lambda *replies: serve(*replies, tls=context)


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, serve: Serve, serve_securely: Serve) -> ScriptedServer:
    return (serve if request.param == "http" else serve_securely)(answer())


def ask(base_url: str, **changes: Any) -> None:
    """Call with a client that nobody keeps."""
    MonsterClient(endpoint(base_url, **changes)).complete(call())


async def ask_async(base_url: str, **changes: Any) -> None:
    await AsyncMonsterClient(endpoint(base_url, **changes)).complete(call())


def test_models_that_are_kept_share_one_connection(server: ScriptedServer) -> None:
    clients = [MonsterClient(endpoint(server.base_url)) for _ in range(MANY)]
    for client in clients:
        client.complete(call())
    assert server.connections == 1


def test_models_that_nobody_keeps_share_one_connection(server: ScriptedServer) -> None:
    for _ in range(5):
        ask(server.base_url)
        gc.collect()
    assert server.connections == 1


def test_models_of_one_event_loop_share_one_connection(server: ScriptedServer) -> None:
    async def ask_in_turn() -> None:
        kept = [AsyncMonsterClient(endpoint(server.base_url)) for _ in range(MANY)]
        for client in kept:
            await client.complete(call())
            await ask_async(server.base_url)

    asyncio.run(ask_in_turn())
    assert server.connections == 1


def test_models_of_other_keys_headers_and_timeouts_share_a_connection_and_no_header(
    serve: Serve,
) -> None:
    server = serve(answer())
    changes = [
        {"api_key": SecretStr("key-of-a"), "default_headers": {"x-tenant": SecretStr("a")}},
        {"api_key": SecretStr("key-of-b"), "timeouts": Timeouts.of(7, idle=None, total=None)},
    ]
    for change in [*changes, *changes]:
        ask(server.base_url, **change)
    assert server.connections == 1
    sent = [(one.headers["authorization"], one.headers.get("x-tenant")) for one in server.received]
    assert sent == [("Bearer key-of-a", "a"), ("Bearer key-of-b", None)] * 2


def test_a_process_has_one_tls_context(serve_securely: Serve) -> None:
    servers = [serve_securely(answer()) for _ in range(3)]
    http.tls_context.cache_clear()
    with mock.patch.object(httpx, "create_ssl_context", wraps=httpx.create_ssl_context) as create:
        for server in servers:
            ask(server.base_url)
            asyncio.run(ask_async(server.base_url))
    assert create.call_count == 1
    assert [len(server.received) for server in servers] == [2, 2, 2]


def test_no_cookie_of_one_models_response_is_sent_by_another(serve: Serve) -> None:
    head, body = answer().parts[0].split(b"\r\n\r\n", 1)  # type: ignore[union-attr]
    server = serve(Reply([head + b"\r\nset-cookie: session=a; path=/\r\n\r\n" + body]))
    for _ in range(2):
        ask(server.base_url)

    async def twice() -> None:
        for _ in range(2):
            await ask_async(server.base_url)

    asyncio.run(twice())
    assert [one.headers.get("cookie") for one in server.received] == [None] * 4


def test_models_of_other_servers_share_nothing(serve: Serve) -> None:
    servers = [serve(answer()), serve(answer())]
    clients = [MonsterClient(endpoint(one.base_url)) for one in servers]
    for client in clients:
        client.complete(call())
    clients[0].close()
    assert servers[0].clients_left.acquire(timeout=5)
    clients[1].complete(call())
    assert servers[1].connections == 1


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"])
def test_another_proxy_or_authority_is_another_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    connections = [http.Connections(endpoint("https://a.example/v1")) for _ in range(3)]
    with connections[0].use() as before, connections[1].use() as same:
        assert before is same
        value = "http://127.0.0.1:9"
        monkeypatch.setenv(
            variable, str(tmp_path / "authority.pem") if "CERT" in variable else value
        )
        with connections[2].use() as other:
            assert other is not before
    for one in connections:
        one.close()


@pytest.mark.parametrize("open_client", [http.Connections, http.AsyncConnections])
@pytest.mark.parametrize(
    "variable, value, said",
    [
        ("HTTPS_PROXY", "proxy.example:port", "http://host:port"),
        ("HTTP_PROXY", "ftp://user:secret@proxy.example", "http://host:port"),
        ("ALL_PROXY", "http://user:se/cret@proxy.example", "http://host:port"),
        pytest.param(
            "SSL_CERT_FILE",
            "/nowhere/secret.pem",
            "cannot be read",
            marks=pytest.mark.skipif(
                httpx.__version__.startswith("0.27."), reason="httpx 0.27 ignores a missing file"
            ),
        ),
    ],
)
async def test_a_variable_that_no_client_can_be_made_with_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, open_client: Any, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    scheme = "http" if variable == "HTTP_PROXY" else "https"
    connections = open_client(endpoint(f"{scheme}://a.example/v1"))
    with pytest.raises(ConfigurationError, match=rf"{variable}.*{said}") as caught:
        connections.use()
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


def test_a_clients_own_connections_are_never_shared(serve: Serve) -> None:
    server = serve(answer())
    with httpx.Client(headers={"x-mine": "1"}) as own:
        MonsterClient(endpoint(server.base_url), own).complete(call())
        ask(server.base_url)
    assert [one.headers.get("x-mine") for one in server.received] == ["1", None]
    assert server.connections == 2


def test_closing_one_model_leaves_the_others_their_connection(serve: Serve) -> None:
    server = serve(answer())
    first, second = (MonsterClient(endpoint(server.base_url)) for _ in range(2))
    for client in (first, second):
        client.complete(call())
    first.close()
    first.close()
    second.complete(call())
    assert server.connections == 1
    assert not server.clients_left.acquire(blocking=False)
    second.close()
    assert server.clients_left.acquire(timeout=5)
    first.complete(call())
    assert server.connections == 2
    first.close()


async def test_closing_one_model_leaves_the_others_of_its_loop_their_connection(
    serve: Serve,
) -> None:
    server = serve(answer())
    first, second = (AsyncMonsterClient(endpoint(server.base_url)) for _ in range(2))
    for client in (first, second):
        await client.complete(call())
    await first.aclose()
    await second.complete(call())
    assert server.connections == 1
    await second.aclose()
    assert await asyncio.to_thread(server.clients_left.acquire, timeout=5)


def test_a_model_that_is_closed_in_mid_stream_ends_its_stream_first(serve: Serve) -> None:
    more = threading.Event()
    server = serve(events(token("one"), more, token("two", "stop"), "[DONE]"))
    client = MonsterClient(endpoint(server.base_url))
    chunks = client.stream(call(stream=True))
    assert next(chunks).text == "one"
    client.close()
    more.set()
    assert [chunk.text for chunk in chunks if chunk.text] == ["two"]
    assert server.clients_left.acquire(timeout=5)


async def test_a_model_that_is_closed_in_mid_stream_ends_its_async_stream_first(
    serve: Serve,
) -> None:
    more = threading.Event()
    server = serve(events(token("one"), more, token("two", "stop"), "[DONE]"))
    client = AsyncMonsterClient(endpoint(server.base_url))
    chunks = client.stream(call(stream=True))
    assert (await anext(chunks)).text == "one"
    await client.aclose()
    more.set()
    assert [chunk.text async for chunk in chunks if chunk.text] == ["two"]
    assert await asyncio.to_thread(server.clients_left.acquire, timeout=5)


def test_models_that_nobody_closed_leave_few_connections_behind(serve: Serve) -> None:
    servers = [serve(answer()) for _ in range(8)]
    for server in servers:
        ask(server.base_url)
        gc.collect()
    assert servers[0].clients_left.acquire(timeout=5)


def test_many_threads_that_are_first_together_share_one_client(serve: Serve) -> None:
    server = serve(answer())
    clients = [MonsterClient(endpoint(server.base_url)) for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda client: client.complete(call()), clients))
    shared = {id(client._connections.use().client) for client in clients}
    assert len(shared) == 1


def run_python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script that must neither fail nor warn."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


ENDS = {
    "a sync call": "MonsterClient(target).complete(call())",
    "a sync client that is kept": "kept = MonsterClient(target); kept.complete(call())",
    "asyncio.run": "asyncio.run(AsyncMonsterClient(target).complete(call()))",
    "a loop that is only closed": """
        loop = asyncio.new_event_loop()
        loop.run_until_complete(AsyncMonsterClient(target).complete(call()))
        loop.close()""",
    "a client that outlives its loops": """
        kept = AsyncMonsterClient(target)
        for _ in range(3):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(kept.complete(call()))
            loop.close()
            asyncio.run(kept.complete(call()))""",
    "loops of threads": """
        def work():
            loop = asyncio.new_event_loop()
            loop.run_until_complete(kept.complete(call()))
            loop.close()
        kept = AsyncMonsterClient(target)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for one in threads: one.start()
        for one in threads: one.join()""",
    "a stream that is left": """
        async def leave():
            chunks = AsyncMonsterClient(target).stream(call(stream=True))
            async for _ in chunks:
                break
            await chunks.aclose()
        asyncio.run(leave())""",
    "a stream that is kept": """
        kept = MonsterClient(target).stream(call(stream=True))
        next(kept)""",
    "an async stream that is kept": """
        async def begin():
            global kept
            kept = AsyncMonsterClient(target).stream(call(stream=True))
            await anext(kept)
        asyncio.run(begin())""",
    "an async stream that is kept, in a loop that is only closed": """
        async def begin():
            global kept
            kept = AsyncMonsterClient(target).stream(call(stream=True))
            await anext(kept)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(begin())
        loop.close()""",
    "a thread in a stream": """
        def work():
            for _ in MonsterClient(target).stream(call(stream=True)):
                has_begun.set()
                threading.Event().wait()
        has_begun = threading.Event()
        threading.Thread(target=work, daemon=True).start()
        has_begun.wait(10)""",
    "a cancelled call": """
        async def cancel():
            asked = asyncio.ensure_future(AsyncMonsterClient(target).complete(call()))
            await asyncio.sleep(0.001)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        asyncio.run(cancel())""",
}


def test_nothing_warns_whatever_ends_first(serve: Serve, serve_securely: Serve) -> None:
    """One process imports the core, which takes longest, and forks one for each end."""
    whole, stream = answer(), events(token("Hi", "stop"), "[DONE]")
    servers = [serve(whole), serve_securely(whole), serve(stream), serve_securely(stream)]
    addresses = [server.base_url for server in servers]
    ends = {name: textwrap.dedent(f"        {end.strip()}") for name, end in ENDS.items()}
    groups = [ends] if hasattr(os, "fork") else [{name: end} for name, end in ends.items()]
    for group in groups:
        done = run_python(
            """
            import asyncio, gc, json, os, sys, threading
            from monster_core.transport.client import AsyncMonsterClient, MonsterClient
            from tests.core.drivers import call, endpoint

            ends, addresses = json.loads(sys.argv[1]), sys.argv[2:]
            for name, end in ends.items():
                print(name, file=sys.stderr, flush=True)
                if len(ends) == 1 or not os.fork():
                    break
                if os.wait()[1]:
                    print("failed", file=sys.stderr, flush=True)
            else:
                sys.exit()
            first, second = addresses[2:] if "stream" in name else addresses[:2]
            target = endpoint(first)
            exec(end, globals())
            before = kept if "kept" in globals() else None
            target = endpoint(second)
            exec(end, globals())
            """,
            json.dumps(group),
            *addresses,
        )
        assert done.stderr.splitlines() == [*group]
        assert done.returncode == 0


@pytest.mark.parametrize("is_used", [False, True], ids=["first", "after another"])
def test_calls_at_the_end_of_the_process_are_answered(serve_securely: Serve, is_used: bool) -> None:
    server = serve_securely(answer())
    done = run_python(
        f"""
        import atexit, sys

        @atexit.register  # before the core's own: it is called after that
        def ask():
            for client in (MonsterClient(target), kept):
                client.complete(call())

        from monster_core.transport.client import MonsterClient
        from tests.core.drivers import call, endpoint

        target = endpoint(sys.argv[1])
        kept = MonsterClient(target)
        if {is_used}:
            kept.complete(call())
        """,
        server.base_url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.received) == 2 + is_used


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_leaves_the_parents_connections_alone_and_warns_of_nothing(
    serve_securely: Serve,
) -> None:
    secure_server = serve_securely(answer())
    done = run_python(
        """
        import asyncio, os, sys
        from monster_core.transport.client import AsyncMonsterClient, MonsterClient
        from tests.core.drivers import call, endpoint

        client = MonsterClient(endpoint(sys.argv[1]))
        async_client = AsyncMonsterClient(endpoint(sys.argv[1]))
        client.complete(call())
        loop = asyncio.new_event_loop()
        loop.run_until_complete(async_client.complete(call()))
        child = os.fork()
        if not child:
            client.complete(call())
            client.close()
            asyncio.run(async_client.complete(call()))
            del client, async_client
            sys.stderr.flush()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        client.complete(call())
        loop.run_until_complete(async_client.complete(call()))
        loop.close()
        """,
        secure_server.base_url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    by_connection = [one.connection for one in secure_server.received]
    assert sorted(map(by_connection.count, set(by_connection))) == [1, 1, 2, 2]
