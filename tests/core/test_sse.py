"""The event stream grammar of https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.transport.sse import EventDecoder


def decode(*pieces: bytes) -> list[bytes]:
    decoder = EventDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.flush()


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"], ids=["LF", "CR", "CRLF"])
def test_any_line_end_ends_a_line(end: bytes) -> None:
    assert decode(end.join([b"data: a", b"", b"data: b", b"", b""])) == [b"a", b"b"]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"], ids=["LF", "CR", "CRLF"])
def test_line_ends_may_be_cut_anywhere(end: bytes) -> None:
    stream = end.join([b"data: a", b"data: b", b"", b"data: c", b"", b""])
    assert decode(*(bytes([byte]) for byte in stream)) == [b"a\nb", b"c"]


def test_mixed_line_ends() -> None:
    assert decode(b"data: a\r\n\rdata: b\n\r\n") == [b"a", b"b"]


def test_data_lines_of_one_event_are_joined() -> None:
    assert decode(b"data: YHOO\ndata: +2\ndata: 10\n\n") == [b"YHOO\n+2\n10"]


def test_comments_and_other_fields_are_skipped() -> None:
    stream = b": ping\n\nevent: x\nid: 7\nretry: 10\ndatum: no\ndata: a\n: more\n\nevent: y\n\n"
    assert decode(stream) == [b"a"]


def test_one_space_after_the_colon_is_dropped() -> None:
    assert decode(b"data:a\n\ndata: a\n\ndata:  a\n\n") == [b"a", b"a", b" a"]


def test_a_data_line_may_be_empty() -> None:
    assert decode(b"data\n\ndata:\ndata\n\n") == [b"", b"\n"]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_other_line_separators_are_data(character: str) -> None:
    text = f"a{character}b".encode()
    assert decode(b"data: " + text + b"\n\n") == [text]


def test_a_byte_order_mark_is_skipped_once() -> None:
    mark = b"\xef\xbb\xbf"
    assert decode(mark + b"data: a\n\n" + mark + b"data: b\n\n") == [b"a"]
    assert decode(b"\xef", b"\xbb\xbfda", b"ta: a\n\n") == [b"a"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r", b"\n\n"])
def test_the_last_event_needs_no_blank_line(end: bytes) -> None:
    assert decode(b"data: a\n\ndata: [DONE]" + end) == [b"a", b"[DONE]"]


def test_an_event_comes_out_as_soon_as_it_is_complete() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\n") == [b"a"]


LINES = st.lists(st.binary(max_size=12).filter(lambda text: not {10, 13} & set(text)), max_size=5)
CUTS = st.lists(st.integers(0, 200))


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(stream)) for cut in cuts})
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


@given(LINES, st.sampled_from([b"\n", b"\r", b"\r\n"]), st.sampled_from([b": ping", b"id"]), CUTS)
def test_any_split_gives_the_same_events(
    data: list[bytes], end: bytes, noise: bytes, cuts: list[int]
) -> None:
    stream = b"".join(noise + end + b"data: " + one + end + end for one in data)
    assert decode(*split(stream, cuts)) == data


@given(st.lists(st.sampled_from([b"\n", b"\r", b"data: a", b"data:", b": b", b"c"])), CUTS)
def test_any_split_of_any_stream_gives_the_same_events(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    assert decode(*split(stream, cuts)) == decode(stream)


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_no_bytes_make_it_fail(pieces: list[bytes]) -> None:
    assert decode(*pieces) == decode(b"".join(pieces))
