"""What the client does with replies of every kind, without and with async."""

from __future__ import annotations

import email.utils
import json
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import SecretStr

from monster_core import errors
from monster_core.request.builder import ChatRequest, build_request
from monster_core.request.messages import Message
from monster_core.response.types import Chunk
from monster_core.transport.attempt import Attempt
from monster_core.transport.body import ACCEPTED_ENCODING
from monster_core.transport.client import MonsterClient
from monster_core.transport.deadline import Timeouts
from monster_core.version import __version__
from tests.core.drivers import Driver, SyncDriver, call, endpoint
from tests.core.scripted_server import Reply, ScriptedServer, answer, events, reply, token

Serve = Callable[..., ScriptedServer]
Connect = Callable[..., Driver]

WORDS = (token("Hel"), token("lo"), token("", "stop"))
BUSY = reply(429, {"object": "error", "message": "slow down", "code": 429})


def text_of(chunks: Iterator[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def test_an_answer_is_read(serve: Serve, connect: Connect) -> None:
    server = serve(answer("Hello"))
    found = connect(server).answer()
    assert (found.choices[0].text, found.id) == ("Hello", "cmpl-1")
    assert found.usage is not None
    assert found.usage.total_tokens == 5
    (request,) = server.received
    assert request.line == "POST /v1/chat/completions"
    assert request.headers["authorization"] == "Bearer open-sesame"
    assert request.headers["content-type"] == "application/json"


def test_a_stream_is_read_piece_by_piece(serve: Serve, connect: Connect) -> None:
    usage = {
        "id": "cmpl-1",
        "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
    chunks = list(connect(serve(events(*WORDS, usage, "[DONE]"))).stream())
    assert [chunk.text for chunk in chunks if chunk.text] == ["Hel", "lo"]
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [3]
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_a_piece_of_text_arrives_before_the_next_is_sent(serve: Serve, connect: Connect) -> None:
    seen = threading.Event()
    chunks = connect(serve(events(token("now"), seen, token("later", "stop")))).stream()
    assert next(chunks).text == "now"
    seen.set()
    assert next(chunks).text == "later"
    list(chunks)


def test_a_request_carries_these_headers(serve: Serve, connect: Connect) -> None:
    server = serve(answer())
    connect(server).answer()
    sent = server.received[0].headers
    of_the_connection = {"host", "connection", "content-length"}
    assert {name: sent[name] for name in sent.keys() - of_the_connection} == {
        "accept": "application/json",
        "accept-encoding": ACCEPTED_ENCODING,
        "authorization": "Bearer open-sesame",
        "content-type": "application/json",
        "user-agent": f"monsterapi-integrations/{__version__}",
    }


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8000/v1",
        "https://a.example:443/v1",
        "http://[::1]:80",
        "https://b\u00fc.de/v1",
    ],
)
@pytest.mark.parametrize("own", [{}, {"Host": "other.example"}, {"X-Mine": "1", "Accept": "a/b"}])
@pytest.mark.parametrize("chat_request", [None, call()], ids=["GET", "POST"])
def test_a_request_is_the_one_that_httpx_would_make(
    base_url: str, own: dict[str, str], chat_request: ChatRequest | None
) -> None:
    headers = {name: SecretStr(value) for name, value in own.items()}
    attempt = Attempt(endpoint(base_url, default_headers=headers), "/path", chat_request)
    ours = attempt.request()
    content, sent = attempt.content, attempt.endpoint.headers
    theirs = httpx.Request(ours.method, f"{base_url}/path", headers=sent, content=content)
    assert ours.headers.raw == theirs.headers.raw
    assert (ours.url, ours.content) == (theirs.url, theirs.content)


def test_the_models_are_read(serve: Serve, connect: Connect) -> None:
    server = serve(reply(200, {"data": [{"id": "m", "max_model_len": 8192}, {"id": "n"}]}))
    served = connect(server).models()
    assert [(model.id, model.context_window) for model in served] == [("m", 8192), ("n", None)]
    assert server.received[0].line == "GET /v1/models"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_a_transient_refusal_is_tried_again(
    serve: Serve, connect: Connect, slept: list[float], status: int
) -> None:
    server = serve(reply(status, "busy"), reply(status, "busy"), answer("at last"))
    assert connect(server, max_retries=2).answer().choices[0].text == "at last"
    assert len(server.received) == 3
    assert 0.375 <= slept[0] <= 0.5
    assert 0.75 <= slept[1] <= 1.0


def test_a_stream_is_tried_again_before_it_begins(
    serve: Serve, connect: Connect, slept: list[float]
) -> None:
    server = serve(BUSY, events(*WORDS, "[DONE]"))
    assert text_of(connect(server, max_retries=1).stream()) == "Hello"
    assert len(slept) == 1


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_no_more_requests_are_sent_than_allowed(
    serve: Serve, connect: Connect, slept: list[float], retries: int
) -> None:
    server = serve(BUSY)
    with pytest.raises(errors.RateLimitError, match="slow down"):
        connect(server, max_retries=retries).answer()
    assert len(server.received) == 1 + retries


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 501])
def test_a_final_refusal_is_not_tried_again(
    serve: Serve, connect: Connect, slept: list[float], status: int
) -> None:
    server = serve(reply(status, {"message": "no"}), answer())
    with pytest.raises(errors.StatusError, match="no") as caught:
        connect(server, max_retries=3).answer()
    assert caught.value.status_code == status
    assert len(server.received) == 1
    assert slept == []


