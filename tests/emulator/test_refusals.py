from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monster_emulator._request import ChatCompletionRequest

FIELDS = frozenset(ChatCompletionRequest.model_fields)
NAMED = {"type": "function", "function": {"name": "add"}}
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]

ACCEPTED: dict[str, Any] = {
    "messages": [{"role": "user", "content": "hi"}],
    "model": "google/gemma-2-9b-it",
    "user": "someone",
    "temperature": 0,
    "top_p": 0.5,
    "top_k": 40,
    "min_p": 0.1,
    "seed": -(2**63),
    "frequency_penalty": -2,
    "presence_penalty": 2,
    "repetition_penalty": 2,
    "logit_bias": {"-1": 3.5},
    "max_tokens": 5,
    "min_tokens": 3,
    "stop": ["a", "b"],
    "stop_token_ids": [0],
    "include_stop_str_in_output": True,
    "ignore_eos": False,
    "n": 2,
    "best_of": 2,
    "use_beam_search": False,
    "length_penalty": 1,
    "early_stopping": False,
    "logprobs": True,
    "echo": True,
    "add_generation_prompt": False,
    "add_special_tokens": True,
    "skip_special_tokens": False,
    "spaces_between_special_tokens": False,
    "stream": True,
    "tools": TOOLS,
    "tool_choice": "none",
    "response_format": {"type": "text"},
    "guided_decoding_backend": "lm-format-enforcer",
    "guided_whitespace_pattern": " ",
}
DEPENDENT = {"top_logprobs", "stream_options"}
GUIDED = {"guided_json", "guided_regex", "guided_choice", "guided_grammar"}


def test_the_request_has_41_fields():
    assert len(FIELDS) == 41
    assert ACCEPTED.keys() | DEPENDENT | GUIDED == FIELDS


@pytest.mark.parametrize("field", sorted(ACCEPTED))
def test_each_field_is_accepted(endpoint, field):
    assert endpoint.ask(**{field: ACCEPTED[field]}).status_code == 200


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda key: key not in FIELDS))
@settings(max_examples=40, deadline=None)
def test_any_other_field_is_refused(endpoint, field):
    detail = {
        "type": "extra_forbidden",
        "loc": ("body", field),
        "msg": "Extra inputs are not permitted",
        "input": 1,
    }
    assert endpoint.refusal(**{field: 1}) == str([detail])


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]},
        {"stream": True, "stream_options": {"include_usage": True, "other": 1}},
        {"response_format": {"type": "text", "json_schema": {}}},
        {"tools": TOOLS, "tool_choice": {**NAMED, "strict": True}},
        {"messages": [{"role": "user", "content": "hi", "metadata": {}}]},
        {"messages": [{"role": "assistant", "content": "hi", "reasoning_content": ""}]},
        {"messages": [{"role": "tool", "tool_call_id": "1", "name": "f", "content": "3"}]},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_extra_keys_are_refused_at_every_depth(endpoint, fields):
    assert "Extra inputs are not permitted" in endpoint.refusal(**fields)


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({"tools": TOOLS, "tool_choice": "auto"}, "Currently only named tools are supported."),
        ({"tools": TOOLS, "tool_choice": "required"}, "Currently only named tools are supported."),
        ({"tools": TOOLS, "tool_choice": None}, "Currently only named tools are supported."),
        ({"tool_choice": NAMED}, "When using `tool_choice`, `tools` must be set."),
        ({"top_logprobs": 0}, "when using `top_logprobs`, `logprobs` must be set to true."),
        ({"logprobs": True, "top_logprobs": -1}, "`top_logprobs` must be a value a positive"),
        ({"stream_options": {"include_usage": True}}, "stream_options can only be set if stream"),
        ({"guided_json": {}, "guided_choice": []}, "You can only use one kind of guided decoding"),
    ],
)
def test_combinations_are_refused_before_types(endpoint, fields, sentence):
    message = endpoint.refusal(**fields, temperature="hot")
    assert f"Value error, {sentence}" in message
    assert "'loc': ('body',)" in message
    assert "float_parsing" not in message


RANGES = [
    ({"n": 0}, "n must be at least 1, got 0."),
    ({"n": 3, "best_of": 2}, "best_of must be greater than or equal to n, got n=3 and best_of=2."),
    ({"presence_penalty": -3}, "presence_penalty must be in [-2, 2], got -3.0."),
    ({"frequency_penalty": 2.5}, "frequency_penalty must be in [-2, 2], got 2.5."),
    ({"repetition_penalty": 0}, "repetition_penalty must be in (0, 2], got 0.0."),
    ({"temperature": -0.1}, "temperature must be non-negative, got -0.1."),
    ({"top_p": 0}, "top_p must be in (0, 1], got 0.0."),
    ({"top_p": 1.5}, "top_p must be in (0, 1], got 1.5."),
    ({"top_k": 0}, "top_k must be -1 (disable), or at least 1, got 0."),
    ({"min_p": 2}, "min_p must be in [0, 1], got 2.0."),
    ({"max_tokens": 0}, "max_tokens must be at least 1, got 0."),
    ({"min_tokens": -1}, "min_tokens must be greater than or equal to 0, got -1."),
    (
        {"min_tokens": 9, "max_tokens": 5},
        "min_tokens must be less than or equal to max_tokens=5, got 9.",
    ),
    ({"stop": ""}, "stop cannot contain an empty string."),
    ({"stop": ["a", ""]}, "stop cannot contain an empty string."),
    ({"n": 2, "temperature": 0}, "best_of must be 1 when using greedy sampling.Got 2."),
    (
        {"early_stopping": True},
        "early_stopping is not effective and must be False when not using beam search.",
    ),
    (
        {"length_penalty": 2},
        "length_penalty is not effective and must be the default value of 1.0 "
        "when not using beam search.",
    ),
    (
        {"use_beam_search": True, "temperature": 0},
        "best_of must be greater than 1 when using beam search. Got 1.",
    ),
    ({"use_beam_search": True, "best_of": 2}, "temperature must be 0 when using beam search."),
    (
        {"use_beam_search": True, "best_of": 2, "temperature": 0, "top_p": 0.5},
        "top_p must be 1 when using beam search.",
    ),
    (
        {"use_beam_search": True, "best_of": 2, "temperature": 0, "top_k": 5},
        "top_k must be -1 when using beam search.",
    ),
    ({"logprobs": True, "top_logprobs": 21}, "Cannot request more than 20 logprobs."),
    (
        {"guided_decoding_backend": "xgrammar"},
        "Unknown guided decoding backend 'xgrammar'. "
        "Must be one of 'outlines, 'lm-format-enforcer'",
    ),
    (
        {"tools": TOOLS, "tool_choice": {"function": {"name": "sub"}}},
        "Tool 'sub' has not been passed in `tools`.",
    ),
]


