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


def test_the_finishing_chunk_may_carry_content(endpoint):
    last = choices(endpoint.chunks("repeat abc", max_tokens=2))[-1]
    assert last["delta"] == {"content": "b"}
    assert last["finish_reason"] == "length"


def test_usage_comes_last_and_is_null_before(endpoint):
    *chunks, last = endpoint.chunks("repeat ab", stream_options=USAGE)
    assert [chunk["usage"] for chunk in chunks] == [None] * len(chunks)
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 32, "total_tokens": 35, "completion_tokens": 3}


def test_usage_is_absent_unless_asked_for(endpoint):
    chunks = endpoint.chunks(stream_options={"include_usage": False})
    assert not any("usage" in chunk for chunk in chunks)


@given(TEXTS)
@settings(max_examples=40, deadline=None)
def test_a_stream_adds_up_to_the_full_answer(endpoint, text):
    assert streamed(endpoint.chunks(text)) == endpoint.content(text)


@given(TEXTS, st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=4), max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_stream_never_shows_a_part_of_a_stop_string(endpoint, text, stops):
    text += "".join(stops)
    full = endpoint.choice(text, stop=stops)
    chunks = endpoint.chunks(text, stop=stops)
    assert streamed(chunks) == full["message"]["content"]
    assert choices(chunks)[-1]["stop_reason"] == full["stop_reason"]


def test_text_waits_until_it_can_be_no_stop_string(endpoint):
    deltas = [
        c["delta"].get("content") for c in choices(endpoint.chunks("repeat abcd", stop="zzz"))
    ]
    assert deltas == [None, "", "", "a", "b", "cd"]


def test_a_character_waits_for_its_last_byte(endpoint):
    deltas = [c["delta"].get("content") for c in choices(endpoint.chunks("repeat a😀"))]
    assert deltas == [None, "a", "", "", "", "😀", ""]


def test_half_a_character_is_lost_at_the_end(endpoint):
    assert streamed(endpoint.chunks("repeat a😀", max_tokens=3)) == "a"


@given(st.text(st.characters(codec="utf-8")))
def test_bytes_of_any_text_come_back_as_that_text(text):
    detokenizer = Detokenizer(skip_special_tokens=True)
    pieces = [detokenizer.take(byte) for byte in text.encode()]
    assert "".join(pieces) == text.rstrip("\ufffd")


def test_answers_interleave_one_choice_a_chunk(endpoint):
    chunks = endpoint.chunks(n=2, stream_options=USAGE)
    assert all(len(chunk["choices"]) == 1 for chunk in chunks[:-1])
    indices = [choice["index"] for choice in choices(chunks)]
    assert indices[:8] == [0, 1] * 4
    assert [choice["delta"] for choice in choices(chunks)[:2]] == [{"role": "assistant"}] * 2
    full = endpoint.answer(n=2)
    for index, choice in enumerate(full["choices"]):
        assert streamed(chunks, index) == choice["message"]["content"]
    ends = [choice["index"] for choice in choices(chunks) if choice["finish_reason"]]
    assert ends == [0, 1]


def test_usage_of_several_choices_is_the_last_ones(endpoint):
    last = endpoint.answer(n=2)["choices"][1]["message"]["content"]
    usage = endpoint.chunks(n=2, stream_options=USAGE)[-1]["usage"]
    assert usage["completion_tokens"] == len(last) + 1


def test_logprobs_come_with_each_token(endpoint):
    chunks = endpoint.chunks("repeat añ", logprobs=True, top_logprobs=1, stop="zz")
    full = endpoint.choice("repeat añ", logprobs=True, top_logprobs=1, stop="zz")
    role, *rest = choices(chunks)
    assert role["logprobs"] is None
    assert all(len(choice["logprobs"]["content"]) == 1 for choice in rest)
    joined = [token for choice in rest for token in choice["logprobs"]["content"]]
    assert joined == full["logprobs"]["content"]


def test_echo_in_a_stream_is_an_error_event(endpoint):
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hel"}]
    role, error = endpoint.chunks(messages=messages, echo=True)
    assert role["choices"][0]["delta"] == {"role": "assistant"}
    assert error["error"]["code"] == 400
    assert error["error"]["message"].startswith("1 validation error for ChatCompletionStreamRes")


def test_a_refusal_at_generation_is_an_event_in_the_open_stream(endpoint):
    (event,) = endpoint.chunks(logprobs=True, top_logprobs=21)
    assert event["error"]["message"] == "Cannot request more than 20 logprobs."


def test_a_refusal_before_the_stream_is_a_plain_error(endpoint):
    response = endpoint.ask(stream=True, top_p=5)
    assert response.status_code == 400
    assert response.json()["message"] == "top_p must be in (0, 1], got 5.0."


def test_tokens_leave_while_the_answer_is_generated(emulate):
    endpoint = emulate(pace=0.02)
    request = endpoint.body("repeat abc", stream=True)
    seen = []
    with endpoint.http.stream("POST", "/chat/completions", json=request) as response:
        for line in filter(None, response.iter_lines()):
            seen.append((endpoint.emulator.in_progress, line))
    contents = [entry for entry in seen if '"content":' in entry[1]]
    assert contents[0][0] == 1, "the first token came when the answer was complete"


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
        body = {
            "model": emulator.model,
            "messages": [{"role": "user", "content": "count to 1000"}],
            "stream": True,
        }
        headers = {"Authorization": f"Bearer {emulator.api_key}"}
        url = f"{emulator.base_url}/chat/completions"
        with http.stream("POST", url, json=body, headers=headers) as response:
            lines = response.iter_lines()
            next(lines)
            emulator.__exit__(None, None, None)
            assert not any("[DONE]" in line for line in lines)
