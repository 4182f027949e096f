"""What a conversation of LangChain's becomes on the wire, and what is refused by its name.

What becomes of each provider's blocks is decided in the core, and tests/core/request/ has them all.
"""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_monster.errors import InvalidRequestError
from tests.core.scripted_server import answer
from tests.langchain.answering import sent
from tests.langchain.conftest import Scripted

PNG = "iVBORw0KGgo="
ADDRESS = "https://example.com/cat.png"
DATA = f"data:image/png;base64,{PNG}"
IMAGES: list[tuple[dict[str, Any], str]] = [
    ({"type": "image_url", "image_url": {"url": ADDRESS, "detail": "low"}}, ADDRESS),
    ({"type": "image", "url": ADDRESS}, ADDRESS),
    ({"type": "image", "base64": PNG, "mime_type": "image/png"}, DATA),
]


def test_an_image_is_passed_on_in_every_shape(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    for block, url in IMAGES:
        message = HumanMessage([{"type": "text", "text": "What is it?"}, block])
        before = copy.deepcopy(message)
        llm.invoke([message])
        assert message == before
        assert sent(server, -1)["messages"][0]["content"] == [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": url}},
        ]


@pytest.mark.parametrize(
    "messages, named",
    [
        ([HumanMessage([{"type": "video", "url": ADDRESS}])], "'video'.*a frame as an image"),
        ([HumanMessage([{"type": "image", "file_id": "f"}])], "pass the image's URL or its base64"),
        ([SystemMessage([IMAGES[0][0]])], "'image_url' of a system message"),
        ([RemoveMessage(id="1")], "A RemoveMessage cannot be sent"),
        ([ChatMessage(content="Hi", role="narrator")], "'narrator' is not one the server knows"),
        ([HumanMessage([IMAGES[0][0]]), HumanMessage([IMAGES[1][0]])], "2 images"),
        ([], "at least one"),
    ],
    ids=str,
)
def test_what_cannot_be_sent_is_refused_by_its_name(
    scripted: Scripted, messages: list[BaseMessage], named: str
) -> None:
    llm, server = scripted(answer())
    with pytest.raises(InvalidRequestError, match=named):
        llm.invoke(messages)
    assert server.received == []


CONVERSATION: list[BaseMessage] = [
    SystemMessage([{"type": "text", "text": "Be brief."}], name="boss"),
    ChatMessage(content="Really.", role="Developer"),
    HumanMessage(
        ["One ", {"type": "text", "text": "two", "cache_control": {"type": "x"}}], name="Ann"
    ),
    AIMessage(
        [
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "Let me"},
            " see.",
            {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}},
        ],
        name="Bob",
        tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1}}],
        additional_kwargs={"reasoning_content": "hm"},
    ),
    ToolMessage(
        [{"type": "text", "text": "2"}, {"type": "json", "json": {"b": 1}}], tool_call_id="c1"
    ),
    FunctionMessage(content="3", name="old"),
    ChatMessage(content="Well.", role="ai"),
    HumanMessage([]),
    HumanMessage("And?"),
]


def test_a_conversation_becomes_roles_and_texts(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    before = copy.deepcopy(CONVERSATION)
    llm.invoke(CONVERSATION)
    assert before == CONVERSATION
    assert sent(server)["messages"] == [
        {"role": "system", "content": "Be brief.", "name": "boss"},
        {"role": "system", "content": "Really."},
        {"role": "user", "content": "One \ntwo", "name": "Ann"},
        {
            "role": "assistant",
            "content": 'Let me see.\n{"name": "add", "parameters": {"a":1}}',
            "name": "Bob",
        },
        {"role": "tool", "content": '2\n{"b":1}'},
        {"role": "tool", "content": "Result of old: 3"},
        {"role": "assistant", "content": "Well."},
        {"role": "user", "content": ""},
        {"role": "user", "content": "And?"},
    ]


def test_arguments_of_any_value_and_calls_that_were_not_valid_are_sent(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    args = {"wei": 2**80, "price": Decimal("1.5")}
    valid = AIMessage("", tool_calls=[{"id": "c1", "name": "pay", "args": args}])
    as_written = {"id": "c1", "name": "add", "args": '{"a": ', "error": None}
    invalid = AIMessage("", invalid_tool_calls=[as_written])
    llm.invoke([HumanMessage("Pay."), valid, HumanMessage("Add."), invalid])
    assert [message["content"] for message in sent(server)["messages"][1::2]] == [
        '{"name": "pay", "parameters": {"wei":1208925819614629174706176,"price":"1.5"}}',
        '{"name": "add", "parameters": {"a": }',
    ]


BLOCKS: list[tuple[dict[str, Any], str]] = [
    ({"type": "image", "base64": PNG, "mime_type": "image/png"}, "[image not shown]"),
    (
        {"type": "file", "base64": PNG, "mime_type": "application/pdf", "filename": "plan.pdf"},
        "[file not shown: plan.pdf]",
    ),
    ({"image": {"format": "png", "source": {"bytes": b"1"}}}, "[image not shown]"),
    ({"type": "text-plain", "text": "Plain.", "mime_type": "text/plain"}, "Plain."),
    ({"text": "Bedrock's."}, "Bedrock's."),
]


def test_blocks_of_a_tool_and_of_the_assistant_become_text(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    for block, text in BLOCKS:
        call = AIMessage(["Look", block], tool_calls=[{"id": "c1", "name": "look", "args": {}}])
        result = ToolMessage(["Here:", block], tool_call_id="c1")
        llm.invoke([HumanMessage("Look."), call, result])
        said, written = (message["content"] for message in sent(server, -1)["messages"][1:])
        assert said.startswith(f"Look{text}\n")
        assert written.startswith(f"Here:\n{text}")
        assert PNG not in written
    assert llm.get_num_tokens_from_messages([HumanMessage("Look."), call, result]) < 100


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google_genai", "bedrock_converse"])
def test_what_concerns_another_provider_is_dropped_from_the_history(
    scripted: Scripted, provider: str
) -> None:
    llm, server = scripted(answer())
    blocks: list[Any] = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "id": "rs_1"},
        {"type": "thinking", "thinking": "Hm.", "signature": "x"},
        {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "Oslo"}},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "executable_code", "executable_code": "1", "language": 1},
        {"type": "text", "text": "Oslo."},
    ]
    said = AIMessage(blocks, response_metadata={"model_provider": provider})
    llm.invoke([HumanMessage("Hi"), said, HumanMessage("And?")])
    assert sent(server)["messages"][1]["content"] == "Oslo."


