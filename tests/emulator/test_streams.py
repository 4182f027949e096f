"""Streams: what each event adds, and when it leaves; tests/conformance compares their order."""

from __future__ import annotations

import time
from statistics import median

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monster_emulator import Emulator
from monster_emulator._tokens import Detokenizer

from .conftest import LLAMA, streamed
from .test_answers import TEXTS

USAGE = {"include_usage": True}


def choices(chunks):
    return [choice for chunk in chunks for choice in chunk["choices"]]


def test_a_stream_is_a_role_then_tokens_then_the_end(endpoint):
    chunks = endpoint.chunks("repeat ab")
    head = {key: chunks[0][key] for key in ("id", "object", "created", "model")}
    assert head["id"].startswith("cmpl-")
    assert (head["object"], head["model"]) == ("chat.completion.chunk", LLAMA)
    bare = {"index": 0, "logprobs": None, "finish_reason": None}
    end = {"finish_reason": "stop", "stop_reason": None}
    assert chunks == [
        {**head, "choices": [{**bare, "delta": {"role": "assistant"}}]},
        {**head, "choices": [{**bare, "delta": {"content": "a"}}]},
        {**head, "choices": [{**bare, "delta": {"content": "b"}}]},
        {**head, "choices": [{**bare, **end, "delta": {"content": ""}}]},
    ]


@pytest.mark.parametrize(
    "text, fields, pieces, end",
    [
        ("abc", {"max_tokens": 2}, ["a", "b"], "length"),
        ("abcd", {"stop": "zzz"}, ["", "", "a", "b", "cd"], "stop"),
        ("a😀", {}, ["a", "", "", "", "😀", ""], "stop"),
        ("a😀", {"max_tokens": 3}, ["a", "", ""], "length"),
    ],
    ids=["cut", "a stop string that might begin", "a character of four bytes", "half of one"],
)
def test_text_waits_until_it_may_be_shown(endpoint, text, fields, pieces, end):
    first, *rest = choices(endpoint.chunks(f"repeat {text}", **fields))
    assert first["delta"] == {"role": "assistant"}
    assert [choice["delta"]["content"] for choice in rest] == pieces
    assert rest[-1]["finish_reason"] == end


@given(TEXTS, st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=4), max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_stream_adds_up_to_the_full_answer_whatever_stops_it(endpoint, text, stops):
    text += "".join(stops)
    full = endpoint.choice(text, stop=stops)
    chunks = endpoint.chunks(text, stop=stops)
    assert streamed(chunks) == full["message"]["content"]
    assert choices(chunks)[-1]["stop_reason"] == full["stop_reason"]


@given(st.text(st.characters(codec="utf-8")))
def test_bytes_of_any_text_come_back_as_that_text(text):
    detokenizer = Detokenizer(skip_special_tokens=True)
    pieces = [detokenizer.take(byte) for byte in text.encode()]
    assert "".join(pieces) == text.rstrip("\ufffd")


def test_choices_interleave_and_the_usage_is_the_last_ones(endpoint):
    *chunks, last = endpoint.chunks(n=2, stream_options=USAGE)
    assert all(len(chunk["choices"]) == 1 for chunk in chunks)
    assert [choice["index"] for choice in choices(chunks)][:8] == [0, 1] * 4
    full = [choice["message"]["content"] for choice in endpoint.answer(n=2)["choices"]]
    assert [streamed(chunks, index) for index in range(2)] == full
    assert [choice["index"] for choice in choices(chunks) if choice["finish_reason"]] == [0, 1]
    assert last["usage"] == {
        "prompt_tokens": 28,
        "total_tokens": 28 + len(full[1]) + 1,
        "completion_tokens": len(full[1]) + 1,
    }


def test_log_probabilities_come_with_each_token(endpoint):
    fields = {"logprobs": True, "top_logprobs": 1, "stop": "zz"}
    _, *rest = choices(endpoint.chunks("repeat añ", **fields))
    assert all(len(choice["logprobs"]["content"]) == 1 for choice in rest)
    joined = [token for choice in rest for token in choice["logprobs"]["content"]]
    assert joined == endpoint.choice("repeat añ", **fields)["logprobs"]["content"]


def test_tokens_leave_while_the_answer_is_generated(emulate):
    endpoint = emulate(pace=0.02)
    request = endpoint.body("repeat abc", stream=True)
    with endpoint.http.stream("POST", "/chat/completions", json=request) as response:
        lines = (line for line in response.iter_lines() if '"content":' in line)
        next(lines)
        assert endpoint.emulator.in_progress == 1, "the first token came with the last one"


def test_each_event_is_sent_by_itself(endpoint):
    request = endpoint.body("repeat ab", stream=True, stream_options=USAGE)
    with endpoint.http.stream("POST", "/chat/completions", json=request) as response:
        events = [piece.decode() for piece in response.iter_raw()]  # one for each HTTP chunk
    assert [event.count("data: ") for event in events] == [1] * 6
    assert all(event.endswith("\n\n") for event in events)


@pytest.mark.clock
def test_no_answer_waits_for_the_clients_acknowledgement(endpoint):
    """Without TCP_NODELAY each answer after the first takes 40 ms."""
    took = []
    for _ in range(15):
        began = time.monotonic()
        endpoint.ask()
        took.append(time.monotonic() - began)
    assert median(took) < 0.03


def test_streams_run_side_by_side(emulate):
    endpoint = emulate(pace=0.01)
    request = endpoint.body("count to 1000", stream=True)
    with endpoint.http.stream("POST", "/chat/completions", json=request) as response:
        lines = response.iter_lines()
        next(lines)
        assert endpoint.content("repeat a") == "a"
        assert endpoint.emulator.in_progress == 1


def test_a_stream_that_outlives_the_emulator_ends_without_done():
    with Emulator(pace=0.05) as emulator, httpx.Client(trust_env=False) as http:
        messages = [{"role": "user", "content": "count to 1000"}]
        body = {"model": emulator.model, "messages": messages, "stream": True}
        headers = {"Authorization": f"Bearer {emulator.api_key}"}
        url = f"{emulator.base_url}/chat/completions"
        with http.stream("POST", url, json=body, headers=headers) as response:
            lines = response.iter_lines()
            next(lines)
            emulator.__exit__(None, None, None)
            assert not any("[DONE]" in line for line in lines)
