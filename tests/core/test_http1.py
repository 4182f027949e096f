"""A reply is taken apart the same wherever it is cut, and as h11, httpx's own parser, does it."""

from __future__ import annotations

import itertools

import h11
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monster_core.transport.http1 import RawHeaders, ReplyHead, ReplyReader, write_head


def read(
    pieces: list[bytes], *, is_over: bool = True
) -> tuple[ReplyHead | None, bytes, bool, bool]:
    """Feed pieces; return the head, the content, and whether it is complete and reusable."""
    reader, head, content = ReplyReader(), None, b""
    for piece in pieces:
        if head is None:
            head = reader.read_head(piece)
            piece = b""
        if head is not None and not reader.is_complete:
            content += reader.read_body(piece)
        elif head is not None and piece:
            reader.is_reusable = False
    if is_over and not reader.is_complete:
        reader.end()
    return head, content, reader.is_complete, reader.is_reusable


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(bounds)]


def chunked(content: bytes, places: list[int], extension: bytes, trailer: bytes) -> bytes:
    frames = [
        b"%x%b\r\n%b\r\n" % (len(piece), extension, piece)
        for piece in cut(content, places)
        if piece
    ]
    return b"".join(frames) + b"0\r\n" + trailer + b"\r\n"


places = st.lists(st.integers(0, 10_000), max_size=12)
contents = st.binary(max_size=400)


@given(
    contents, places, places, st.sampled_from([b"", b";a=b"]), st.sampled_from([b"", b"a: b\r\n"])
)
def test_chunks_are_joined_wherever_they_are_cut(
    content: bytes, chunks: list[int], cuts: list[int], extension: bytes, trailer: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = head + chunked(content, chunks, extension, trailer)
    assert read(cut(sent, cuts))[1:] == (content, True, True)


@given(contents, places)
def test_a_length_ends_the_content(content: bytes, cuts: list[int]) -> None:
    sent = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(content) + content
    assert read(cut(sent, cuts))[1:] == (content, True, True)


@given(contents, places)
def test_without_a_length_the_connection_ends_the_content(content: bytes, cuts: list[int]) -> None:
    assert read(cut(b"HTTP/1.1 200 OK\r\n\r\n" + content, cuts))[1:] == (content, True, False)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nmore",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nmore",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nmore",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 9\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_connection_is_used_again_only_where_it_is_surely_in_order(sent: bytes) -> None:
    assert read([sent])[2:] == (True, False)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 204 \r\n\r\n",
        b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    ],
)
def test_a_connection_in_order_is_used_again(sent: bytes) -> None:
    assert read([sent])[2:] == (True, True)


def test_informational_replies_are_skipped() -> None:
    sent = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\na: b\r\n\r\nHTTP/1.1 204 No\r\n\r\n"
    head = read([sent])[0]
    assert head is not None
    assert head.status == 204


def test_a_folded_header_is_one() -> None:
    head = read([b"HTTP/1.1 204 No\r\na: b\r\n  c\r\nd:e \r\n\r\n"])[0]
    assert head is not None
    assert head.headers == [(b"a", b"b c"), (b"d", b"e")]


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"a" * 5000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + b"a" * 1_000_001,
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 1_000_001,
    ],
)
def test_what_is_no_reply_is_refused(sent: bytes) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        read([sent], is_over=False)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
    ],
)
def test_a_reply_cut_short_is_no_answer(sent: bytes) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="in the middle"):
        read([sent])


TEMPLATES = [
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n1a; x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: keep-alive\r\n\r\nhello world",
    b"HTTP/1.0 429 Too Many\r\nRetry-After: 3\r\n\r\nbusy",
]


def read_by_h11(sent: bytes) -> tuple[int, bytes] | None:
    connection = h11.Connection(h11.CLIENT)
    request = h11.Request(method="GET", target="/", headers=[("host", "a")])
    connection.send(request)
    connection.send(h11.EndOfMessage())
    connection.receive_data(sent)
    status, content = 0, b""
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(b"")
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                content += event.data
            elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
                return status, content
            elif event is h11.PAUSED:
                return None
    except h11.RemoteProtocolError:
        return None


@given(
    st.sampled_from(TEMPLATES),
    st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=3), st.integers(0, 3)), max_size=3),
    places,
)
@example(TEMPLATES[0], [], [])
def test_damaged_replies_are_read_as_h11_reads_them_or_refused(
    template: bytes, damages: list[tuple[int, bytes, int]], cuts: list[int]
) -> None:
    sent = template
    for place, put_in, taken in damages:
        at = place % (len(sent) + 1)
        sent = sent[:at] + put_in + sent[at + taken :]
    try:
        head, content, _, _ = read(cut(sent, cuts))
    except httpx.RemoteProtocolError:
        return
    by_h11 = read_by_h11(sent)
    if head is not None and by_h11 is not None:
        assert (head.status, content) == by_h11


def test_a_head_is_written_and_never_shown() -> None:
    sent = write_head(b"POST", b"/v1/x?y=1", RawHeaders([(b"host", b"a"), (b"b", b"c")]))
    assert sent == b"POST /v1/x?y=1 HTTP/1.1\r\nhost: a\r\nb: c\r\n"
    assert repr(sent) == "<a request of 40 bytes>"


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b"])
def test_a_header_cannot_smuggle_another(value: bytes) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        write_head(b"POST", b"/", RawHeaders([(b"a", value)]))


def test_headers_are_named_and_their_values_never_shown() -> None:
    headers = RawHeaders([(b"authorization", b"Bearer open-sesame"), (b"accept", b"x")])
    assert repr(headers) == "<the headers authorization, accept>"