ADD = {"name": "add", "arguments": '{"a":1}'}
CALLS: list[AIMessage] = [
    AIMessage("", tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1}}]),
    AIMessage([{"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}]),
    AIMessage([{"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}}]),
    AIMessage([{"functionCall": {"name": "add", "args": {"a": 1}}}]),
    AIMessage([{"function_call": {"name": "add", "args": {"a": 1}}}]),
    AIMessage([{"type": "function_call", "call_id": "c1", **ADD}]),
    AIMessage([{"type": "tool_call", "id": "c1", "name": "add", "args": {"a": 1}}]),
    AIMessage("", additional_kwargs={"function_call": ADD}),
    AIMessage("", additional_kwargs={"tool_calls": [{"id": "c1", "function": ADD}]}),
    AIMessage(
        [{"type": "function_call", "name": "add", "args": {"a": 1}}],
        tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1}}],
    ),
]


def test_a_call_keeps_its_arguments_whoever_wrote_it(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    for call in CALLS:
        before = copy.deepcopy(call)
        llm.invoke([HumanMessage("Add."), call, ToolMessage("2", tool_call_id="c1")])
        assert call == before
        written = sent(server, -1)["messages"][1]["content"]
        assert written == '{"name": "add", "parameters": {"a":1}}'


def test_a_call_of_another_id_is_sent_beside_the_first(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    second = {"type": "tool_use", "id": "c2", "name": "add", "input": {"a": 2}}
    calls = AIMessage([second], tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1}}])
    llm.invoke([HumanMessage("Add."), calls])
    assert sent(server)["messages"][1]["content"].count('"name": "add"') == 2


def test_results_of_tools_are_found_by_their_ids(scripted: Scripted) -> None:
    """In what order results without an id are given to calls is decided in the core."""
    llm, server = scripted(answer())
    calls = AIMessage(
        "",
        tool_calls=[
            {"name": "weather", "args": {"city": city}, "id": place}
            for city, place in (("Rome", "a"), ("Oslo", "b"))
        ],
    )
    rome, oslo = 'Result of weather({"city":"Rome"}): ', 'Result of weather({"city":"Oslo"}): '
    results = [
        ToolMessage("9", tool_call_id="b", status="error"),
        ToolMessage("22", tool_call_id="a"),
    ]
    llm.invoke([HumanMessage("Both?"), calls, *results])
    anthropic = [
        {"type": "tool_result", "tool_use_id": "b", "content": "9", "is_error": True},
        {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "22"}]},
        {"type": "text", "text": "Go on."},
    ]
    llm.invoke([HumanMessage("Both?"), calls, HumanMessage(anthropic, name="Ann")])
    bedrock = [
        {"toolResult": {"toolUseId": "b", "content": [{"text": "9"}], "status": "error"}},
        {"toolResult": {"toolUseId": "a", "content": [{"text": "22"}]}},
    ]
    llm.invoke([HumanMessage("Both?"), calls, HumanMessage(bedrock)])
    told = [
        {"role": "tool", "content": f"{oslo}Error: 9"},
        {"role": "tool", "content": f"{rome}22"},
    ]
    further = {"role": "user", "content": "Go on.", "name": "Ann"}
    found = [sent(server, number)["messages"][2:] for number in range(3)]
    assert found == [told, [*told, further], told]
