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
    trim_messages,
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


def test_no_messages_are_refused(scripted: Scripted) -> None:
    llm, _ = scripted(answer())
    with pytest.raises(InvalidRequestError, match="at least one"):
        llm.invoke([])


def test_arguments_of_any_value_are_sent(scripted: Scripted) -> None:
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
        {"role": "tool", "content": "Result of old: 3"},
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


def sent_content(server: Any, place: int) -> Any:
    return json.loads(server.received[-1].body)["messages"][place]["content"]


PDF = {"type": "file", "base64": PNG, "mime_type": "application/pdf", "filename": "plan.pdf"}
HISTORY_BLOCKS: list[tuple[str, dict[str, Any], str]] = [
    (
        "image_url",
        {"type": "image_url", "image_url": {"url": DATA}},
        "[image not shown]",
    ),
    ("v1 image", {"type": "image", "base64": PNG, "mime_type": "image/png"}, "[image not shown]"),
    ("address", {"type": "image", "url": ADDRESS}, "[image not shown]"),
    ("MCP image", {"type": "image", "data": PNG, "mimeType": "image/png"}, "[image not shown]"),
    ("file_id", {"type": "image", "file_id": "f-1"}, "[image not shown]"),
    ("PDF", PDF, "[file not shown: plan.pdf]"),
    (
        "OpenAI file",
        {"type": "file", "file": {"file_data": PNG, "filename": "a.pdf"}},
        "[file not shown: a.pdf]",
    ),
    (
        "Anthropic PDF",
        {"type": "document", "source": {"type": "base64", "data": PNG}},
        "[file not shown]",
    ),
    ("audio", {"type": "audio", "base64": PNG, "mime_type": "audio/wav"}, "[audio not shown]"),
    (
        "input_audio",
        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
        "[audio not shown]",
    ),
    (
        "video",
        {"type": "video", "url": "https://example.com/a.mp4"},
        "[video not shown]",
    ),
    ("media", {"type": "media", "mime_type": "audio/mp3", "data": PNG}, "[audio not shown]"),
    (
        "link",
        {"type": "resource_link", "uri": "memo:///a.txt", "name": "a.txt"},
        "[file not shown: a.txt]",
    ),
    ("Bedrock image", {"image": {"format": "png", "source": {"bytes": b"1"}}}, "[image not shown]"),
]
by_name = pytest.mark.parametrize(
    "block, note", [row[1:] for row in HISTORY_BLOCKS], ids=[row[0] for row in HISTORY_BLOCKS]
)


@by_name
def test_what_a_tool_returned_beside_text_becomes_a_note(
    scripted: Scripted, block: dict[str, Any], note: str
) -> None:
    llm, server = scripted(answer())
    result = ToolMessage(["Here:", block], tool_call_id="c1")
    call = AIMessage("", tool_calls=[{"id": "c1", "name": "look", "args": {}}])
    llm.invoke([HumanMessage("Look."), call, result])
    written = sent_content(server, 2)
    assert written.startswith(f"Here:\n{note}")
    assert PNG not in written
    assert llm.get_num_tokens_from_messages([HumanMessage("Look."), call, result]) < 100


@by_name
def test_what_the_assistant_made_beside_text_becomes_a_note(
    scripted: Scripted, block: dict[str, Any], note: str
) -> None:
    llm, server = scripted(answer())
    message = AIMessage(
        [{"type": "text", "text": "Here"}, block, {"type": "text", "text": "Fine?"}]
    )
    llm.invoke([HumanMessage("Draw."), message, HumanMessage("Yes.")])
    assert sent_content(server, 1) == f"Here{note}Fine?"


@pytest.mark.parametrize(
    "block, text",
    [
        ({"type": "text-plain", "text": "Plain.", "mime_type": "text/plain"}, "Plain."),
        ({"text": "Bedrock's."}, "Bedrock's."),
        ({"type": "output_text", "text": "OpenAI's.", "annotations": []}, "OpenAI's."),
        ({"type": "json", "json": {"a": [1, None]}}, '{"a":[1,null]}'),
        ({"json": {"a": 1}}, '{"a":1}'),
        ({"type": "non_standard", "value": {"type": "json", "json": {"a": 1}}}, '{"a":1}'),
        (
            {
                "type": "search_result",
                "title": "Oslo",
                "source": "https://example.com",
                "content": [{"type": "text", "text": "A city."}],
            },
            "Oslo\nhttps://example.com\nA city.",
        ),
        ({"type": "document", "source": {"type": "text", "data": "A page."}}, "A page."),
        ({"type": "document", "source": {"type": "content", "content": "A page."}}, "A page."),
        ({"type": "file", "base64": "SGk=", "mime_type": "text/plain"}, "Hi"),
        (
            {"type": "file", "source_type": "text", "url": "Old.", "mime_type": "text/plain"},
            "Old.",
        ),
        ({"type": "resource", "resource": {"uri": "a:b", "text": "MCP's."}}, "MCP's."),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [HumanMessage, ToolMessage, AIMessage])
def test_text_in_any_form_keeps_its_words(
    scripted: Scripted, kind: Any, block: dict[str, Any], text: str
) -> None:
    llm, server = scripted(answer())
    given = {"tool_call_id": "c1"} if kind is ToolMessage else {}
    llm.invoke([HumanMessage("Hi"), kind([block], **given)])
    assert text in sent_content(server, 1)


DROPPED: list[dict[str, Any]] = [
    {"type": "reasoning", "reasoning": "Hm."},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "id": "rs_1"},
    {"type": "thinking", "thinking": "Hm.", "signature": "x"},
    {"type": "redacted_thinking", "data": "x"},
    {"type": "reasoning_content", "reasoning_content": {"text": "Hm.", "signature": "x"}},
    {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
    {"type": "refusal", "refusal": "No."},
    {"type": "compaction", "content": "Earlier...", "id": "cmp_1"},
    {"type": "server_tool_call", "id": "s1", "name": "web_search", "args": {"query": "Oslo"}},
    {"type": "server_tool_call_chunk", "id": "s1", "name": "web_search", "args": "{"},
    {"type": "server_tool_result", "tool_call_id": "s1", "status": "success", "output": []},
    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "Oslo"}},
    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
    {"type": "bash_code_execution_tool_result", "tool_use_id": "s1", "content": {}},
    {"type": "mcp_tool_use", "id": "m1", "name": "look", "server_name": "x", "input": {}},
    {"type": "mcp_tool_result", "tool_use_id": "m1", "content": []},
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    {"type": "file_search_call", "id": "fs_1", "queries": []},
    {"type": "code_interpreter_call", "id": "ci_1", "code": "1"},
    {"type": "image_generation_call", "id": "ig_1", "result": PNG},
    {"type": "mcp_list_tools", "id": "ml_1", "tools": []},
    {"type": "executable_code", "executable_code": "1", "language": 1},
    {"type": "code_execution_result", "code_execution_result": "1", "outcome": 1},
    {"type": "non_standard", "value": {"type": "compaction", "content": "Earlier..."}},
    {"cachePoint": {"type": "default"}},
]


