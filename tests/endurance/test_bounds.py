"""No reply outgrows its bound, and every wait has an end; tests/faults tells how it ends."""

from __future__ import annotations

import asyncio
import gzip
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from monster_core import errors
from monster_core.model_base import MonsterModelBase
from tests.core.scripted_server import Reply, answer, events, reply, token
from tests.endurance.conftest import Serve
from tests.endurance.models import MODELS, Model

Ask = Callable[[Model], str]

BOUND = 100_000
MEBIBYTE = 1024 * 1024

ASKING: dict[str, Ask] = {
    "call": lambda model: model.ask("Hello"),
    "async call": lambda model: asyncio.run(model.aask("Hello")),
}
STREAMING: dict[str, Ask] = {
    "stream": lambda model: model.read("Hello"),
    "async stream": lambda model: asyncio.run(model.aread("Hello")),
}


USERS = {"call": MODELS[0], "async call": MODELS[1], "stream": MODELS[1], "async stream": MODELS[0]}
"""The framework that makes each call: the core keeps the bounds of both."""


@pytest.fixture(params=ASKING)
def ask(request: pytest.FixtureRequest) -> Ask:
    return ASKING[request.param]


@pytest.fixture(params=STREAMING)
def stream(request: pytest.FixtureRequest) -> Ask:
    return STREAMING[request.param]


@pytest.fixture(params=ASKING | STREAMING)
def any_call(request: pytest.FixtureRequest) -> Ask:
    return (ASKING | STREAMING)[request.param]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> type[Model]:
    """Return what makes models: of the framework that makes this call, else of LangChain."""
    called = request.node.callspec.params.values() if hasattr(request.node, "callspec") else ()
    return next((USERS[name] for name in called if name in USERS), MODELS[0])


def chunked(*parts: bytes, **headers: str) -> Reply:
    """Return a reply whose length nobody knows before its end."""
    head = ["HTTP/1.1 200 OK", "content-type: text/event-stream", "transfer-encoding: chunked"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    framed = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]
    return Reply([("\r\n".join(head) + "\r\n\r\n").encode(), *framed, b"0\r\n\r\n"])


def gzipped(sent: Reply) -> Reply:
    """Return a reply of one part, compressed."""
    head, _, body = b"".join(part for part in sent.parts if isinstance(part, bytes)).partition(
        b"\r\n\r\n"
    )
    kept = [line for line in head.decode().split("\r\n") if "content-length" not in line]
    packed = gzip.compress(body)
    lines = [*kept, "content-encoding: gzip", f"content-length: {len(packed)}", "", ""]
    return Reply(["\r\n".join(lines).encode() + packed])