@pytest.mark.parametrize("fields, sentence", RANGES)
def test_values_out_of_range_are_refused_in_the_servers_words(endpoint, fields, sentence):
    assert endpoint.refusal(**fields) == sentence


def test_beam_search_is_accepted_with_what_it_asks_for(endpoint):
    fields = {"use_beam_search": True, "best_of": 2, "temperature": 0, "length_penalty": 2}
    assert endpoint.content(**fields, early_stopping=True) == endpoint.content()


@pytest.mark.parametrize(
    "field",
    [
        *("temperature", "top_p", "top_k", "min_p", "n", "min_tokens", "length_penalty"),
        *("frequency_penalty", "presence_penalty", "repetition_penalty", "add_special_tokens"),
    ],
)
def test_a_null_that_the_server_computes_with_is_a_bare_500(endpoint, field):
    response = endpoint.ask(**{field: None})
    assert response.status_code == 500
    assert response.text == "Internal Server Error"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "field", ["max_tokens", "stop", "seed", "best_of", "stream", "logprobs", "tools", "user"]
)
def test_a_null_that_means_absent_is_accepted(endpoint, field):
    assert endpoint.content(**{field: None}) == endpoint.content()


def test_a_number_in_a_string_is_taken_as_the_number(endpoint):
    assert endpoint.choice(max_tokens="3")["finish_reason"] == "length"


def test_a_prompt_over_the_context_is_refused(emulate):
    endpoint = emulate(max_model_len=100)
    assert endpoint.refusal("x" * 100) == (
        "This model's maximum context length is 100 tokens. However, you requested 123 tokens "
        "in the messages, Please reduce the length of the messages."
    )


def test_an_answer_over_the_context_is_refused(endpoint):
    assert endpoint.refusal(max_tokens=9000) == (
        "This model's maximum context length is 8192 tokens. However, you requested 9028 tokens "
        "(28 in the messages, 9000 in the completion). Please reduce the length of the messages "
        "or completion."
    )


def test_the_context_limits_an_answer_without_max_tokens(emulate):
    choice = emulate(max_model_len=60).choice("repeat " + "y" * 25)
    assert choice["message"]["content"] == "y" * 5
    assert choice["finish_reason"] == "length"


def test_an_unknown_model_is_a_404(endpoint):
    response = endpoint.ask(model="gpt-4", top_p=7)
    assert response.status_code == 404
    assert response.json() == {
        "object": "error",
        "message": "The model `gpt-4` does not exist.",
        "type": "NotFoundError",
        "param": None,
        "code": 404,
    }


def test_a_missing_field_is_named(endpoint):
    response = endpoint.http.post("/chat/completions", json={"model": "m"})
    assert response.json()["message"] == (
        "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required', "
        "'input': {'model': 'm'}}]"
    )


@pytest.mark.parametrize(
    "content, status, words",
    [
        (b"", 400, "'loc': ('body',), 'msg': 'Field required'"),
        (b"null", 400, "'loc': ('body',), 'msg': 'Field required'"),
        (b"{", 400, "'type': 'json_invalid', 'loc': ('body', 1), 'msg': 'JSON decode error'"),
        (b'{"a": "\xff"}', 400, "There was an error parsing the body"),
        (b"[]", 500, "Internal Server Error"),
        (b'"text"', 500, "Internal Server Error"),
    ],
)
def test_a_body_that_is_not_an_object_is_answered_as_the_server_does(
    endpoint, content, status, words
):
    response = endpoint.http.post("/chat/completions", content=content)
    assert response.status_code == status
    assert words in response.text


def test_a_body_that_is_not_declared_json_is_a_500(endpoint):
    headers = {"Content-Type": "text/plain"}
    response = endpoint.http.post("/chat/completions", json=endpoint.body(), headers=headers)
    assert response.status_code == 500


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.none() | st.booleans() | st.integers()))
@settings(max_examples=60, deadline=None)
def test_no_value_of_any_field_breaks_the_endpoint(endpoint, fields):
    fields.pop("n", None)
    try:
        response = endpoint.http.post("/chat/completions", json={**endpoint.body(), **fields})
    except httpx.HTTPError as error:
        pytest.fail(repr(error))
    assert response.status_code in {200, 400, 404, 500}
    assert endpoint.emulator.alive
