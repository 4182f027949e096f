"""What a conversation of LangChain's becomes on the wire, and what is refused by its name."""

from __future__ import annotations

import copy
import json
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
from tests.langchain.conftest import Scripted

PNG = "iVBORw0KGgo="
ADDRESS = "https://example.com/cat.png"
DATA = f"data:image/png;base64,{PNG}"
IMAGES: list[tuple[Any, str]] = [
    ({"type": "image_url", "image_url": {"url": ADDRESS}}, ADDRESS),
    ({"type": "image_url", "image_url": {"url": ADDRESS, "detail": "low"}}, ADDRESS),
    ({"type": "image_url", "image_url": ADDRESS}, ADDRESS),
    ({"type": "image_url", "image_url": {"url": DATA}}, DATA),
    ({"type": "image", "url": ADDRESS}, ADDRESS),
    ({"type": "image", "base64": PNG, "mime_type": "image/png"}, DATA),
    ({"type": "image", "source_type": "url", "url": ADDRESS}, ADDRESS),
    (
        {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"},
        DATA,
    ),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        DATA,
    ),
    ({"type": "image", "source": {"type": "url", "url": ADDRESS}}, ADDRESS),
]


@pytest.mark.parametrize("block, url", IMAGES, ids=str)
def test_an_image_is_passed_on_in_every_shape(scripted: Scripted, block: Any, url: str) -> None:
    llm, server = scripted(answer())
    message = HumanMessage([{"type": "text", "text": "What is it?"}, block])
    before = copy.deepcopy(message)
    llm.invoke([message])
    assert message == before
    assert json.loads(server.received[0].body)["messages"][0]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]


def test_two_images_are_refused(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    with pytest.raises(InvalidRequestError, match="2 images"):
        llm.invoke([HumanMessage([IMAGES[0][0]]), HumanMessage([IMAGES[1][0]])])
    assert server.received == []


@pytest.mark.parametrize(
    "message, named",
    [
        (HumanMessage([{"type": "audio", "base64": PNG, "mime_type": "audio/wav"}]), "'audio'"),
        (HumanMessage([{"type": "input_audio", "input_audio": {"data": PNG}}]), "'input_audio'"),
        (HumanMessage([{"type": "file", "base64": PNG}]), "'file'"),
        (HumanMessage([{"type": "file", "file": {"file_id": "f"}}]), "'file'"),
        (HumanMessage([{"type": "video", "url": ADDRESS}]), "'video'"),
        (HumanMessage([{"type": "document", "source": {}}]), "'document'"),
        (HumanMessage([{"type": "something_new"}]), "'something_new'"),
        (HumanMessage([{"type": "image", "file_id": "f"}]), "'image'"),
        (SystemMessage([IMAGES[0][0]]), "'image_url' of a system message"),
        (RemoveMessage(id="1"), "RemoveMessage"),
        (ChatMessage(content="Hi", role="narrator"), "'narrator'"),
    ],
    ids=str,
)
def test_what_cannot_be_sent_is_refused_by_its_name(
    scripted: Scripted, message: BaseMessage, named: str
) -> None:
    llm, server = scripted(answer())
    with pytest.raises(InvalidRequestError, match=named):
        llm.invoke([HumanMessage("Hi"), message])
    assert server.received == []


def test_a_screenshot_in_the_history_does_not_end_a_conversation(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    llm.invoke(
        [
            HumanMessage("Look at the page."),
            AIMessage("", tool_calls=[{"name": "screenshot", "args": {}, "id": "c1"}]),
            ToolMessage([{"type": "text", "text": "Done."}, IMAGES[0][0]], tool_call_id="c1"),
            AIMessage([{"type": "text", "text": "Here it is: "}, IMAGES[0][0]]),
        ]
    )
    contents = [message["content"] for message in json.loads(server.received[0].body)["messages"]]
    assert contents[2:] == ["Done.\n[image not shown]", "Here it is: [image not shown]"]


@pytest.mark.parametrize(
    "message",
    [
        AIMessage([{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}]),
        AIMessage([{"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}}]),
        AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": '{"a":1}'}}),
        AIMessage(
            [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}],
            tool_calls=[{"name": "f", "args": {"a": 1}, "id": "c1"}],
        ),
    ],
    ids=["anthropic", "bedrock", "legacy", "both"],
)
def test_calls_of_other_providers_keep_their_arguments(
    scripted: Scripted, message: AIMessage
) -> None:
    llm, server = scripted(answer())
    llm.invoke([HumanMessage("Go"), message, ToolMessage("2", tool_call_id="c1")])
    written = json.loads(server.received[0].body)["messages"][1]["content"]
    assert written == '{"name": "f", "parameters": {"a":1}}'


def test_no_messages_are_refused(scripted: Scripted) -> None:
    llm, _ = scripted(answer())
    with pytest.raises(InvalidRequestError, match="at least one"):
        llm.invoke([])


def test_arguments_of_any_value_are_told(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    args = {"wei": 2**80, "price": Decimal("1.5")}
    call = AIMessage("", tool_calls=[{"id": "c1", "name": "pay", "args": args}])
    llm.invoke([HumanMessage("Pay."), call])
    told = json.loads(server.received[0].body)["messages"][1]["content"]
    assert told == '{"name": "pay", "parameters": {"wei":1208925819614629174706176,"price":"1.5"}}'


CONVERSATION: list[BaseMessage] = [
    SystemMessage([{"type": "text", "text": "Be brief."}], name="boss"),
    ChatMessage(content="Really.", role="developer"),
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
        tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1}}],
        additional_kwargs={"reasoning_content": "hm"},
    ),
    ToolMessage(
        [{"type": "text", "text": "2"}, {"type": "json", "json": {"b": 1}}], tool_call_id="c1"
    ),
    FunctionMessage(content="3", name="old"),
    HumanMessage("And?"),
]


def test_a_conversation_becomes_roles_and_texts(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    before = copy.deepcopy(CONVERSATION)
    llm.invoke(CONVERSATION)
    assert before == CONVERSATION
    sent = json.loads(server.received[0].body)["messages"]
    assert sent == [
        {"role": "system", "content": "Be brief.", "name": "boss"},
        {"role": "system", "content": "Really."},
        {"role": "user", "content": "One \ntwo", "name": "Ann"},
        {
            "role": "assistant",
            "content": 'Let me see.\n{"name": "add", "parameters": {"a":1}}',
        },
        {"role": "tool", "content": '2\n{"b":1}'},
        {"role": "tool", "content": "Result of old({}): 3"},
        {"role": "user", "content": "And?"},
    ]


def test_a_call_that_was_invalid_is_sent_back_as_it_was_written(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    call = {"id": "c1", "name": "add", "args": '{"a": ', "error": None}
    llm.invoke([HumanMessage("Hi"), AIMessage("", invalid_tool_calls=[call])])
    sent = json.loads(server.received[0].body)["messages"][1]["content"]
    assert sent == '{"name": "add", "parameters": {"a": }'


@pytest.mark.parametrize(
    "asked",
    ["Hi", [("human", "Hi")], [{"role": "user", "content": "Hi"}], [HumanMessage("Hi")]],
    ids=str,
)
def test_every_kind_of_input_is_taken(scripted: Scripted, asked: Any) -> None:
    llm, server = scripted(answer())
    llm.invoke(asked)
    assert json.loads(server.received[0].body)["messages"] == [{"role": "user", "content": "Hi"}]
