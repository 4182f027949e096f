"""The request of one call is built: what is sent, and how its response is read."""

from __future__ import annotations

import copy
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
from monster_core.request.validation import merge_parameters, validate_parameters
from monster_core.response.pipeline import ResponseStream, parse_response
from monster_core.response.types import Chunk, Completion, Usage, add_usage

HELLO = [Message("user", "Hello")]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": CITY}}
MAIL = {"type": "function", "function": {"name": "send_mail", "parameters": CITY}}
OPTIONAL = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
CALL = '{"name": "weather", "parameters": {"city": "Rome"}}'


def build(
    fields: Mapping[str, Any] | None = None,
    *,
    stream: bool = False,
    extra: Mapping[str, Any] | None = None,
    messages: list[Message] = HELLO,
) -> ChatRequest:
    given = validate_parameters({"model": "meta-llama/Meta-Llama-3.1-8B", **(fields or {})})
    return build_request(messages, given, stream=stream, extra=extra)


def body(request: ChatRequest) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(request.body)
    return sent


def system(request: ChatRequest) -> str:
    first = body(request)["messages"][0]
    return first["content"] if first["role"] == "system" else ""


def reply(text: str, tokens: int = 1, **message: Any) -> bytes:
    choice = {"index": 0, "message": {"content": text, **message}, "finish_reason": "stop"}
    usage = {"prompt_tokens": tokens, "completion_tokens": tokens, "total_tokens": 2 * tokens}
    return json.dumps({"id": "cmpl-1", "choices": [choice], "usage": usage}).encode()


def read(request: ChatRequest, text: str) -> Completion:
    return parse_response(reply(text), request.spec)


def test_a_plain_request_sends_what_was_set_and_nothing_else() -> None:
    assert body(build({"temperature": 0})) == {
        "model": "meta-llama/Meta-Llama-3.1-8B",
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 0,
    }
    assert body(build(stream=True))["stream"] is True


def test_a_request_needs_a_model_and_messages() -> None:
    with pytest.raises(InvalidRequestError, match="No model: pass model or set MONSTER_MODEL"):
        build_request(HELLO, {}, stream=False)
    with pytest.raises(InvalidRequestError, match="No messages: a conversation needs at least one"):
        build(messages=[])


def test_fields_the_package_does_not_know_are_sent_as_they_are_and_win() -> None:
    sent = body(build({"seed": 1}, extra={"new_field": {"x": 1}, "seed": 2, "left_out": None}))
    assert sent["new_field"] == {"x": 1}
    assert sent["seed"] == 2
    assert "left_out" not in sent


def test_the_arguments_of_a_call_win_and_none_takes_a_field_back() -> None:
    prepared = validate_parameters({"temperature": 0, "seed": 1, "stop": None})
    merged = merge_parameters(prepared, {"temperature": 0.5, "seed": None})
    assert merged == {"temperature": 0.5}


def test_what_is_not_json_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidRequestError, match="The request cannot be written as JSON: "):
        build(extra={"odd": object()})
    with pytest.raises(InvalidRequestError, match="The request cannot be written as JSON: "):
        build(messages=[Message("user", "half \ud83d")])


parameters = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.none() | st.floats(0.1, 2),
        "top_p": st.none() | st.floats(0.1, 1),
        "max_tokens": st.none() | st.integers(1, 100),
        "stop": st.none() | st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=2),
        "logit_bias": st.none() | st.dictionaries(st.integers(0, 9), st.floats(-1, 1), max_size=2),
        "top_logprobs": st.none() | st.integers(0, 3),
        "user": st.none() | st.text(max_size=3),
        "tools": st.none() | st.sampled_from([[], [WEATHER], [WEATHER, MAIL]]),
        "tool_choice": st.sampled_from([None, "auto", "none", "any", "weather", True, False]),
        "response_format": st.sampled_from(
            [None, {"type": "text"}, {"type": "json_object"}, FORMAT]
        ),
        "guided_json": st.sampled_from([None, CITY, OPTIONAL]),
        "guided_regex": st.sampled_from([None, "a+"]),
        "parallel_tool_calls": st.sampled_from([None, True, False]),
        "tool_strategy": st.sampled_from([None, "native", "guided", "prompt"]),
        "tool_format": st.sampled_from([None, "llama", "hermes", "mistral"]),
        "family": st.sampled_from([None, "gemma", "llama-2", "hermes"]),
        "schema_in_prompt": st.sampled_from([None, True, False]),
    },
)


def holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        # the null of a guiding schema is a value that it allows
        return any(holds_null(item) for key, item in value.items() if key != "guided_json")
    return any(map(holds_null, value)) if isinstance(value, list) else value is None


@settings(max_examples=100, deadline=None)
@given(parameters, st.booleans())
def test_a_body_holds_only_what_the_servers_strict_model_takes(
    fields: dict[str, Any], stream: bool
) -> None:
    try:
        request = build(fields, stream=stream)
    except InvalidRequestError:
        return
    for sent in (body(request), *([body(request.follow_up)] if request.follow_up else [])):
        assert sent.keys() <= REQUEST_FIELDS
        assert not holds_null(sent)
        assert isinstance(sent.get("tool_choice", {}), dict)
        assert sent.get("response_format", {}).get("type") != "json_schema"
        guides = sent.keys() & {"guided_json", "guided_regex", "tool_choice"}
        assert len(guides) <= 1
        assert all(message.keys() <= {"role", "content", "name"} for message in sent["messages"])


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"guided_json": CITY, "guided_regex": "a"}, "Only one of guided_json, guided_regex"),
        ({"guided_json": CITY, "response_format": FORMAT}, "Only one schema can guide an answer"),
        ({"guided_regex": "a", "response_format": FORMAT}, "Only one of guided_json, guided_regex"),
        ({"tools": [WEATHER], "tool_choice": "any", "guided_regex": "a"}, "guided_regex cannot be"),
        ({"tool_choice": "any"}, "needs tools, and there are none"),
        ({"tools": [WEATHER], "tool_choice": "wether"}, "did you mean 'weather'"),
        ({"family": "gamma"}, "did you mean 'gemma'"),
        ({"guided_json": {"$ref": "#/x"}}, "The answer's schema cannot be used: "),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"$ref": "#/x"}},
                }
            },
            "The answer's schema cannot be used: ",
        ),
        (
            {"tools": [{"name": "x", "parameters": {"$ref": "#/x"}}], "tool_choice": "any"},
            "The parameters of the tool 'x' cannot be used: ",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        build(fields)


@pytest.mark.parametrize(
    "fields, is_guided",
    [
        ({}, False),
        ({"guided_choice": ["a", "b"]}, False),
        ({"response_format": {"type": "json_object"}}, True),
        ({"response_format": {"type": "text"}}, False),
        ({"tools": [WEATHER]}, False),
        ({"tools": [WEATHER], "tool_choice": "any", "tool_strategy": "prompt"}, False),
        ({"tools": [WEATHER], "tool_choice": "any"}, True),
        ({"tools": [WEATHER, MAIL], "tool_choice": "any"}, True),
        ({"guided_json": CITY}, True),
        ({"response_format": FORMAT}, True),
        ({"guided_regex": "a"}, True),
        ({"guided_grammar": 'start: "a"'}, True),
    ],
)
def test_a_request_knows_whether_the_server_may_fail_to_compile_something_for_it(
    fields: dict[str, Any], is_guided: bool
) -> None:
    assert build(fields).is_guided is is_guided


def test_a_json_schema_response_is_guided_and_in_the_prompt() -> None:
    request = build({"response_format": FORMAT})
    assert "guided_json" in body(request)
    assert "response_format" not in body(request)
    assert "satisfies this JSON schema" in system(request)
    assert system(build({"response_format": FORMAT, "schema_in_prompt": False})) == ""


def test_guided_json_is_in_the_prompt_only_if_asked() -> None:
    assert system(build({"guided_json": CITY})) == ""
    assert "satisfies this JSON schema" in system(
        build({"guided_json": CITY, "schema_in_prompt": True})
    )


def test_a_schema_that_cannot_guide_is_in_the_prompt_and_only_json_is_asked_for() -> None:
    request = build(
        {"guided_json": {"type": "object", "properties": {"x": False}, "required": ["x"]}}
    )
    assert "satisfies this JSON schema" in system(request)
    assert body(request)["guided_json"] == {"type": "object"}
    assert body(request)["guided_decoding_backend"] == "lm-format-enforcer"


def test_a_guided_response_is_read_as_its_schema_means_it() -> None:
    request = build({"guided_json": OPTIONAL})
    assert json.loads(read(request, '{"a": null, "b": 1}').choices[0].text) == {"b": 1}
    assert read(request, "no JSON").choices[0].text == "no JSON"


@pytest.mark.parametrize("choice", [None, "weather", "any"])
def test_a_tool_or_a_schema_that_is_changed_in_place_is_sent_as_it_is_now(choice: Any) -> None:
    tool = copy.deepcopy(WEATHER)
    schema = copy.deepcopy(CITY)
    before = [build({"tools": [tool], "tool_choice": choice}), build({"guided_json": schema})]
    for changed in (tool["function"]["parameters"], schema):  # type: ignore[index]
        changed["properties"]["town"] = changed["properties"].pop("city")
        changed["required"] = ["town"]
    after = [build({"tools": [tool], "tool_choice": choice}), build({"guided_json": schema})]
    assert all(b"town" not in one.body for one in before)
    assert all(b"city" not in one.body for one in after)


@pytest.mark.parametrize("choice", [None, "weather", "any"])
def test_a_tool_with_numbers_beyond_64_bits_can_be_offered_and_forced(choice: Any) -> None:
    large = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 2**70}}}
    tool = {"type": "function", "function": {"name": "weather", "parameters": large}}
    request = build({"tools": [tool], "tool_choice": choice})
    assert str(2**70) in system(request)