@cache
def bomb() -> bytes:
    """Return a small gzip stream that holds 64 MiB of spaces."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join([packer.compress(b" " * MEBIBYTE) for _ in range(64)]) + packer.flush()


def test_a_reply_within_the_bound_is_read(make: type[Model], serve: Serve, ask: Ask) -> None:
    server = serve(answer("x" * (BOUND - 1_000)))
    assert len(ask(make(server.base_url, max_response_bytes=BOUND))) == BOUND - 1_000


def test_a_stream_within_the_bound_is_read(make: type[Model], serve: Serve, stream: Ask) -> None:
    server = serve(events(*[token("x" * 100)] * 300, token("", "stop"), "[DONE]"))
    assert len(stream(make(server.base_url, max_response_bytes=BOUND))) == 30_000


def test_a_reply_that_says_it_is_too_large_is_not_read(
    make: type[Model], serve: Serve, any_call: Ask
) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {BOUND + 1}\r\n\r\n"
    refused = threading.Event()
    server = serve(Reply([head.encode(), refused]))
    with pytest.raises(errors.ResponseError, match=r"larger than 100,000 bytes.*max_response_byt"):
        any_call(make(server.base_url, max_response_bytes=BOUND))
    assert not server.clients_left.acquire(blocking=False)  # it still waits to send a body
    refused.set()


def test_a_reply_that_grows_too_large_is_left(
    make: type[Model], serve: Serve, any_call: Ask
) -> None:
    server = serve(chunked(*[b" " * 50_000] * 1_000))
    with pytest.raises(errors.ResponseError, match="max_response_bytes"):
        any_call(make(server.base_url, max_response_bytes=BOUND))
    assert server.clients_left.acquire(timeout=5)


def test_a_stream_that_grows_too_large_keeps_what_had_come(
    make: type[Model], serve: Serve, stream: Ask
) -> None:
    server = serve(events(token("so far"), *[token("x" * 1_000)] * 1_000))
    with pytest.raises(errors.ResponseError, match="max_response_bytes") as caught:
        stream(make(server.base_url, max_response_bytes=BOUND))
    assert (caught.value.partial_text or "").startswith("so farxxx")
    assert server.clients_left.acquire(timeout=5)


def test_a_line_without_an_end_is_left(make: type[Model], serve: Serve, stream: Ask) -> None:
    server = serve(chunked(b"data: ", *[b"x" * 10_000] * 1_000))
    with pytest.raises(errors.ResponseError, match="max_response_bytes"):
        stream(make(server.base_url, max_response_bytes=BOUND))
    assert server.clients_left.acquire(timeout=5)


def test_endless_headers_are_left(make: type[Model], serve: Serve, any_call: Ask) -> None:
    server = serve(Reply([b"HTTP/1.1 200 OK\r\n", *[b"x-more: " + b"x" * 8_000 + b"\r\n"] * 2_000]))
    with pytest.raises(errors.ConnectionFailedError):
        any_call(make(server.base_url))
    assert server.clients_left.acquire(timeout=5)


def test_a_compressed_reply_is_read(make: type[Model], serve: Serve, ask: Ask) -> None:
    server = serve(gzipped(answer("Hello")))
    assert ask(make(server.base_url)) == "Hello"
    assert server.received[0].headers["accept-encoding"] == "gzip"


def test_a_compressed_stream_is_read_as_it_comes(
    make: type[Model], serve: Serve, stream: Ask
) -> None:
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    events_sent = events(token("Hel"), token("lo", "stop"), "[DONE]").parts[1:-1]
    plain = [bytes(part).split(b"\r\n")[1] + b"\n\n" for part in events_sent]  # type: ignore[arg-type]
    packed = [packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in plain]
    server = serve(chunked(*packed, packer.flush(), content_encoding="gzip"))
    assert stream(make(server.base_url)) == "Hello"


def test_a_small_reply_that_unpacks_to_a_large_one_fills_no_memory(
    make: type[Model], serve: Serve, any_call: Ask
) -> None:
    server = serve(chunked(bomb(), content_encoding="gzip"))
    model = make(server.base_url, max_response_bytes=BOUND)
    tracemalloc.start()
    try:
        with pytest.raises(errors.ResponseError, match="max_response_bytes"):
            any_call(model)
        assert tracemalloc.get_traced_memory()[1] < 10 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_a_refusal_that_unpacks_to_a_large_one_is_cut(
    make: type[Model], serve: Serve, any_call: Ask
) -> None:
    server = serve(reply(400, bomb(), {"content-encoding": "gzip"}))
    tracemalloc.start()
    try:
        with pytest.raises(errors.BadRequestError):
            any_call(make(server.base_url))
        assert tracemalloc.get_traced_memory()[1] < 10 * MEBIBYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate"])
def test_a_compression_that_was_not_asked_for_is_refused(
    make: type[Model], serve: Serve, ask: Ask, encoding: str
) -> None:
    server = serve(reply(200, b"\x00", {"content-encoding": encoding}))
    with pytest.raises(errors.ResponseError, match=f"compressed its response as '{encoding}'"):
        ask(make(server.base_url))


def test_a_damaged_compression_is_reported(make: type[Model], serve: Serve, any_call: Ask) -> None:
    server = serve(reply(200, b"no gzip", {"content-encoding": "gzip"}))
    with pytest.raises(errors.ResponseError, match="compression cannot be undone"):
        any_call(make(server.base_url))


def test_the_bound_holds_for_replies_made_in_memory(make: type[Model]) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b" " * (BOUND + 1)))
    with httpx.Client(transport=transport) as http_client:
        model = make("https://models.test", http_client=http_client, max_response_bytes=BOUND)
        with pytest.raises(errors.ResponseError, match="max_response_bytes"):
            model.ask("Hello")


@pytest.mark.parametrize("make", MODELS)
def test_the_bound_is_finite_unless_somebody_says_otherwise(make: type[Model]) -> None:
    def bound(**given: Any) -> int:
        return make("http://127.0.0.1:9/v1", **given).llm._endpoint().max_response_bytes

    assert bound() == bound(max_response_bytes=None) == 64 * MEBIBYTE
    assert bound(max_response_bytes=2**70) == 2**70
    for wrong in (0, -1, "many"):
        with pytest.raises(ValidationError, match="max_response_bytes"):
            bound(max_response_bytes=wrong)


def test_the_bound_can_be_changed(make: type[Model], serve: Serve, ask: Ask) -> None:
    server = serve(answer("x" * 2_000))
    model = make(server.base_url, max_response_bytes=1_000)
    with pytest.raises(errors.ResponseError):
        ask(model)
    model.llm.max_response_bytes = None
    assert len(ask(model)) == 2_000


@pytest.mark.parametrize("make", MODELS)
def test_every_wait_has_an_end_by_default(make: type[Model]) -> None:
    timeouts = make("http://127.0.0.1:9/v1", timeout=None).llm._endpoint().timeouts
    finite = {name for name, seconds in vars(timeouts).items() if seconds}
    assert finite == {"connect", "read", "write", "pool", "idle"}
    assert timeouts.pool == timeouts.connect == 10
    assert timeouts.idle == timeouts.read == 120
    assert MonsterModelBase.model_fields["total_timeout"].default is None


@pytest.mark.parametrize("sent", [b"", b": ping\n\n", b'data: {"id": "c", "choices": []}\n\n'])
def test_a_stream_that_never_says_anything_is_left(
    make: type[Model], serve: Serve, stream: Ask, sent: bytes
) -> None:
    end = threading.Event()
    server = serve(events(*[part for _ in range(200) for part in (sent, 0.02) if sent], end))
    with pytest.raises(errors.RequestTimeoutError, match="stream_idle_timeout"):
        stream(make(server.base_url, stream_idle_timeout=0.2))
    end.set()


def test_waiting_for_a_connection_has_an_end(make: type[Model], serve: Serve) -> None:
    held = threading.Event()
    server = serve(events(token("Hel"), held, token("lo", "stop"), "[DONE]"))
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(limits=limits) as http_client:
        model = make(server.base_url, http_client=http_client, timeout=httpx.Timeout(20, pool=0.05))
        first = model.stream("Hello")
        next(first)
        with pytest.raises(errors.RequestTimeoutError, match="No free connection"):
            model.ask("Hello")
        held.set()
        first.close()