@pytest.mark.parametrize("block", DROPPED, ids=lambda block: str(block.get("type", block)))
@pytest.mark.parametrize(
    "provider", ["openai", "anthropic", "google_genai", "bedrock_converse", None]
)
def test_what_concerns_another_provider_is_dropped_from_the_history(
    scripted: Scripted, block: dict[str, Any], provider: str | None
) -> None:
    llm, server = scripted(answer())
    metadata = {"model_provider": provider} if provider else {}
    said = AIMessage([block, {"type": "text", "text": "Oslo."}], response_metadata=metadata)
    llm.invoke([HumanMessage("Hi"), said, HumanMessage("And?")])
    assert sent_content(server, 1) == "Oslo."


CALLS: list[AIMessage] = [
    AIMessage("", tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1}}]),
    AIMessage([{"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}]),
    AIMessage([{"type": "tool_use", "id": "c1", "name": "add", "input": '{"a":1}'}]),
    AIMessage([{"type": "tool_use", "toolUseId": "c1", "name": "add", "input": {"a": 1}}]),
    AIMessage([{"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}}]),
    AIMessage([{"functionCall": {"name": "add", "args": {"a": 1}}}]),
    AIMessage([{"function_call": {"name": "add", "args": {"a": 1}}}]),
    AIMessage([{"type": "function_call", "name": "add", "args": {"a": 1}}]),
    AIMessage([{"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a":1}'}]),
    AIMessage([{"type": "tool_call", "id": "c1", "name": "add", "args": {"a": 1}}]),
    AIMessage("", additional_kwargs={"function_call": {"name": "add", "arguments": '{"a":1}'}}),
    AIMessage(
        "",
        additional_kwargs={
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"a":1}'},
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(
    "call", CALLS, ids=lambda call: str(call.content or call.additional_kwargs)
)
def test_a_call_keeps_its_arguments_whoever_wrote_it(scripted: Scripted, call: AIMessage) -> None:
    llm, server = scripted(answer())
    before = copy.deepcopy(call)
    llm.invoke([HumanMessage("Add."), call, ToolMessage("2", tool_call_id="c1")])
    assert call == before
    assert sent_content(server, 1) == '{"name": "add", "parameters": {"a":1}}'


def test_results_of_tools_in_a_users_message_are_the_tools(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    results = [
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "2"}]},
        {"type": "text", "text": "Go on."},
    ]
    llm.invoke([HumanMessage("Add."), CALLS[1], HumanMessage(results)])
    sent = json.loads(server.received[0].body)["messages"][2:]
    assert sent == [{"role": "tool", "content": "2"}, {"role": "user", "content": "Go on."}]


@pytest.mark.parametrize(
    "block, said",
    [
        ({"type": "image", "file_id": "f"}, "pass the image's URL or its base64 data"),
        ({"type": "input_image", "file_id": "f"}, "pass the image's URL or its base64 data"),
        ({"type": "audio", "base64": PNG, "mime_type": "audio/wav"}, "Send its transcript"),
        (PDF, "Extract its text"),
        ({"type": "video", "url": ADDRESS}, "a frame as an image"),
        ({"type": "something_new"}, "the server takes text, and images"),
    ],
    ids=str,
)
def test_what_a_user_sends_and_the_server_cannot_take_is_refused_with_advice(
    scripted: Scripted, block: Any, said: str
) -> None:
    llm, server = scripted(answer())
    with pytest.raises(InvalidRequestError, match=said):
        llm.invoke([HumanMessage([block])])
    assert server.received == []


def test_a_conversation_with_screenshots_can_be_trimmed(scripted: Scripted) -> None:
    llm, _ = scripted(answer())
    call = AIMessage("", tool_calls=[{"id": "c1", "name": "look", "args": {}}])
    screenshot = ToolMessage([HISTORY_BLOCKS[3][1]], tool_call_id="c1")
    messages: list[BaseMessage] = [
        HumanMessage("word " * 500),
        HumanMessage("Look."),
        call,
        screenshot,
    ]
    kept = trim_messages(messages, max_tokens=200, token_counter=llm, start_on="human")
    assert kept == messages[1:]
