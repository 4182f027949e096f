"""What is sent depends on the server's profile: guides, tools, conversations, further fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monster_core.errors import InvalidRequestError
from monster_core.request.builder import ChatRequest, build_request
from monster_core.request.fields import REQUEST_FIELDS
from monster_core.request.messages import Message
from monster_core.request.validation import validate_parameters
from monster_core.response.types import ToolCall
from tests.core.request.test_builder import parameters

MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct"
HELLO = [Message("user", "Hello")]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": CITY}}
MAIL = {"type": "function", "function": {"name": "send_mail", "parameters": CITY}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
RELEASES = ["vllm-0.5", "vllm-0.6", "vllm-0.6.6", "vllm-0.8.3", "vllm-0.11", "vllm"]


def build(messages: list[Message] = HELLO, **fields: Any) -> ChatRequest:
    given = validate_parameters({"model": MODEL, **fields})
    return build_request(messages, given, stream=False)


def body(messages: list[Message] = HELLO, **fields: Any) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(build(messages, **fields).body)
    return sent


def system(sent: Mapping[str, Any]) -> str:
    first = sent["messages"][0]
    return first["content"] if first["role"] == "system" else ""


# --- Guides


@pytest.mark.parametrize("server", RELEASES)
@pytest.mark.parametrize(
    "field, value, key",
    [
        ("guided_regex", "a+", "regex"),
        ("guided_choice", ["a", "b"], "choice"),
        ("guided_grammar", 'start: "a"', "grammar"),
    ],
)
def test_a_guide_stands_where_the_server_looks_for_it(
    server: str, field: str, value: Any, key: str
) -> None:
    sent = body(server=server, **{field: value})
    if server in ("vllm-0.11", "vllm"):
        assert sent["structured_outputs"] == {key: value}
        assert field not in sent
    else:
        assert sent[field] == value
        assert "structured_outputs" not in sent


@pytest.mark.parametrize("fields", [{"guided_json": CITY}, {"response_format": FORMAT}], ids=str)
def test_a_schema_is_sent_as_a_structured_output(fields: dict[str, Any]) -> None:
    sent = body(server="vllm", **fields)
    assert sent["structured_outputs"]["json"] == {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    assert sent.keys().isdisjoint({"guided_json", "response_format"})


@pytest.mark.parametrize("n", [1, 2])
def test_any_json_object_is_asked_for_as_such_where_that_is_safe(n: int) -> None:
    sent = body(server="vllm", response_format={"type": "json_object"}, n=n, temperature=1)
    assert sent["response_format"] == {"type": "json_object"}
    assert "structured_outputs" not in sent


# --- Tools


@pytest.mark.parametrize("server", RELEASES)
def test_one_forced_tool_is_named(server: str) -> None:
    sent = body(server=server, tools=[WEATHER, MAIL], tool_choice="weather")
    [tool] = sent["tools"]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert tool["function"]["name"] == "weather"
    assert tool["function"].get("strict", False) is (server == "vllm")
    assert "weather" in system(sent)


@pytest.mark.parametrize("server", RELEASES)
def test_several_forced_tools_are_required_where_the_server_knows_the_word(server: str) -> None:
    sent = body(server=server, tools=[WEATHER, MAIL], tool_choice="any")
    if server in ("vllm-0.8.3", "vllm-0.11", "vllm"):
        assert sent["tool_choice"] == "required"
        assert [tool["function"]["name"] for tool in sent["tools"]] == ["weather", "send_mail"]
    else:
        assert "guided_json" in sent
        assert "tools" not in sent
    assert "send_mail" in system(sent)


@pytest.mark.parametrize("server", RELEASES)
def test_tools_that_may_be_called_stand_in_the_prompt_alone(server: str) -> None:
    sent = body(server=server, tools=[WEATHER])
    assert sent.keys() == {"model", "messages"}
    assert "weather" in system(sent)


@pytest.mark.parametrize("choice", [None, "auto"])
def test_tools_that_may_be_called_are_sent_as_such_if_it_is_asked_for(choice: Any) -> None:
    sent = body(server="vllm", tools=[WEATHER, MAIL], tool_choice=choice, tool_strategy="native")
    assert sent["tool_choice"] == "auto"
    assert sent["tools"][0]["function"]["parameters"] == CITY
    assert "strict" not in sent["tools"][0]["function"]
    assert not system(sent)


@pytest.mark.parametrize("choice", ["weather", "any"])
def test_the_native_strategy_leaves_the_definitions_to_the_template(choice: str) -> None:
    sent = body(
        server="vllm",
        tools=[WEATHER, MAIL],
        tool_choice=choice,
        tool_strategy="native",
        parallel_tool_calls=False,
    )
    assert len(sent["tools"]) == 2
    assert sent["tools"][0]["function"]["strict"] is True
    assert sent["parallel_tool_calls"] is False
    assert not system(sent)


@pytest.mark.parametrize("server", ["vllm-0.5", "vllm-0.6"])
def test_a_native_choice_that_the_server_does_not_know_is_refused(server: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"'{server}' forces one named tool"):
        build(server=server, tools=[WEATHER, MAIL], tool_choice="any", tool_strategy="native")


def test_tools_beside_a_shape_take_a_second_request_on_every_server() -> None:
    request = build(server="vllm", tools=[WEATHER], tool_strategy="native", response_format=FORMAT)
    assert request.spec.withholds_text
    assert json.loads(request.body)["tool_choice"] == "auto"
    assert request.follow_up is not None
    assert json.loads(request.follow_up.body).keys() == {"model", "messages", "structured_outputs"}


@pytest.mark.parametrize("choice", ["any", "weather"])
def test_a_guide_beside_a_forced_tool_is_refused(choice: str) -> None:
    with pytest.raises(InvalidRequestError, match="guided_regex cannot be combined"):
        build(server="vllm", tools=[WEATHER, MAIL], tool_choice=choice, guided_regex="a")


# --- Conversations

CALLS = [
    ToolCall("call_a", "weather", '{"city": "Rome"}'),
    ToolCall("call_b", "weather", '{"city": "Oslo"}'),
]
HISTORY = [
    Message("user", "Compare"),
    Message("assistant", "One moment.", tool_calls=CALLS),
    Message("tool", "22", "weather", tool_call_id="call_a"),
    Message("tool", "unreachable", "weather", tool_call_id="call_b", is_error=True),
]


def test_calls_and_results_are_sent_as_such_with_native_tools() -> None:
    sent = body(HISTORY, server="vllm", tools=[WEATHER], tool_strategy="native")["messages"]
    assert sent[1] == {
        "role": "assistant",
        "content": "One moment.",
        "tool_calls": [
            {
                "id": "call_a",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
            },
            {
                "id": "call_b",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
            },
        ],
    }
    assert sent[2:] == [
        {"role": "tool", "content": "22", "tool_call_id": "call_a"},
        {"role": "tool", "content": "Error: unreachable", "tool_call_id": "call_b"},
    ]


@pytest.mark.parametrize(
    "fields", [{"server": "vllm"}, {"server": "vllm-0.5", "tool_strategy": "native"}], ids=str
)
def test_calls_and_results_are_text_otherwise(fields: dict[str, Any]) -> None:
    for message in body(HISTORY, tools=[WEATHER], **fields)["messages"]:
        assert message.keys() == {"role", "content"}


def test_calls_without_ids_get_some_and_their_results_follow() -> None:
    history = [
        Message("user", "Compare"),
        Message("assistant", "", tool_calls=[ToolCall("", c.name, c.arguments) for c in CALLS]),
        Message("tool", "22"),
        Message("tool", "4"),
    ]
    sent = body(history, server="vllm", tool_strategy="native")["messages"]
    ids = [call["id"] for call in sent[1]["tool_calls"]]
    assert len(set(ids)) == 2
    assert [message["tool_call_id"] for message in sent[2:]] == ids


def test_what_a_template_would_raise_on_is_put_into_words() -> None:
    broken = ToolCall("call_a", "weather", '{"city": "Ro')
    history = [
        Message("tool", "an orphan", "mail", tool_call_id="call_x"),
        Message("assistant", "", tool_calls=[broken, ToolCall("call_b", "now", "")]),
        Message("tool", "cut", tool_call_id="call_a"),
    ]
    sent = body(history, server="vllm", tool_strategy="native")["messages"]
    assert sent[0] == {"role": "user", "content": "Result of mail: an orphan"}
    arguments = [call["function"]["arguments"] for call in sent[1]["tool_calls"]]
    assert json.loads(arguments[0]) == {"arguments": '{"city": "Ro'}
    assert arguments[1] == "{}"


def test_turns_with_calls_are_not_merged_for_a_template_that_needs_turns() -> None:
    history = [Message("system", "Be brief."), Message("user", "And now?"), *HISTORY]
    sent = body(history, server="vllm", family="mistral", tool_strategy="native")["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool"]
    assert sent[0]["content"] == "Be brief.\n\nAnd now?\n\nCompare"


# --- Everything at once


def holds_null(value: Any) -> bool:
    if isinstance(value, dict):  # the null of a schema is a value that it allows
        return any(holds_null(item) for key, item in value.items() if key not in GUIDED)
    return any(map(holds_null, value)) if isinstance(value, list) else value is None


GUIDED = ("guided_json", "json", "parameters")
LATER = {"structured_outputs", "parallel_tool_calls"}


@settings(max_examples=100, deadline=None)
@given(parameters, st.sampled_from(RELEASES))
def test_a_body_holds_what_its_server_knows_and_at_most_one_guide(
    fields: dict[str, Any], server: str
) -> None:
    try:
        request = build(**fields, server=server)
    except InvalidRequestError:
        return
    guides = {f"guided_{kind}" for kind in ("json", "regex", "choice", "grammar")}
    for one in filter(None, (request, request.follow_up)):
        sent = json.loads(one.body)
        later = server in ("vllm-0.11", "vllm")
        assert sent.keys() <= REQUEST_FIELDS | (set() if server == "vllm-0.5" else LATER)
        assert sent.keys().isdisjoint(guides if later else {"structured_outputs"})
        assert len(sent.keys() & (guides | {"structured_outputs"})) <= 1
        assert not holds_null(sent)
        forced = "tool_choice" in sent and sent["tool_choice"] != "auto"
        assert not (forced and sent.keys() & (guides | {"structured_outputs"}))
        assert ("tools" in sent) is ("tool_choice" in sent)
        assert one.is_guided or not forced


# --- Fields


@pytest.mark.parametrize(
    "fields",
    [
        {"best_of": 2, "n": 2},
        {"early_stopping": True},
        {"guided_json": CITY, "guided_decoding_backend": "outlines"},
        {"guided_json": CITY, "guided_whitespace_pattern": " "},
    ],
    ids=str,
)
def test_what_the_server_would_ignore_is_refused(fields: dict[str, Any]) -> None:
    build(temperature=1, **{**fields, "early_stopping": None})
    with pytest.raises(InvalidRequestError, match="cannot be used with server='vllm': the server"):
        build(server="vllm", **fields)


def test_beam_search_counts_its_beams_in_n_where_there_is_no_best_of() -> None:
    assert body(server="vllm", use_beam_search=True, temperature=0, n=2)["n"] == 2
    with pytest.raises(InvalidRequestError, match="temperature=0 and n of at least 2"):
        build(server="vllm", use_beam_search=True, temperature=0)


def test_choices_that_do_not_share_a_grammar_may_be_guided_by_one() -> None:
    assert body(server="vllm", guided_grammar='start: "a"', n=2)["n"] == 2
    with pytest.raises(InvalidRequestError, match="one answer at a time"):
        build(guided_grammar='start: "a"', n=2)


def test_fields_of_the_server_are_sent_as_they_are() -> None:
    given = {"chat_template_kwargs": {"enable_thinking": False}, "priority": 1}
    sent = body(server="vllm", **given, bad_words=["no"], reasoning_effort="low")
    assert given.items() <= sent.items()
    assert sent["bad_words"] == ["no"]
    assert sent["reasoning_effort"] == "low"
    with pytest.raises(InvalidRequestError, match="Unknown argument 'chat_template_kwargs'"):
        validate_parameters(given)


@pytest.mark.parametrize("server", RELEASES)
def test_the_profile_itself_is_never_sent(server: str) -> None:
    assert body(server=server, tool_strategy="native", family="qwen").keys() == {
        "model",
        "messages",
    }
