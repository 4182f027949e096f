"""What goes wrong is what a test asked for: by script, by header, on the command line."""

from __future__ import annotations

import gc
import json
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_emulator import Emulator
from monster_emulator._fault import FaultError
from monster_emulator._fault_script import fault_of, split
from tests.emulator.conftest import Endpoint, streamed
from tests.emulator.test_server import eventually

DONE = "data: [DONE]"


@pytest.fixture
def faulty(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The running emulator, its script empty before and after."""
    endpoint.emulator.recover()
    yield endpoint
    endpoint.emulator.recover()
    eventually(lambda: endpoint.emulator.in_progress == 0)


def read(endpoint: Endpoint, text: str = "repeat abcdef", *, stream: bool = True) -> bytes:
    """Return what arrives of a reply's body before it ends or breaks."""
    request = endpoint.body(text, stream=stream)
    received = b""
    with endpoint.http.stream("POST", "/chat/completions", json=request, timeout=0.2) as response:
        try:
            for piece in response.iter_raw():
                received += piece
        except (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError) as error:
            return received + f"<{type(error).__name__}>".encode()
    return received


def tokens(received: bytes) -> int:
    return received.count(b'"content":')


# how a fault is asked for


def test_the_next_request_fails_and_the_one_after_it_does_not(faulty):
    faulty.emulator.fail(next=429, retry_after=2)
    first, second = faulty.ask(), faulty.ask()
    assert (first.status_code, first.headers["retry-after"]) == (429, "2")
    assert first.json() == {
        "object": "error",
        "message": "Too Many Requests",
        "type": "InjectedError",
        "param": None,
        "code": 429,
    }
    assert second.status_code == 200


def test_faults_happen_in_their_order_and_as_often_as_asked(faulty):
    faulty.emulator.fail(next=503, times=2)
    faulty.emulator.fail("500")
    faulty.emulator.fail("502; times=2")
    assert [faulty.ask().status_code for _ in range(6)] == [503, 503, 500, 502, 502, 200]


def test_a_fault_may_last_until_it_is_taken_back(faulty):
    faulty.emulator.fail(next=503, times="always")
    assert {faulty.ask().status_code for _ in range(5)} == {503}
    faulty.emulator.recover()
    assert faulty.ask().status_code == 200


def test_a_request_may_ask_for_its_own_fault(faulty):
    faulty.emulator.fail(next=500)
    body, asked = faulty.body(), {"x-emulator-fault": '418; body={"tea": true}; retry_after=soon'}
    reply = faulty.http.post("/chat/completions", json=body, headers=asked)
    assert (reply.status_code, reply.headers["retry-after"]) == (418, "soon")
    assert reply.json() == {"tea": True}
    assert faulty.ask().status_code == 500, "the script waits for a request that asks for none"


def test_a_header_that_is_not_a_fault_is_refused_in_a_sentence(faulty):
    headers = {"x-emulator-fault": "cutt; after_tokens=3"}
    reply = faulty.http.post("/chat/completions", json=faulty.body(), headers=headers)
    assert reply.status_code == 400
    assert reply.json()["message"].startswith("There is no fault 'cutt' (did you mean 'cut'?).")


@pytest.mark.parametrize(
    "name, arguments, said",
    [
        ("stal", {}, "There is no fault 'stal' (did you mean 'stall'?)."),
        ("", {}, "There is no fault ''. There are a status from 200 to 599, redirect,"),
        ("status", {"status": 500}, "There is no fault 'status'"),
        ("cut", {"after_token": 3}, "takes no 'after_token' (did you mean 'after_tokens'?). It"),
        ("cut", {"after_tokens": -1}, "must be a whole number from 0 on, not -1."),
        ("cut", {"after_tokens": True}, "must be a whole number from 0 on, not True."),
        ("cut", {"after_tokens": 1, "after_bytes": 1}, "after_tokens or after_bytes, not both."),
        ("slow", {"each_token": "1 s"}, "must be a number of seconds from 0 on, not '1 s'."),
        ("slow", {"delay": float("inf")}, "must be a number of seconds from 0 on, not inf."),
        ("segments", {"size": 0}, "must be a whole number from 1 on, not 0."),
        ("redirect", {}, "The fault 'redirect' needs the argument 'to'."),
        ("redirect", {"to": "http://x", "status": 200}, "must be 301, 302, 303, 307 or 308"),
        ("429", {"times": 0}, "must be a whole number from 1 on, or 'always', not 0."),
        ("600", {}, "must be an HTTP status from 200 to 599, not 600."),
        ("429", {"status": 3}, "takes no 'status'"),
        ("429", {"body": object()}, "must be text, bytes or JSON"),
        ("429", {"headers": {"a": 1}}, "must be an object of names and values"),
        ("429", {"retry_after": None, "headers": []}, "must be an object of names and values"),
        ("429", {"retry_after": "\u2026"}, "must be seconds, a datetime, or the header's text"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(faulty, name, arguments, said):
    with pytest.raises(ValueError, match="fault") as raised:
        faulty.emulator.fail(name, **arguments)
    assert said in str(raised.value)
    assert str(raised.value).endswith(".")
    assert faulty.ask().status_code == 200, "a refused fault is not planned"


@given(st.text(max_size=60))
def test_any_words_are_a_fault_or_refused(words):
    with suppress(FaultError):
        fault_of(*split(words))


# what happens then


MOMENT = datetime(2031, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
GMT = "Mon, 03 Feb 2031 04:05:06 GMT"
BYTES, PLAIN, JSON = "application/octet-stream", "text/plain; charset=utf-8", "application/json"


@pytest.mark.parametrize(
    "fault, arguments, status, content, headers",
    [
        (200, {"body": b"\xff"}, 200, b"\xff", {"content-type": BYTES}),
        (418, {"body": "no"}, 418, b"no", {"content-type": PLAIN}),
        (201, {"body": [1]}, 201, b"[1]", {"content-type": JSON}),
        (204, {"headers": {"x-request-id": "r-1"}}, 204, b"", {"x-request-id": "r-1"}),
        (503, {"body": "", "retry_after": MOMENT}, 503, b"", {"retry-after": GMT}),
        ("redirect", {"to": "http://x/v1"}, 307, b"", {"location": "http://x/v1"}),
    ],
)
def test_another_response_takes_the_place_of_the_endpoints(
    faulty, fault, arguments, status, content, headers
):
    faulty.emulator.fail(fault, **arguments)
    reply = faulty.ask()
    assert (reply.status_code, reply.content) == (status, content)
    assert headers.items() <= dict(reply.headers).items()


def test_a_response_may_be_late_and_slow(faulty):
    faulty.emulator.fail("slow", delay=0.15, first_token=0.05, each_token=0.15)
    request = faulty.body("repeat abc", stream=True)
    began = time.monotonic()
    with faulty.http.stream("POST", "/chat/completions", json=request) as response:
        head = time.monotonic() - began
        came = [time.monotonic() - began for line in response.iter_lines() if '"content":' in line]
    assert head > 0.14
    assert came[0] > 0.19
    assert came[2] > 0.49


def test_a_full_answer_may_be_late(faulty):
    faulty.emulator.fail("slow", delay=0.15)
    began = time.monotonic()
    assert faulty.ask().status_code == 200
    assert time.monotonic() - began > 0.14


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_stream_is_cut_after_that_many_tokens(faulty, count):
    faulty.emulator.fail("cut", after_tokens=count)
    received = read(faulty)
    assert tokens(received) == count
    assert received.endswith(b"<RemoteProtocolError>")
    assert DONE.encode() not in received


def test_a_full_answer_is_cut_in_its_middle(faulty):
    faulty.emulator.fail("cut", after_tokens=1)
    received = read(faulty, stream=False)
    assert received.startswith(b'{"id"')
    assert received.endswith(b"<RemoteProtocolError>")
    assert len(received) > 100


@pytest.mark.parametrize("fault", ["cut", "reset", "cut; after_bytes=0"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_breaks_before_the_head(faulty, fault, stream):
    faulty.emulator.fail(fault)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        faulty.ask(stream=stream)


def raw(endpoint: Endpoint, *, stream: bool) -> tuple[bytes, bool]:
    """Return the bytes of a reply, and whether a reset ended it."""
    content = json.dumps(endpoint.body(stream=stream)).encode()
    base_url = httpx.URL(endpoint.emulator.base_url)
    received = b""
    with socket.create_connection((base_url.host, base_url.port), timeout=5) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b"
            % (endpoint.emulator.api_key.encode(), len(content), content)
        )
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            return received, True
    return received, False


@pytest.mark.parametrize("size", [1, 333])
@pytest.mark.parametrize("name, is_reset", [("cut", False), ("reset", True)])
@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_ends_after_that_many_bytes_head_included(faulty, size, name, is_reset, stream):
    faulty.emulator.fail(name, after_bytes=size)
    received, was_reset = raw(faulty, stream=stream)
    assert len(received) == size
    assert received.startswith(b"HTTP/1.1 200 OK"[:size])
    assert was_reset is is_reset


@pytest.mark.parametrize("place", ["", "; after_tokens=0", "; after_tokens=2"])
@pytest.mark.parametrize("name, is_reset", [("cut", False), ("reset", True)])
def test_a_connection_is_closed_or_reset_wherever_it_breaks(faulty, place, name, is_reset):
    faulty.emulator.fail(name + place)
    _, was_reset = raw(faulty, stream=True)
    assert was_reset is is_reset


def test_a_stream_stalls_until_the_client_gives_up(faulty):
    aborted = faulty.emulator.aborted
    for count in (0, 2):
        faulty.emulator.fail("stall", after_tokens=count)
        received = read(faulty)
        assert tokens(received) == count
        assert received.endswith(b"<ReadTimeout>")
    faulty.emulator.fail("stall")  # not even a head
    with pytest.raises(httpx.ReadTimeout):
        read(faulty)
    eventually(lambda: faulty.emulator.aborted == aborted + 3)


@pytest.mark.parametrize("stream, ping", [(True, ": ping\n\n"), (False, " ")])
def test_only_pings_come(faulty, stream, ping):
    faulty.emulator.fail("pings", every=0.01)
    request = faulty.body(stream=stream)
    with faulty.http.stream("POST", "/chat/completions", json=request) as response:
        pieces = response.iter_raw()
        assert [next(pieces).decode() for _ in range(5)] == [ping] * 5


def test_an_answer_ends_in_an_error(faulty):
    faulty.emulator.fail("error_event", after_tokens=2, message="gone", code=503, times=2)
    *events, error, done, rest = read(faulty).decode().split("\n\n")
    assert len(events) == 3
    told = json.loads(error.removeprefix("data: "))
    assert (told["error"]["message"], told["error"]["code"]) == ("gone", 503)
    assert (done, rest) == (DONE, "")
    reply = faulty.ask()
    assert (reply.status_code, reply.json()) == (200, told)


@pytest.mark.parametrize("count", [0, 1])
def test_one_event_or_half_an_answer_is_no_json(faulty, count):
    faulty.emulator.fail("malformed_event", after_tokens=count, times=2)
    received = read(faulty, "repeat abc")
    before, _, after = received.partition(b'data: {"id": "cmpl-\n\n')
    assert (tokens(before), tokens(after)) == (count, 4 - count)
    assert after.endswith(b"data: [DONE]\n\n")
    assert b'"cmpl-\n' not in after
    reply = faulty.ask()
    assert reply.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        reply.json()


@pytest.mark.parametrize("fault", ["huge_line; size=9999", "segments", "segments; size=3", "slow"])
def test_a_right_answer_stays_right(faulty, fault):
    said = "na\u00efve \U0001f98a"
    faulty.emulator.fail(fault, times=2)
    assert faulty.content(f"repeat {said}") == said
    received = read(faulty, f"repeat {said}").decode()
    events = [line for line in received.splitlines() if line.startswith("data: {")]
    assert streamed([json.loads(event.removeprefix("data: ")) for event in events]) == said


def test_a_long_line_is_that_long(faulty):
    faulty.emulator.fail("huge_line", size=300_000)
    assert len(faulty.ask().content) > 300_000


def test_each_segment_has_one_byte(faulty):
    faulty.emulator.fail("segments")
    # the kernel joins segments that nobody has read yet, so a busy machine shows fewer of them
    for _ in range(20):
        sizes: list[int] = []
        request = faulty.body("repeat a", stream=True)
        with faulty.http.stream("POST", "/chat/completions", json=request) as response:
            sizes.extend(len(piece) for piece in response.iter_raw())
        if sizes.count(1) > 3:
            return
        faulty.emulator.fail("segments")
    pytest.fail(f"no chunk came in single bytes: {sizes}")


def test_a_connection_that_is_kept_is_closed_unannounced(faulty):
    faulty.ask()
    open_before = faulty.emulator.connections
    faulty.emulator.fail("hang_up")
    reply = faulty.ask()
    assert "connection" not in reply.headers
    eventually(lambda: faulty.emulator.connections == open_before - 1)
    assert faulty.ask().status_code == 200


def test_nobody_listens_while_it_is_offline(faulty):
    faulty.ask()
    with faulty.emulator.offline():
        eventually(lambda: faulty.emulator.connections == 0)
        with pytest.raises(httpx.ConnectError):
            faulty.ask()
    assert faulty.ask().status_code == 200


def test_it_stops_while_it_is_offline_or_stalls():
    with Emulator() as emulator, emulator.offline():
        pass
    with Emulator() as emulator, httpx.Client(trust_env=False) as http:
        emulator.fail("stall")
        with pytest.raises(httpx.ReadTimeout):
            http.get(emulator.base_url, timeout=0.05)


def test_only_a_running_emulator_can_be_offline():
    with pytest.raises(RuntimeError, match="with"), Emulator().offline():
        pass


# https


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    trustme = pytest.importorskip("trustme")
    path = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path / "s.pem")
    return path


def test_it_serves_https(certificate):
    with Emulator(certfile=certificate / "s.pem") as emulator:
        assert emulator.base_url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(certificate / "ca.pem"))
        emulator.fail(next=418)
        with httpx.Client(verify=trusted, trust_env=False) as http:
            assert http.get(emulator.base_url).status_code == 418
            emulator.fail("reset")
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                http.get(emulator.base_url)
        with pytest.raises(httpx.ConnectError, match="certificate"):
            httpx.get(emulator.base_url, trust_env=False)


def test_https_ends_although_a_client_keeps_its_connection(certificate):
    trusted = ssl.create_default_context(cafile=str(certificate / "ca.pem"))
    with httpx.Client(verify=trusted, trust_env=False) as http:
        with Emulator(certfile=certificate / "s.pem") as emulator:
            http.get(emulator.base_url)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gc.collect()
    assert [str(one.message) for one in caught] == []


def test_a_certificate_that_is_none_is_told(tmp_path):
    with pytest.raises(OSError, match="certificate"), Emulator(certfile=tmp_path / "none.pem"):
        pass