def test_the_server_decides_how_long_to_wait(
    serve: Serve, connect: Connect, slept: list[float]
) -> None:
    server = serve(reply(429, "busy", {"Retry-After": "7"}), answer())
    connect(server, max_retries=1).answer()
    assert slept == [7.0]


def test_the_server_may_name_a_moment_to_wait_for(
    serve: Serve, connect: Connect, slept: list[float]
) -> None:
    moment = email.utils.formatdate(time.time() + 30, usegmt=True)
    connect(serve(reply(503, "busy", {"Retry-After": moment}), answer()), max_retries=1).answer()
    assert 27 < slept[0] <= 31


def test_too_long_a_wait_is_the_callers_decision(
    serve: Serve, connect: Connect, slept: list[float]
) -> None:
    server = serve(reply(429, "busy", {"Retry-After": "3600"}), answer())
    with pytest.raises(errors.RateLimitError, match="3600 seconds") as caught:
        connect(server, max_retries=3).answer()
    assert caught.value.retry_after == 3600
    assert len(server.received) == 1
    assert slept == []


def test_a_broken_connection_is_tried_again(
    serve: Serve, connect: Connect, slept: list[float]
) -> None:
    server = serve(Reply([], cut=True), answer())
    assert connect(server, max_retries=1).answer().choices[0].text == "Hello"
    assert len(server.received) == 2


def test_a_dead_port_is_named(connect: Connect) -> None:
    with pytest.raises(errors.ConnectionFailedError, match="MONSTER_API_BASE") as caught:
        connect("http://127.0.0.1:9/v1").answer()
    assert "http://127.0.0.1:9/v1" in str(caught.value)


def test_a_redirect_is_not_followed(serve: Serve, connect: Connect) -> None:
    elsewhere = serve(answer())
    server = serve(reply(307, b"", {"Location": f"{elsewhere.base_url}/chat/completions"}))
    with pytest.raises(errors.RedirectError, match=elsewhere.base_url):
        connect(server, max_retries=2).answer()
    assert elsewhere.received == []


@pytest.mark.parametrize("make_stream", [False, True], ids=["answer", "stream"])
def test_a_redirect_is_not_followed_even_by_a_client_that_would(
    serve: Serve, make_stream: bool
) -> None:
    elsewhere = serve(answer())
    server = serve(reply(302, b"", {"Location": elsewhere.base_url}))
    with httpx.Client(follow_redirects=True) as http_client:
        driver = SyncDriver(endpoint(server.base_url), http_client)
        with pytest.raises(errors.RedirectError):
            list(driver.stream()) if make_stream else driver.answer()
    assert elsewhere.received == []


def test_a_cut_stream_raises_and_keeps_what_had_come(serve: Serve, connect: Connect) -> None:
    server = serve(events(token("Hel"), token("lo"), 0.5, cut=True), answer())
    seen = []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        seen.extend(connect(server, max_retries=2).stream())
    assert [chunk.text for chunk in seen] == ["Hel", "lo"]
    assert caught.value.partial_text == "Hello"
    assert len(server.received) == 1


def test_a_stream_without_an_end_is_a_cut_one(serve: Serve, connect: Connect) -> None:
    with pytest.raises(errors.StreamInterruptedError) as caught:
        list(connect(serve(events(token("Hel")))).stream())
    assert caught.value.partial_text == "Hel"


@pytest.mark.parametrize(
    "end", [(token("", "stop"),), ("[DONE]",), (b"data: [DONE]",), (b"data:[DONE]\n",)]
)
def test_either_end_is_a_good_one(serve: Serve, connect: Connect, end: tuple[bytes, ...]) -> None:
    chunks = list(connect(serve(events(token("Hi"), *end))).stream())
    assert chunks[0].text == "Hi"
    assert chunks[-1].is_last


def test_a_connection_that_breaks_after_done_is_none_of_the_callers_business(
    serve: Serve, connect: Connect
) -> None:
    assert text_of(connect(serve(events(*WORDS, "[DONE]", 0.5, cut=True))).stream()) == "Hello"


