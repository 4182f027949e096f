"""Full answers: their text, where they end, what they count; their form is in tests/conformance."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

HELLO = "Hello! How can I help you?"
# U+FFFD at the end of an answer is lost, as in the server: it looks like half a character
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=40)


def test_the_same_request_gets_the_same_answer_with_an_id_of_its_own(endpoint):
    first, second = endpoint.answer("tell me a joke"), endpoint.answer("tell me a joke")
    assert first["choices"] == second["choices"]
    assert first["id"] != second["id"]
    assert re.fullmatch(r"cmpl-[0-9a-f]{32}", first["id"])
    assert abs(time.time() - first["created"]) < 60


@pytest.mark.parametrize(
    "fields, content, tokens, end",
    [
        ({}, HELLO, 27, ("stop", None)),
        ({"seed": 7, "frequency_penalty": 1.5, "temperature": 2}, HELLO, 27, ("stop", None)),
        ({"max_tokens": 5}, "Hello", 5, ("length", None)),
        ({"min_tokens": 29}, HELLO + "o o", 30, ("stop", None)),
        ({"ignore_eos": True, "max_tokens": 50}, HELLO, 50, ("length", None)),
        ({"skip_special_tokens": False}, HELLO, 27, ("stop", None)),
        (
            {"skip_special_tokens": False, "include_stop_str_in_output": True},
            f"{HELLO}<|eot_id|>",
            27,
            ("stop", None),
        ),
        ({"stop": "can"}, "Hello! How ", 14, ("stop", "can")),
        ({"stop": ["zzz", "can"]}, "Hello! How ", 14, ("stop", "can")),
        (
            {"stop": "can", "include_stop_str_in_output": True},
            "Hello! How can",
            14,
            ("stop", "can"),
        ),
        ({"stop": "Hello", "min_tokens": 10}, HELLO, 27, ("stop", None)),
        ({"stop_token_ids": [ord("!")]}, "Hello", 6, ("stop", ord("!"))),
        ({"logit_bias": {str(ord("z")): 100}, "max_tokens": 4}, "zzzz", 4, ("length", None)),
    ],
)
def test_what_the_fields_make_of_an_answer(endpoint, fields, content, tokens, end):
    answer = endpoint.answer(**fields)
    (choice,) = answer["choices"]
    assert choice["message"]["content"] == content
    assert answer["usage"]["completion_tokens"] == tokens
    assert (choice["finish_reason"], choice["stop_reason"]) == end


def test_the_first_token_of_all_may_stop_an_answer(endpoint):
    choice = endpoint.choice("repeat one\0two", stop_token_ids=[0])
    assert (choice["message"]["content"], choice["stop_reason"]) == ("one", 0)


def test_logit_bias_bans_a_token(endpoint):
    content = endpoint.content("repeat abab", logit_bias={str(ord("a")): -100})
    assert content[1::2] == "bb"
    assert "a" not in content[0::2]


@given(TEXTS)
@settings(max_examples=40, deadline=None)
def test_usage_counts_the_bytes_of_the_answer_and_its_end(endpoint, text):
    assume("<|" not in text)  # a mark of the template is one token
    answer = endpoint.answer(text)
    content = answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] == len(content.encode()) + 1
    assert answer["usage"]["prompt_tokens"] == 23 + len(text.encode())


def test_n_answers_are_counted_together(endpoint):
    answer = endpoint.answer("tea", n=2)
    contents = [choice["message"]["content"] for choice in answer["choices"]]
    assert contents == ["You said: tea", "You said: tea (2)"]
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert answer["usage"]["completion_tokens"] == sum(len(text) + 1 for text in contents)


@given(TEXTS, st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_max_tokens_cuts_any_answer(endpoint, text, most):
    whole = endpoint.content(text).encode()
    answer = endpoint.answer(text, max_tokens=most)
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == ("length" if most <= len(whole) else "stop")
    assert answer["usage"]["completion_tokens"] == min(most, len(whole) + 1)
    assert choice["message"]["content"] == whole[:most].decode("utf-8", "ignore")


@given(TEXTS, st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1))
@settings(max_examples=40, deadline=None)
def test_any_stop_string_cuts_at_its_first_occurrence(endpoint, text, stop):
    whole = endpoint.content(text + stop)
    choice = endpoint.choice(text + stop, stop=stop)
    assert choice["message"]["content"] == whole.partition(stop)[0]
    assert choice["stop_reason"] == (stop if stop in whole else None)


def test_log_probabilities_are_shown_for_each_token(endpoint):
    content = endpoint.choice("repeat añ", logprobs=True, top_logprobs=2)["logprobs"]["content"]
    assert [token["token"] for token in content] == ["a", "", "ñ", ""]
    assert [token["bytes"] for token in content] == [[97], [], [195, 177], []]
    for token in content:
        first, second = token["top_logprobs"]
        assert first == {key: token[key] for key in ("token", "logprob", "bytes")}
        assert second["logprob"] < first["logprob"] <= 0


def test_log_probabilities_are_those_of_a_distribution(endpoint):
    (token,) = endpoint.choice(logprobs=True, top_logprobs=20, max_tokens=1)["logprobs"]["content"]
    probabilities = [2.718281828 ** top["logprob"] for top in token["top_logprobs"]]
    assert len(probabilities) == 20
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.9 < sum(probabilities) <= 1.000001
