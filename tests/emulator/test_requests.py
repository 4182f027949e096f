"""What a request may hold, as far as tests/conformance has no recording of it."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monster_emulator._request import ChatCompletionRequest

FIELDS = frozenset(ChatCompletionRequest.model_fields)
HELLO = {"role": "user", "content": "hello"}
ALTERNATION = "Conversation roles must alternate user/assistant/user/assistant/..."


def test_the_request_has_41_fields():
    assert len(FIELDS) == 41


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


def test_a_body_that_is_not_unicode_is_refused(endpoint):
    response = endpoint.http.post("/chat/completions", content=b'{"a": "\xff"}')
    assert response.status_code == 400
    assert response.json() == {"detail": "There was an error parsing the body"}


@pytest.mark.parametrize("server, status", [("vllm-0.5", 500), ("vllm", 200)])
def test_a_body_is_to_be_declared_as_json_by_0_5_alone(emulate, server, status):
    endpoint = emulate(server=server)
    headers = {"Content-Type": "text/plain"}
    response = endpoint.http.post("/chat/completions", json=endpoint.body(), headers=headers)
    assert response.status_code == status


def test_a_prompt_over_the_context_is_refused(emulate):
    assert emulate(max_model_len=100).refusal("x" * 100) == (
        "This model's maximum context length is 100 tokens. However, you requested 123 tokens "
        "in the messages, Please reduce the length of the messages."
    )


@pytest.mark.parametrize(
    "server, fields", [("vllm-0.5", {}), ("vllm", {}), ("vllm", {"max_tokens": 50})]
)
def test_the_context_limits_an_answer(emulate, server, fields):
    endpoint = emulate(server=server, max_model_len=60)
    choice = endpoint.choice("repeat " + "y" * 25, **fields)
    assert choice["message"]["content"] == "y" * 5
    assert choice["finish_reason"] == "length"


@pytest.mark.parametrize("server, bytes_per_token", [("vllm-0.5", 4), ("vllm", 4), ("vllm", 1)])
def test_so_many_bytes_of_a_prompt_count_as_a_token(emulate, server, bytes_per_token):
    endpoint = emulate(server=server, bytes_per_token=bytes_per_token)
    counts = [endpoint.answer("é" * 2 * n)["usage"]["prompt_tokens"] for n in (100, 200)]
    assert counts[1] - counts[0] == 400 / bytes_per_token


@pytest.mark.parametrize(
    "model, roles, sentence",
    [
        ("google/gemma-2-9b-it", "system user", "System role not supported"),
        ("google/gemma-2-9b-it", "user user", ALTERNATION),
        ("google/gemma-2-9b-it", "user assistant tool", ALTERNATION),
        ("mistralai/Mistral-7B-Instruct-v0.2", "system user", ALTERNATION),
        ("mistralai/Mistral-7B-Instruct-v0.2", "user assistant tool", ALTERNATION),
        ("mistralai/Mistral-7B-Instruct-v0.2", "user tool", "Only user and assistant roles"),
        ("microsoft/Phi-3-mini-4k-instruct", "user assistant tool", "Only system, user and"),
    ],
)
def test_a_model_familys_template_refuses_roles(emulate, model, roles, sentence):
    messages = [{"role": role, "content": "hello"} for role in roles.split()]
    assert emulate(model=model).refusal(messages=messages).startswith(sentence)


def test_parts_of_text_are_joined_with_line_breaks(endpoint):
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two", "cache_control": {}}]
    messages = [{"role": "user", "content": parts}]
    assert endpoint.content(messages=messages) == "You said: one\ntwo"


def test_echo_repeats_the_last_message_of_the_answers_role(endpoint):
    messages = [HELLO, {"role": "assistant", "content": "Hel"}]
    assert endpoint.content(messages=messages, echo=True) == "HelYou said: Hel"
    assert endpoint.content(messages=[HELLO], echo=True) == endpoint.content(messages=[HELLO])