@pytest.mark.parametrize("late", [b": comment\n\n", b"\n", b"\r\n"], ids=repr)
def test_what_follows_done_is_not_late_because_the_reader_is_slow(
    serve: Serve, connect: Connect, late: bytes
) -> None:
    for chunk in connect(serve(events(*WORDS, "[DONE]", 0.2, late))).stream():
        if chunk.is_last:
            time.sleep(0.5)


@pytest.mark.clock
def test_a_server_that_leaves_the_body_open_after_done_is_hung_up_on(
    serve: Serve, connect: Connect
) -> None:
    server = serve(events(*WORDS, "[DONE]", 1.5))
    begun = time.monotonic()
    assert text_of(connect(server).stream()) == "Hello"
    assert time.monotonic() - begun < 1.2
    assert server.clients_left.acquire(timeout=5)


def test_many_streams_that_end_at_once_keep_their_connection(
    serve: Serve, connect: Connect
) -> None:
    server = serve(events(*WORDS, "[DONE]"))
    client = connect(server)
    for _ in range(50):
        assert text_of(client.stream()) == "Hello"
    assert server.connections == 1


def test_a_connection_that_breaks_after_the_finish_reason_has_brought_the_answer(
    serve: Serve, connect: Connect
) -> None:
    # aiohttp drops what it has received and not yet given, if the connection breaks meanwhile
    chunks = list(connect(serve(events(*WORDS, 0.5, cut=True))).stream())
    assert "".join(chunk.text for chunk in chunks) == "Hello"
    assert [chunk.is_last for chunk in chunks] == [False, False, False, True]


@pytest.mark.parametrize(
    "event",
    [
        {"error": {"object": "error", "message": "engine died", "code": 400}},
        {"object": "error", "message": "engine died", "code": 400},
    ],
    ids=["wrapped", "flat"],
)
def test_an_error_event_raises_and_keeps_what_had_come(
    serve: Serve, connect: Connect, event: dict[str, object]
) -> None:
    server = serve(events(token("Hel"), event, "[DONE]"))
    with pytest.raises(errors.BadRequestError, match="engine died") as caught:
        list(connect(server).stream())
    assert caught.value.partial_text == "Hel"


@pytest.mark.parametrize(
    "wrong",
    ['{"error": {"message": "engine died", "code": 400}}', "{no json", '{"object": "what"}'],
)
def test_what_came_in_the_same_bytes_as_an_error_is_handed_out_first(
    serve: Serve, connect: Connect, wrong: str
) -> None:
    at_once = "".join(f"data: {data}\n\n" for data in [json.dumps(token("Hel")), wrong])
    seen = []
    with pytest.raises(errors.MonsterError) as caught:
        seen.extend(chunk.text for chunk in connect(serve(events(at_once.encode()))).stream())
    assert seen == ["Hel"] == [caught.value.partial_text]


def test_an_event_without_its_blank_line_is_handed_out_before_the_stream_is_found_cut(
    serve: Serve, connect: Connect
) -> None:
    server = serve(events(f"data: {json.dumps(token('Hel'))}".encode()))
    seen = []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        seen.extend(chunk.text for chunk in connect(server).stream())
    assert seen == ["Hel"] == [caught.value.partial_text]


@pytest.mark.parametrize(
    "body, said",
    [
        (b"<html><body>Welcome</body></html>", "web page"),
        (b"", "empty body"),
        (b"ok", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"status": "fine"}', "no choices"),
    ],
)
def test_a_reply_of_200_that_is_not_an_answer(
    serve: Serve, connect: Connect, body: bytes, said: str
) -> None:
    with pytest.raises(errors.ResponseError, match=said):
        connect(serve(reply(200, body))).answer()


@pytest.mark.parametrize("body", [b"<html></html>", b"", b'{"choices": []}'])
def test_a_reply_of_200_that_is_not_a_stream(serve: Serve, connect: Connect, body: bytes) -> None:
    with pytest.raises(errors.ResponseError, match="no event stream"):
        list(connect(serve(reply(200, body))).stream())


def test_an_error_in_a_reply_of_200(serve: Serve, connect: Connect) -> None:
    with pytest.raises(errors.StatusError, match="model is loading"):
        connect(serve(reply(200, {"error": {"message": "model is loading"}}))).answer()


def test_an_error_in_a_reply_of_200_is_the_same_where_a_stream_was_asked_for(
    serve: Serve, connect: Connect
) -> None:
    body = {"error": {"message": "model is loading" + " and loading" * 500, "code": 503}}
    raised = []
    for ask in (lambda it: it.answer(), lambda it: list(it.stream())):
        with pytest.raises(errors.ServerError, match="model is loading") as caught:
            ask(connect(serve(reply(200, body))))
        raised.append(caught.value)
    assert str(raised[0]) == str(raised[1])
    assert [error.partial_text for error in raised] == [None, None]


