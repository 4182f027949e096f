"""A conversation becomes messages that a family's chat template takes and really shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.errors import InvalidRequestError
from monster_core.model_families import FAMILIES, ModelFamily
from monster_core.request.messages import Message, render
from monster_core.response.types import ToolCall
from tests.core.response.strategies import conversations, few, many

INSTRUCTIONS = "<instructions>"
LLAMA, GEMMA, LLAMA_2 = FAMILIES["llama-3.1"], FAMILIES["gemma"], FAMILIES["llama-2"]
ROME = ToolCall("1", "weather", '{"city": "Rome"}')
OSLO = ToolCall("2", "weather", '{"city": "Oslo"}')


def text_of(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)


def shown(
    messages: Sequence[Message], family: ModelFamily, instructions: str | None = None
) -> list[Any]:
    """Return role and text of each rendered message."""
    rendered = render(messages, family, family.tool_format, instructions)
    return [(message["role"], text_of(message["content"])) for message in rendered]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
@few
@given(messages=conversations(), instructions=st.sampled_from([None, INSTRUCTIONS]))
def test_every_template_takes_every_conversation(
    family: ModelFamily, messages: list[Message], instructions: str | None
) -> None:
    before = deepcopy(messages)
    roles = [role for role, _ in shown(messages, family, instructions)]
    assert messages == before
    assert family.has_system_role or "system" not in roles
    assert family.has_tool_role or "tool" not in roles
    if family.must_alternate:
        turns = roles[1:] if roles[0] == "system" else roles
        assert turns == [("user", "assistant")[at % 2] for at in range(len(turns))]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
@few
@given(messages=conversations())
def test_nothing_is_dropped_and_the_order_stays(
    family: ModelFamily, messages: list[Message]
) -> None:
    rendered = shown(messages, family, INSTRUCTIONS)
    whole = "\n".join(text for _, text in rendered)
    said = [
        text
        for message in messages
        for text in (message.text, *(call.arguments for call in message.tool_calls))
    ]
    places = [whole.index(text) for text in said if text]
    assert places == sorted(places)
    assert INSTRUCTIONS in rendered[0][1]


@many
@given(messages=conversations(), family=st.sampled_from(list(FAMILIES.values())))
def test_a_message_holds_nothing_that_the_server_refuses(
    messages: list[Message], family: ModelFamily
) -> None:
    for message in render(messages, family, family.tool_format, INSTRUCTIONS):
        assert message.keys() <= {"role", "content", "name"}
        assert None not in message.values()
        assert message["role"] != "tool" or (
            isinstance(message["content"], str) and "name" not in message
        )


def test_a_call_and_its_result_read_as_the_family_writes_them() -> None:
    messages = [
        Message("user", "Weather?"),
        Message("assistant", "", tool_calls=[ROME]),
        Message("tool", "sunny", tool_call_id="1"),
    ]
    written = '{"name": "weather", "parameters": {"city": "Rome"}}'
    assert shown(messages, LLAMA)[1:] == [("assistant", written), ("tool", "sunny")]
    written = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'
    response = '<tool_response>\n{"name": "weather", "content": "sunny"}\n</tool_response>'
    assert shown(messages, FAMILIES["hermes"])[1:] == [("assistant", written), ("tool", response)]
    assert shown(messages, FAMILIES["qwen"])[1:] == [("assistant", written), ("user", response)]
    written = '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Rome"}}]'
    result = 'Result of weather({"city": "Rome"}): sunny'
    assert shown(messages, FAMILIES["mistral"])[1:] == [("assistant", written), ("user", result)]


@pytest.mark.parametrize("order", [["1", "2"], ["2", "1"]])
def test_results_of_parallel_calls_name_their_calls_in_any_order(order: list[str]) -> None:
    results = [Message("tool", f"result {answered}", tool_call_id=answered) for answered in order]
    messages = [Message("assistant", "Both.", tool_calls=[ROME, OSLO]), *results]
    cities = dict(zip(["1", "2"], ["Rome", "Oslo"], strict=True))
    assert [text for _, text in shown(messages, LLAMA)][1:] == [
        f'Result of weather({{"city": "{cities[answered]}"}}): result {answered}'
        for answered in order
    ]


def test_a_result_that_is_not_next_to_its_only_call_names_it() -> None:
    messages = [
        Message("assistant", "", tool_calls=[ROME]),
        Message("user", "Well?"),
        Message("tool", "sunny", tool_call_id="1"),
    ]
    assert shown(messages, LLAMA)[-1] == ("tool", 'Result of weather({"city": "Rome"}): sunny')


def test_a_result_without_its_call_says_so() -> None:
    orphan = Message("tool", "sunny", tool_call_id="gone")
    assert shown([orphan], LLAMA) == [("tool", "Result of an earlier function call: sunny")]
    named = Message("tool", "sunny", "weather")
    assert shown([named], LLAMA) == [("tool", "Result of weather: sunny")]


def test_a_failed_call_is_written_as_an_error() -> None:
    messages = [
        Message("assistant", "", tool_calls=[ROME]),
        Message("tool", "no such city", tool_call_id="1", is_error=True),
    ]
    assert shown(messages, LLAMA)[1] == ("tool", "Error: no such city")
    assert '"error":"no such city"' in shown(messages, FAMILIES["hermes"])[1][1].replace(": ", ":")


def test_calls_follow_content_in_parts() -> None:
    parts = [{"type": "text", "text": "Let me look."}]
    message = Message("assistant", parts, tool_calls=[ROME])
    written = '{"name": "weather", "parameters": {"city": "Rome"}}'
    assert shown([message], LLAMA) == [("assistant", f"Let me look.\n{written}")]
    assert parts == [{"type": "text", "text": "Let me look."}]


SYSTEMS = [
    Message("system", "a"),
    Message("user", "b"),
    Message("system", "c"),
    Message("assistant", "d"),
    Message("system", "e"),
]


def test_system_messages_keep_their_places_where_the_template_takes_them() -> None:
    assert shown(SYSTEMS, LLAMA) == [(message.role, message.content) for message in SYSTEMS]


def test_system_messages_join_the_user_where_there_is_no_system_role() -> None:
    assert shown(SYSTEMS, GEMMA) == [("user", "a\n\nb\n\nc"), ("assistant", "d"), ("user", "e")]


def test_later_system_messages_join_the_user_where_turns_must_alternate() -> None:
    assert shown(SYSTEMS, LLAMA_2, "f") == [
        ("system", "a\n\nf"),
        ("user", "b\n\nc"),
        ("assistant", "d"),
        ("user", "e"),
    ]


def test_a_conversation_that_the_assistant_begins_gets_a_user_first() -> None:
    for family in (GEMMA, LLAMA_2, FAMILIES["mistral"]):
        [(first, said), second] = shown([Message("assistant", "Hello.")], family)
        assert (first, second) == ("user", ("assistant", "Hello."))
        assert said


def test_names_are_kept() -> None:
    rendered = render([Message("user", "Hi", "Ann"), Message("user", "Ho")], LLAMA, "llama")
    assert rendered == [
        {"role": "user", "content": "Hi", "name": "Ann"},
        {"role": "user", "content": "Ho"},
    ]


def picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def test_one_image_is_kept_through_every_fold() -> None:
    messages = [
        Message("system", "a"),
        Message("user", [{"type": "text", "text": "b"}, picture("c")]),
        Message("user", "d"),
    ]
    [message] = render(messages, GEMMA, "llama", "e")
    assert message["content"] == [
        {"type": "text", "text": "a\n\ne"},
        {"type": "text", "text": "b"},
        picture("c"),
        {"type": "text", "text": "d"},
    ]


def test_a_second_image_is_refused() -> None:
    messages = [Message("user", [picture("a")]), Message("user", [picture("b")])]
    with pytest.raises(InvalidRequestError, match="holds 2 images: the server takes one"):
        render(messages, LLAMA, "llama")


@pytest.mark.parametrize("family", ["llama-3.1", "hermes", "mistral"])
@pytest.mark.parametrize("role", ["tool", "assistant"])
def test_half_a_character_that_was_said_earlier_is_replaced(family: str, role: Any) -> None:
    turns = [Message("user", "Go"), Message(role, "half \ud83d, whole \ud83d\ude00")]
    written = render(turns, FAMILIES[family], FAMILIES[family].tool_format)[-1]
    assert "half \ufffd, whole \U0001f600" in written["content"]


SEARCH = ToolCall("3", "search", '{"query": "tide"}')


def results_of(calls: list[ToolCall], *results: Message) -> list[str]:
    """Return what the model reads as the results of calls."""
    conversation = [Message("user", "Go"), Message("assistant", "", tool_calls=calls), *results]
    return [text for _, text in shown(conversation, LLAMA)[2:]]


def without_ids(*calls: ToolCall) -> list[ToolCall]:
    return [ToolCall("", call.name, call.arguments) for call in calls]


def result(text: str, call_id: str | None = None, name: str | None = None) -> Message:
    return Message("tool", text, name, tool_call_id=call_id)


IN_ORDER = [
    'Result of weather({"city": "Rome"}): 22',
    'Result of weather({"city": "Oslo"}): 9',
]


@pytest.mark.parametrize("call_id", [None, "", "weather", "unknown"])
@pytest.mark.parametrize("name", [None, "weather"])
@pytest.mark.parametrize("has_ids", [True, False])
def test_results_without_ids_belong_to_the_calls_in_order(
    call_id: str | None, name: str | None, has_ids: bool
) -> None:
    calls = [ROME, OSLO] if has_ids else without_ids(ROME, OSLO)
    assert results_of(calls, result("22", call_id, name), result("9", call_id, name)) == IN_ORDER


def test_results_of_one_tool_hold_the_arguments_where_they_are_json() -> None:
    hermes = FAMILIES["hermes"]
    conversation = [
        Message("assistant", "", tool_calls=[ROME, OSLO, SEARCH]),
        *(result("9", "2"), result("22", "1"), result("low", "3")),
    ]
    written = [json.loads(text.split("\n")[1]) for _, text in shown(conversation, hermes)[1:]]
    assert written == [
        {"name": "weather", "arguments": {"city": "Oslo"}, "content": "9"},
        {"name": "weather", "arguments": {"city": "Rome"}, "content": "22"},
        {"name": "search", "content": "low"},
    ]


def test_ids_decide_whatever_the_order() -> None:
    assert results_of([ROME, OSLO], result("9", "2"), result("22", "1")) == IN_ORDER[::-1]


def test_a_result_without_an_id_is_not_given_the_call_that_a_later_result_names() -> None:
    assert results_of([ROME, OSLO], result("9"), result("22", "1")) == IN_ORDER[::-1]


def test_a_tool_s_name_tells_its_result_among_calls_of_several_tools() -> None:
    written = results_of([ROME, SEARCH], result("low", None, "search"), result("22", "weather"))
    assert written == ['Result of search({"query": "tide"}): low', IN_ORDER[0]]


def test_calls_that_share_an_id_are_answered_in_order() -> None:
    calls = [ToolCall("0", "weather", ROME.arguments), ToolCall("0", "weather", OSLO.arguments)]
    assert results_of(calls, result("22", "0"), result("9", "0")) == IN_ORDER


def test_a_result_of_another_tool_is_given_to_no_call() -> None:
    assert results_of([ROME, OSLO], result("low", None, "tide")) == ["Result of tide: low"]


def test_the_only_call_s_result_needs_no_id_to_stand_alone() -> None:
    assert results_of([ROME], result("22")) == ["22"]


def test_an_unknown_id_is_not_given_one_of_several_calls() -> None:
    lone = "Result of an earlier function call: 22"
    assert results_of([ROME, OSLO], result("22", "gone")) == [lone]
    assert results_of([ROME, OSLO], result("22", "gone"), result("9", "2")) == IN_ORDER


def test_calls_that_one_turn_spreads_over_messages_are_answered_in_order() -> None:
    conversation = [
        *(Message("assistant", "", tool_calls=[call]) for call in without_ids(ROME, OSLO)),
        *(result("22"), result("9")),
    ]
    assert [text for _, text in shown(conversation, LLAMA)[2:]] == IN_ORDER


def test_a_call_that_the_user_interrupted_takes_no_result() -> None:
    conversation = [
        *(Message("assistant", "", tool_calls=[ROME]), Message("user", "No, Oslo.")),
        *(Message("assistant", "", tool_calls=[OSLO]), result("9")),
    ]
    assert shown(conversation, LLAMA)[-1] == ("tool", "9")


def test_a_result_that_comes_late_still_names_its_call() -> None:
    conversation = [
        *(Message("assistant", "", tool_calls=[ROME]), Message("user", "And Oslo?")),
        *(Message("assistant", "", tool_calls=[OSLO]), result("9", "2"), result("22", "1")),
    ]
    assert [text for _, text in shown(conversation, LLAMA)[-2:]] == ["9", IN_ORDER[0]]


def test_the_ids_of_a_later_turn_may_repeat_those_of_an_earlier_one() -> None:
    turns = [
        turn
        for call, text in ((ROME, "22"), (OSLO, "9"))
        for turn in (
            Message("assistant", "", tool_calls=[ToolCall("0", call.name, call.arguments)]),
            Message("user", "Well?"),
            result(text, "0"),
        )
    ]
    written = [text for _, text in shown(turns, LLAMA)]
    assert [written[2], written[5]] == IN_ORDER


@pytest.mark.clock
def test_many_results_are_given_to_their_calls_in_linear_time() -> None:
    count = 4_000
    calls = [ToolCall("", "weather", f'{{"city": {at}}}') for at in range(count)]
    results = [result(str(at)) for at in range(count)]
    started = perf_counter()
    written = results_of(calls, *results)
    assert perf_counter() - started < 2
    assert written[-1] == f'Result of weather({{"city": {count - 1}}}): {count - 1}'