def test_tools_with_choice_none_leave_no_trace() -> None:
    assert build({"tools": [WEATHER], "tool_choice": "none"}).body == build().body


def test_a_forced_tool_takes_the_place_of_a_json_schema_response() -> None:
    request = build({"tools": [WEATHER], "tool_choice": "any", "response_format": FORMAT})
    assert request.follow_up is None
    assert body(request)["tool_choice"]["function"]["name"] == "weather"


def both() -> ChatRequest:
    """Return a request that may call a tool, and otherwise answers in a schema."""
    return build({"tools": [WEATHER], "response_format": FORMAT})


CONSTRAINTS: dict[str, dict[str, Any]] = {
    "guided_json": {"response_format": FORMAT},
    "guided_regex": {"guided_regex": "a+"},
    "guided_choice": {"guided_choice": ["yes", "no"]},
    "guided_grammar": {"guided_grammar": 'start: "a"'},
    "response_format": {"response_format": {"type": "json_object"}},
}
SENT = {"response_format": {"guided_json", "guided_decoding_backend"}}
"""The fields that are sent for a constraint, where they are not the field of its name."""


@pytest.mark.parametrize("field", CONSTRAINTS)
def test_tools_beside_a_constraint_take_a_second_request_for_it(field: str) -> None:
    request = build({"tools": [WEATHER], "seed": 1, **CONSTRAINTS[field]})
    assert request.follow_up is not None
    assert "weather" in system(request)
    assert not request.is_guided
    assert body(request).keys() == {"model", "messages", "seed"}
    assert body(request.follow_up).keys() == {"model", "messages", "seed"} | SENT.get(
        field, {field}
    )
    assert "weather" not in system(request.follow_up)


@pytest.mark.parametrize("format_", [None, {"type": "text"}])
def test_tools_beside_free_text_take_one_request(format_: dict[str, Any] | None) -> None:
    assert build({"tools": [WEATHER], "response_format": format_}).follow_up is None