def test_a_slow_answer_is_a_timeout_and_not_tried_again(
    serve: Serve, connect: Connect, slept: list[float]
) -> None:
    server = serve(Reply([0.4, b""], cut=True))
    patience = Timeouts.of(0.1, idle=None, total=None)
    with pytest.raises(errors.RequestTimeoutError, match="MONSTER_TIMEOUT"):
        connect(server, max_retries=2, timeouts=patience).answer()
    assert len(server.received) == 1


def test_comments_do_not_count_as_content(serve: Serve, connect: Connect) -> None:
    pings = [part for _ in range(100) for part in (b": ping\n\n", 0.03)]
    server = serve(events(token("Hel"), *pings, token("lo", "stop")))
    patience = Timeouts.of(5, idle=0.6, total=None)
    with pytest.raises(errors.RequestTimeoutError, match="stream_idle_timeout") as caught:
        list(connect(server, timeouts=patience).stream())
    assert caught.value.partial_text == "Hel"


@pytest.mark.clock
def test_content_resets_the_idle_timeout(serve: Serve, connect: Connect) -> None:
    slow = [part for _ in range(6) for part in (token("x"), 0.1)]
    patience = Timeouts.of(5, idle=0.4, total=None)
    assert text_of(connect(serve(events(*slow, "[DONE]")), timeouts=patience).stream()) == "xxxxxx"


@pytest.mark.clock
def test_what_is_held_back_resets_the_idle_timeout_too(serve: Serve) -> None:
    """A call that cannot be given yet arrives in pieces for longer than the timeout."""
    pieces = ["Look: ", '{"name": "add", ', '"parameters": {"a":', " 1, ", '"b": 2', "}}"]
    slow = [part for piece in pieces for part in (token(piece), 0.1)]
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    fields = {"model": "m", "tools": [tool]}
    request = build_request([Message("user", "Add.")], fields, stream=True)
    server = serve(events(*slow, token("", "stop"), "[DONE]"))
    target = endpoint(server.base_url, timeouts=Timeouts.of(5, idle=0.35, total=None))
    chunks = list(MonsterClient(target).stream(request))
    assert [call.arguments for call in (chunks[-1].finished_calls or {}).values()] == [
        '{"a": 1, "b": 2}'
    ]


def test_the_total_timeout_ends_a_stream_that_goes_on(serve: Serve, connect: Connect) -> None:
    endless = [part for _ in range(100) for part in (token("x"), 0.03)]
    patience = Timeouts.of(5, idle=None, total=2)
    with pytest.raises(errors.RequestTimeoutError, match="total_timeout") as caught:
        list(connect(serve(events(*endless)), timeouts=patience).stream())
    assert caught.value.partial_text


def test_the_total_timeout_ends_a_body_that_drips(serve: Serve, connect: Connect) -> None:
    dripping = Reply([b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", *([b" ", 0.03] * 90)])
    patience = Timeouts.of(5, idle=None, total=0.2)
    with pytest.raises(errors.RequestTimeoutError, match="total_timeout"):
        connect(serve(dripping), timeouts=patience).answer()


def test_no_retry_begins_after_the_total_timeout(
    serve: Serve, connect: Connect, slept: list[float]
) -> None:
    server = serve(reply(429, "busy", {"Retry-After": "30"}))
    patience = Timeouts.of(5, idle=None, total=1)
    with pytest.raises(errors.RateLimitError):
        connect(server, max_retries=2, timeouts=patience).answer()
    assert len(server.received) == 1


def test_leaving_a_stream_early_frees_the_server(serve: Serve, connect: Connect) -> None:
    server = serve(events(token("one"), *([0.05, token("more")] * 200)))
    chunks = connect(server).stream()
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert server.clients_left.acquire(timeout=5)


def test_connections_are_used_again(serve: Serve, connect: Connect) -> None:
    server = serve(answer(), events(*WORDS, "[DONE]"), BUSY, answer())
    client = connect(server)
    client.answer()
    list(client.stream())
    with pytest.raises(errors.RateLimitError):
        client.answer()
    client.answer()
    assert server.connections == 1


def test_closing_lets_a_later_call_connect_again(serve: Serve) -> None:
    server = serve(answer())
    client = SyncDriver(endpoint(server.base_url))
    client.answer()
    client.close()
    client.answer()
    client.close()
    assert server.connections == 2


def test_no_key_is_an_error_at_the_first_request(connect: Connect) -> None:
    with pytest.raises(errors.ConfigurationError, match="MONSTER_API_KEY"):
        connect("http://127.0.0.1:9/v1", api_key=None).answer()
