from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from .conftest import ALIAS, LLAMA

# U+FFFD at the end of an answer is lost, as in the server: it looks like half a character
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=40)


def test_a_full_answer_has_the_servers_shape(endpoint):
    answer = endpoint.answer()
    assert re.fullmatch(r"cmpl-[0-9a-f]{32}", answer.pop("id"))
    assert abs(time.time() - answer.pop("created")) < 60
    assert answer == {
        "object": "chat.completion",
        "model": LLAMA,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello! How can I help you?",
                    "tool_calls": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
                "stop_reason": None,
            }
        ],
        "usage": {"prompt_tokens": 28, "total_tokens": 55, "completion_tokens": 27},
    }


def test_the_answer_carries_the_first_served_name(endpoint):
    assert endpoint.answer(model=ALIAS)["model"] == LLAMA


def test_the_same_request_gets_the_same_answer(endpoint):
    first, second = endpoint.answer("tell me a joke"), endpoint.answer("tell me a joke")
    assert first["choices"] == second["choices"]
    assert first["id"] != second["id"]


@given(TEXTS)
@settings(max_examples=40, deadline=None)
def test_usage_counts_the_bytes_of_the_answer_and_its_end(endpoint, text):
    assume("<|" not in text)  # a mark of the template is one token
    answer = endpoint.answer(text)
    content = answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] == len(content.encode()) + 1
    assert answer["usage"]["prompt_tokens"] == 23 + len(text.encode())


def test_n_answers_differ_and_are_counted_together(endpoint):
    answer = endpoint.answer("tea", n=2)
    contents = [choice["message"]["content"] for choice in answer["choices"]]
    assert contents == ["You said: tea", "You said: tea (2)"]
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert answer["usage"]["completion_tokens"] == sum(len(text) + 1 for text in contents)


@given(TEXTS, st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_max_tokens_cuts_the_answer(endpoint, text, most):
    whole = endpoint.content(text).encode()
    answer = endpoint.answer(text, max_tokens=most)
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == ("length" if most <= len(whole) else "stop")
    assert answer["usage"]["completion_tokens"] == min(most, len(whole) + 1)
    assert choice["message"]["content"] == whole[:most].decode("utf-8", "ignore")


def test_min_tokens_puts_the_end_off(endpoint):
    answer = endpoint.answer(min_tokens=40)
    assert answer["usage"]["completion_tokens"] == 41
    assert answer["choices"][0]["message"]["content"].startswith("Hello! How can I help you?")


def test_ignore_eos_goes_on_to_max_tokens(endpoint):
    answer = endpoint.answer(ignore_eos=True, max_tokens=50)
    assert answer["usage"]["completion_tokens"] == 50
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["choices"][0]["message"]["content"] == "Hello! How can I help you?"


def test_special_tokens_are_shown_on_request(endpoint):
    shown = endpoint.content(skip_special_tokens=False, include_stop_str_in_output=True)
    assert shown == "Hello! How can I help you?<|eot_id|>"
    assert endpoint.content(skip_special_tokens=False) == "Hello! How can I help you?"


@pytest.mark.parametrize("stop", ["can", ["zzz", "can"]])
def test_a_stop_string_ends_the_answer_and_is_named(endpoint, stop):
    choice = endpoint.choice(stop=stop)
    assert choice["message"]["content"] == "Hello! How "
    assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", "can")


def test_a_stop_string_is_kept_on_request(endpoint):
    choice = endpoint.choice(stop="can", include_stop_str_in_output=True)
    assert choice["message"]["content"] == "Hello! How can"
    assert choice["stop_reason"] == "can"


def test_stop_strings_do_not_count_before_min_tokens(endpoint):
    assert endpoint.choice(stop="Hello", min_tokens=10)["stop_reason"] is None


@given(TEXTS, st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1))
@settings(max_examples=40, deadline=None)
def test_any_stop_string_cuts_at_its_first_occurrence(endpoint, text, stop):
    whole = endpoint.content(text + stop)
    choice = endpoint.choice(text + stop, stop=stop)
    assert choice["message"]["content"] == whole.partition(stop)[0]
    assert choice["stop_reason"] == (stop if stop in whole else None)


@pytest.mark.parametrize("token", [ord("!"), 0])
def test_a_stop_token_ends_the_answer_and_its_id_is_named(endpoint, token):
    text = f"repeat one{chr(token)}two"
    choice = endpoint.choice(text, stop_token_ids=[token])
    assert choice["message"]["content"] == "one"
    assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", token)


def test_logit_bias_bans_a_token(endpoint):
    content = endpoint.content("repeat abab", logit_bias={str(ord("a")): -100})
    assert content[1::2] == "bb"
    assert "a" not in content[0::2]


def test_logit_bias_forces_a_token(endpoint):
    content = endpoint.content("repeat abab", logit_bias={str(ord("z")): 100}, max_tokens=4)
    assert content == "zzzz"


def test_logprobs_are_shown_for_each_token(endpoint):
    content = endpoint.choice("repeat añ", logprobs=True, top_logprobs=2)["logprobs"]["content"]
    assert [token["token"] for token in content] == ["a", "", "ñ", ""]
    assert [token["bytes"] for token in content] == [[97], [], [195, 177], []]
    for token in content:
        assert token.keys() == {"token", "logprob", "bytes", "top_logprobs"}
        first, second = token["top_logprobs"]
        assert first == {key: token[key] for key in ("token", "logprob", "bytes")}
        assert second["logprob"] < first["logprob"] <= 0


def test_top_logprobs_are_optional(endpoint):
    content = endpoint.choice(logprobs=True, max_tokens=3)["logprobs"]["content"]
    assert [token["top_logprobs"] for token in content] == [[], [], []]
    assert endpoint.choice(logprobs=True, top_logprobs=None)["logprobs"] is None


def test_log_probabilities_are_those_of_a_distribution(endpoint):
    (token,) = endpoint.choice(logprobs=True, top_logprobs=20, max_tokens=1)["logprobs"]["content"]
    probabilities = [2.718281828 ** top["logprob"] for top in token["top_logprobs"]]
    assert len(probabilities) == 20
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.9 < sum(probabilities) <= 1.000001


@pytest.mark.parametrize(
    "empty", [{"guided_choice": []}, {"guided_json": {}}, {"guided_regex": ""}]
)
def test_an_empty_constraint_is_ignored(endpoint, empty):
    assert endpoint.content(**empty) == endpoint.content()


@given(TEXTS)
@settings(max_examples=20, deadline=None)
def test_seeds_and_penalties_change_nothing(endpoint, text):
    assume(text)
    plain = endpoint.content(text)
    assert endpoint.content(text, seed=7, frequency_penalty=1.5, temperature=2) == plain
