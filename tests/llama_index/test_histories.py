"""Conversations that tools, other providers and stored threads leave behind can go on."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from tests.llama_index.songs import HEY_JUDE, sent_by, song_llm
from tests.llama_index.toolbox import MULTIPLY, Song, Turn, answered, scripted_turns, streamed

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BLOCKS = {
    "image": ([TextBlock(text="the page"), ImageBlock(image=PNG)], ["the page", "image not shown"]),
    "image-url": ([ImageBlock(url="https://example.org/a.png")], ["image not shown"]),
    "audio": ([AudioBlock(audio=b"abcd", format="wav")], ["audio not shown"]),
    "video": ([VideoBlock(video=b"abcd")], ["video not shown"]),
    "pdf": (
        [DocumentBlock(data=b"%PDF", document_mimetype="application/pdf", title="a.pdf")],
        ["a.pdf"],
    ),
    "document-url": ([DocumentBlock(url="https://example.org/b.pdf")], ["b.pdf"]),
    "text-document": ([DocumentBlock(data=b"words", document_mimetype="text/plain")], ["words"]),
    "citable": (
        [
            CitableBlock(
                title="t",
                source="s",
                content=[TextBlock(text="cited"), DocumentBlock(data=b"%PDF\0")],
            )
        ],
        ["cited", "file not shown"],
    ),
    "citation": (
        [
            TextBlock(text="as I said"),
            CitationBlock(
                cited_content=TextBlock(text="c"),
                source="s",
                title="t",
                additional_location_info={},
            ),
        ],
        ["as I said"],
    ),
    "thinking": ([ThinkingBlock(content="hm"), TextBlock(text="so")], ["so"]),
    "cache-point": (
        [TextBlock(text="so"), CachePoint(cache_control=CacheControl(type="ephemeral"))],
        ["so"],
    ),
    "stray-call": ([TextBlock(text="so"), ToolCallBlock(tool_name="f")], ["so"]),
    "nothing": ([], []),
}
ASKED = ChatMessage("Look at the page.")
CALLED = ChatMessage(
    role="assistant", blocks=[ToolCallBlock(tool_call_id="1", tool_name="shot", tool_kwargs={})]
)

each_block = pytest.mark.parametrize("blocks, kept", BLOCKS.values(), ids=BLOCKS)


def results(*texts: str, **extra: Any) -> list[ChatMessage]:
    return [ChatMessage(text, role="tool", additional_kwargs=dict(extra)) for text in texts]


def bodies_of_every_chat(history: list[ChatMessage]) -> list[str]:
    """Send a conversation through each method that takes one, or through its async version."""
    llm, bodies = scripted_turns(*[Turn("Well.")] * 4)
    answered(False, llm, "chat", history)
    streamed(True, llm, "stream_chat", history)
    answered(True, llm, "chat_with_tools", [MULTIPLY], chat_history=history)
    streamed(False, llm, "stream_chat_with_tools", [MULTIPLY], chat_history=history)
    return [json.dumps(body["messages"]) for body in bodies]


@each_block
def test_a_tool_may_return_any_block(blocks, kept):
    result = ChatMessage(role="tool", blocks=blocks, additional_kwargs={"tool_call_id": "1"})
    sent = bodies_of_every_chat([ASKED, CALLED, result, ChatMessage("And?")])
    assert len(sent) == 4
    assert all(text in body for body in sent for text in ["Result of shot", *kept])


@each_block
def test_the_assistant_may_have_said_any_block(blocks, kept):
    said = ChatMessage(role="assistant", blocks=blocks)
    sent = bodies_of_every_chat([ASKED, said, ChatMessage("And?")])
    assert all(text in body for body in sent for text in kept)


@each_block
def test_a_thread_with_such_a_result_gives_an_object(blocks, kept):
    result = ChatMessage(role="tool", blocks=blocks, additional_kwargs={"tool_call_id": "1"})
    llm = song_llm()
    bodies = sent_by(llm)
    history = [ASKED, CALLED, result, ChatMessage("A song?")]
    structured = llm.as_structured_llm(Song)
    assert answered(True, structured, "chat", history).raw == HEY_JUDE
    assert all(text in json.dumps(bodies[0]["messages"]) for text in kept)


ROME = [
    ToolCallBlock(tool_call_id="a", tool_name="weather", tool_kwargs={"city": "Oslo"}),
    ToolCallBlock(tool_call_id="b", tool_name="weather", tool_kwargs={"city": "Rome"}),
]


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"tool_call_id": None},
        {"tool_call_id": ""},
        {"tool_call_id": "weather"},
        {"name": "weather"},
        {"tool_call_id": "unknown"},
    ],
    ids=["missing", "none", "empty", "name-as-id", "name", "unknown"],
)
def test_results_without_ids_belong_to_the_calls_in_order(extra):
    said = ChatMessage(role="assistant", blocks=ROME)
    history = [ChatMessage("Weather?"), said, *results("cold", "warm", **extra)]
    for body in bodies_of_every_chat(history):
        oslo, rome = body.index("cold"), body.index("warm")
        assert "Oslo" in body[oslo - 60 : oslo]
        assert "Rome" in body[rome - 60 : rome]


def test_results_without_ids_belong_to_calls_without_ids():
    blocks = [block.model_copy(update={"tool_call_id": None}) for block in ROME]
    said = ChatMessage(role="assistant", blocks=blocks)
    for body in bodies_of_every_chat([ASKED, said, *results("cold", "warm")]):
        assert "Rome" in body[body.index("warm") - 60 : body.index("warm")]
        assert "Oslo" in body[body.index("cold") - 60 : body.index("cold")]


CALLS_OF_OTHERS = {
    "openai": {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 7}'}},
    "ollama": {"function": {"name": "f", "arguments": {"a": 7}}},
    "anthropic": {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 7}},
    "bedrock": {"toolUseId": "1", "name": "f", "input": {"a": 7}},
    "bedrock-nested": {"toolUse": {"toolUseId": "1", "name": "f", "input": {"a": 7}}},
    "gemini": {"name": "f", "args": {"a": 7}},
    "gemini-nested": {"function_call": {"name": "f", "args": {"a": 7}}},
    "cohere": {"name": "f", "parameters": {"a": 7}},
    "responses": {"type": "function_call", "call_id": "1", "name": "f", "arguments": '{"a": 7}'},
}


@pytest.mark.parametrize("call", CALLS_OF_OTHERS.values(), ids=CALLS_OF_OTHERS)
def test_calls_of_other_providers_keep_their_arguments(call):
    said = ChatMessage("", role="assistant", additional_kwargs={"tool_calls": [call]})
    history = [ASKED, said, *results("done", tool_call_id="1")]
    for body in bodies_of_every_chat(history):
        called = body[: body.index("done")].replace("\\", "").replace(" ", "")
        assert called.count('{"a":7}') == 2  # in the call, and beside its result


def test_a_legacy_function_call_keeps_its_arguments():
    call = {"name": "f", "arguments": '{"a": 7}'}
    said = ChatMessage(role="assistant", additional_kwargs={"function_call": call})
    result = ChatMessage("done", role="function", additional_kwargs={"name": "f"})
    for body in bodies_of_every_chat([ASKED, said, result]):
        assert body.replace("\\", "").count('{"a": 7}') == 2


@pytest.mark.parametrize(
    "extra",
    [
        {"refusal": None, "audio": None, "function_call": None, "tool_calls": None},
        {"tool_calls": [], "annotations": [], "thinking": {"signature": "s"}},
        {"tool_calls": "none", "session_id": "s", "reference_audio_id": "r"},
        {"built_in_tool_calls": [{"type": "web_search_call", "id": "w"}]},
        {"tool_calls": [None, {}, {"id": "1", "function": {"name": None}}]},
    ],
)
def test_what_else_other_providers_left_is_not_sent(extra):
    said = ChatMessage("Hello.", role="assistant", additional_kwargs=extra)
    for body in bodies_of_every_chat([ChatMessage("Hi."), said, ChatMessage("And?")]):
        messages = [one for one in json.loads(body) if one["role"] != "system"]
        assert messages == [
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "And?"},
        ]


def test_a_call_that_was_not_run_stands_in_the_history_as_it_was_written():
    turn = Turn(calls=[("multiply", '{"a": 6, "b')])
    llm, _ = scripted_turns(turn, turn)
    whole = answered(True, llm, "chat_with_tools", [MULTIPLY], "6 times 7?")
    last = streamed(False, llm, "stream_chat_with_tools", [MULTIPLY], "6 times 7?")[-1]
    for response in (whole, last):
        stored = ChatMessage.model_validate_json(response.message.model_dump_json())
        history = [
            ChatMessage("6 times 7?"),
            stored,
            *results("It was cut.", tool_call_id="call_0"),
        ]
        for body in bodies_of_every_chat(history):
            assert '{"a": 6, "b' in body.replace("\\", "")