def test_two_constraints_are_refused_beside_tools_too() -> None:
    with pytest.raises(InvalidRequestError, match="Only one of guided_regex, guided_choice"):
        build({"tools": [WEATHER], "guided_regex": "a", "guided_choice": ["a"]})


@pytest.mark.parametrize(
    "one, other, total",
    [
        (None, None, None),
        (Usage(1, 2, 3), None, Usage(1, 2, 3)),
        (None, Usage(1, 2, 3), Usage(1, 2, 3)),
        (Usage(1, 2, 3, 4, None), Usage(1, 1, 2), Usage(2, 3, 5, 4, None)),
        (Usage(1, 2, 3, 4, 5), Usage(1, 1, 2, 1, 1), Usage(2, 3, 5, 5, 6)),
    ],
)
def test_usage_adds_up(one: Usage | None, other: Usage | None, total: Usage | None) -> None:
    assert add_usage(one, other) == total


def stream_of(*texts: str) -> list[bytes]:
    deltas = [*({"content": text} for text in texts)]
    events = [{"delta": delta, "finish_reason": None} for delta in deltas]
    events.append({"delta": {}, "finish_reason": "stop"})
    lines = [json.dumps({"id": "cmpl-1", "choices": [event]}).encode() for event in events]
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return [*lines, json.dumps({"choices": [], "usage": usage}).encode(), b"[DONE]"]


def chunks_of(events: list[bytes], request: ChatRequest) -> list[Chunk]:
    stream = ResponseStream(request.spec)
    read = [chunk for chunk in map(stream.feed, events) if chunk is not None]
    return [*read, stream.end()]


def test_a_stream_before_a_follow_up_is_shown_whole_if_it_calls_a_tool() -> None:
    shown = chunks_of(stream_of("Let me look. ", CALL[:20], CALL[20:]), both())
    assert "".join(chunk.text for chunk in shown) == "Let me look. "
    calls = [delta for chunk in shown for delta in chunk.tool_calls or ()]
    assert calls[0].name == "weather"
    assert shown[-1].is_last
    assert shown[-1].usage == Usage(1, 2, 3)


def test_a_stream_before_a_follow_up_shows_no_text_if_it_calls_no_tool() -> None:
    assert not any(chunk.text for chunk in chunks_of(stream_of("Sunny", "."), both()))


@pytest.mark.parametrize("fields", [{}, {"tools": [WEATHER]}, {"guided_json": OPTIONAL}])
def test_a_stream_reads_like_the_whole_response(fields: dict[str, Any]) -> None:
    request = build(fields)
    for text in ("Hello.", CALL, '{"a": null, "b": 1}'):
        chunks = chunks_of(stream_of(*text), request)
        whole: Completion = read(request, text)
        [choice] = whole.choices
        text_of_chunks = "".join(chunk.text for chunk in chunks)
        assert text_of_chunks.replace(" ", "") == choice.text.replace(" ", "")
        deltas = [delta for chunk in chunks for delta in chunk.tool_calls or ()]
        assert [d.name for d in deltas if d.name] == [found.name for found in choice.tool_calls]
        arguments = "".join(found.arguments for found in choice.tool_calls)
        assert "".join(delta.arguments for delta in deltas) == arguments


ENDLESS = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}


@pytest.mark.parametrize("several", [{"n": 2}, {"best_of": 2}])
def test_several_responses_to_a_schema_that_cannot_guide_are_asked_for_in_the_prompt_alone(
    several: dict[str, Any],
) -> None:
    fields = {"model": "m", "guided_json": ENDLESS, "guided_decoding_backend": "outlines"}
    one = json.loads(build_request(HELLO, fields, stream=False).body)
    assert one["response_format"] == {"type": "json_object"}
    fields |= several
    sent = json.loads(build_request(HELLO, fields, stream=False).body)
    assert "response_format" not in sent
    assert sent["messages"] == one["messages"]
