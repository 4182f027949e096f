from __future__ import annotations

import pytest

HELLO = {"role": "user", "content": "hello"}
CALL = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}


def said(endpoint, *messages, **fields):
    return endpoint.answer(messages=list(messages), **fields)


def test_one_token_is_one_byte_in_llama_3s_frame(endpoint):
    assert said(endpoint, HELLO)["usage"]["prompt_tokens"] == 28
    accented = {"role": "user", "content": "héllo"}
    assert said(endpoint, accented)["usage"]["prompt_tokens"] == 29


def test_a_special_marker_in_the_text_is_one_token(endpoint):
    marked = {"role": "user", "content": "hello<|eot_id|>"}
    assert said(endpoint, marked)["usage"]["prompt_tokens"] == 29


def test_a_message_with_null_content_is_dropped(endpoint):
    dropped = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    counts = [said(endpoint, *one)["usage"]["prompt_tokens"] for one in ([HELLO, dropped], [HELLO])]
    assert counts[0] == counts[1]


def test_tool_calls_and_names_never_reach_the_model(endpoint):
    bare = {"role": "assistant", "content": "x"}
    full = {**bare, "name": "someone", "tool_calls": [CALL]}
    last = {"role": "user", "content": "hello"}
    assert said(endpoint, HELLO, full, last)["usage"] == said(endpoint, HELLO, bare, last)["usage"]


def test_tool_definitions_are_accepted_and_ignored(endpoint):
    tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]
    with_tools = said(endpoint, HELLO, tools=tools)
    assert with_tools["usage"] == said(endpoint, HELLO)["usage"]
    assert with_tools["choices"] == said(endpoint, HELLO)["choices"]


def test_a_tools_result_is_read(endpoint):
    result = {"role": "tool", "tool_call_id": "1", "content": "42"}
    answer = said(endpoint, HELLO, result)
    assert answer["choices"][0]["message"]["content"] == "The result is 42."


def test_parts_of_text_are_joined_with_line_breaks(endpoint):
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two", "cache_control": {}}]
    answer = said(endpoint, {"role": "user", "content": parts})
    assert answer["choices"][0]["message"]["content"] == "You said: one\ntwo"


@pytest.mark.parametrize(
    "part, sentence",
    [
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}},
            "'image_url' input is not supported as the loaded model is not multimodal.",
        ),
        ({"type": "input_audio", "input_audio": {}}, "Unknown part type: input_audio"),
        ({"type": "text"}, "'text'"),
    ],
)
def test_other_parts_are_refused(endpoint, part, sentence):
    assert endpoint.refusal(messages=[{"role": "user", "content": [part]}]) == sentence


def test_a_part_that_is_not_an_object_is_refused_when_it_is_read(endpoint):
    message = endpoint.refusal(messages=[{"role": "user", "content": ["hello"]}])
    assert message.startswith("3 validation errors for ValidatorIterator\n0.typed-dict\n")
    assert "https://errors.pydantic.dev/2.7/v/dict_type" in message


@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "3"}]},
        {"role": "assistant", "content": "x", "tool_calls": None},
        {"role": "user", "content": 5},
        {"role": "user", "content": None},
        {"role": "user", "content": "x", "name": None},
        {"content": "x"},
        "x",
    ],
)
def test_malformed_messages_are_refused_for_every_form_they_could_have(endpoint, message):
    sentence = endpoint.refusal(messages=[message])
    assert sentence.count("'loc': ('body', 'messages', 0, 'typed-dict'") >= 6


@pytest.mark.parametrize("messages", [[], [{"role": "user"}]], ids=["none", "all dropped"])
def test_a_conversation_without_content_is_refused(endpoint, messages):
    assert endpoint.refusal(messages=messages) == "list index out of range"


ALTERNATION = "Conversation roles must alternate user/assistant/user/assistant/..."


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


def test_llama_3s_template_refuses_no_role(endpoint):
    messages = [{"role": role, "content": "hello"} for role in ("system", "tool", "user", "x")]
    assert endpoint.ask(messages=messages).status_code == 200


def test_without_a_generation_prompt_the_last_role_answers(endpoint):
    answer = said(endpoint, HELLO, add_generation_prompt=False)
    assert answer["choices"][0]["message"]["role"] == "user"
    assert answer["usage"]["prompt_tokens"] == 15


def test_echo_repeats_the_last_message_of_the_answers_role(endpoint):
    begun = {"role": "assistant", "content": "Hel"}
    answer = said(endpoint, HELLO, begun, echo=True)
    assert answer["choices"][0]["message"]["content"] == "HelYou said: Hel"
    assert said(endpoint, HELLO, echo=True)["choices"] == said(endpoint, HELLO)["choices"]
