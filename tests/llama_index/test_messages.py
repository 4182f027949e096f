from __future__ import annotations

import base64
from io import BytesIO

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
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from llama_index_monster._messages import to_core_messages
from monster_core.errors import InvalidRequestError
from monster_core.response.types import ToolCall

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
CACHE_POINT = CachePoint(cache_control=CacheControl(type="ephemeral"))
CITATION = CitationBlock(
    cited_content="cited", source="s", title="t", additional_location_info={"page": 1}
)


def sent(*blocks, role="user", **kwargs):
    [message] = to_core_messages([ChatMessage(role=role, blocks=list(blocks), **kwargs)])
    return message


@pytest.mark.parametrize(
    "role, expected",
    [
        ("system", "system"),
        ("developer", "system"),
        ("user", "user"),
        ("assistant", "assistant"),
        ("chatbot", "assistant"),
        ("model", "assistant"),
        ("tool", "tool"),
        ("function", "tool"),
    ],
)
def test_every_role_has_its_place(role, expected):
    message = sent(TextBlock(text="hi"), role=role)
    assert (message.role, message.content) == (expected, "hi")


def test_every_role_of_llama_index_is_known():
    assert [
        m.content for m in to_core_messages([ChatMessage("x", role=role) for role in MessageRole])
    ]


def test_text_blocks_are_joined_by_line_breaks():
    assert sent(TextBlock(text="a"), TextBlock(text=""), TextBlock(text="b")).content == "a\n\nb"


def test_a_message_without_blocks_is_an_empty_text():
    assert sent().content == ""
    assert sent(CACHE_POINT).content == ""


@pytest.mark.parametrize("block", [ThinkingBlock(content="hm"), CACHE_POINT, CITATION])
def test_blocks_that_are_no_content_are_left_out(block):
    assert sent(TextBlock(text="a"), block, role="assistant").content == "a"
    assert sent(block, TextBlock(text="a")).content == "a"


def test_citable_blocks_are_sent_with_their_title_and_source():
    citable = CitableBlock(
        title="t",
        source="s",
        content=[TextBlock(text="a"), DocumentBlock(data=b"b.", document_mimetype="text/plain")],
    )
    assert sent(citable, TextBlock(text="c")).content == "t\ns\na\nb.\nc"


@pytest.mark.parametrize(
    "image, url",
    [
        (ImageBlock(url="https://example.org/a.png"), "https://example.org/a.png"),
        (ImageBlock(url=PNG_URL), PNG_URL),
        (ImageBlock(image=PNG), PNG_URL),
        (ImageBlock(image=base64.b64encode(PNG)), PNG_URL),
        (ImageBlock(image=BytesIO(PNG)), PNG_URL),
    ],
    ids=["url", "data-url", "bytes", "base64", "file"],
)
def test_images_are_sent_by_their_address_or_inline(image, url):
    assert sent(TextBlock(text="What?"), image).content == [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]


def test_an_image_file_is_sent_inline(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    assert sent(ImageBlock(path=path)).content == [
        {"type": "image_url", "image_url": {"url": PNG_URL}}
    ]


@pytest.mark.parametrize(
    "document, text",
    [
        (DocumentBlock(data=b"Some text.", document_mimetype="text/plain"), "Some text."),
        (DocumentBlock(data=b'{"a": 1}', document_mimetype="application/json"), '{"a": 1}'),
        (DocumentBlock(data="Grüße!".encode()), "Grüße!"),
        (DocumentBlock(url="data:text/plain;base64,SGku", document_mimetype="text/plain"), "Hi."),
    ],
)
def test_documents_of_text_are_sent_as_text(document, text):
    assert sent(document).content == text


@pytest.mark.parametrize(
    "block",
    [
        DocumentBlock(data=b"%PDF-1.7 text", document_mimetype="application/pdf"),
        DocumentBlock(data=b"\xff\xfe\x00"),
        DocumentBlock(url="https://example.org/a.txt"),
        AudioBlock(url="https://example.org/a.mp3"),
        VideoBlock(url="https://example.org/a.mp4"),
        ImageBlock(image=b""),
    ],
    ids=["pdf", "bytes", "document-url", "audio", "video", "empty-image"],
)
def test_what_the_server_cannot_take_is_refused_by_its_block_s_name(block):
    named = f"{type(block).__name__}|'{block.block_type}'"
    with pytest.raises(InvalidRequestError, match=named) as raised:
        sent(block)
    assert isinstance(raised.value, ValueError)


def test_an_image_of_the_system_is_refused():
    with pytest.raises(InvalidRequestError, match="'image' of a system message"):
        sent(ImageBlock(url=PNG_URL), role="system")


@pytest.mark.parametrize("role", ["assistant", "tool"])
@pytest.mark.parametrize(
    "block, note",
    [
        (ImageBlock(url=PNG_URL), "[image not shown]"),
        (AudioBlock(url="https://example.org/a.mp3"), "[audio not shown]"),
        (VideoBlock(url="https://example.org/a.mp4"), "[video not shown]"),
        (
            DocumentBlock(data=b"%PDF", document_mimetype="application/pdf", title="report.pdf"),
            "[file not shown: report.pdf]",
        ),
        (DocumentBlock(data=b"%PDF", document_mimetype="application/pdf"), "[file not shown]"),
        (DocumentBlock(url="https://example.org/b/a.pdf"), "[file not shown: a.pdf]"),
        (DocumentBlock(data=b"Some text.", document_mimetype="text/plain"), "Some text."),
    ],
    ids=["image", "audio", "video", "pdf", "nameless-pdf", "url", "text"],
)
def test_media_of_a_tool_or_the_assistant_become_a_note(block, note, role):
    assert sent(block, role=role).content == note


@pytest.mark.parametrize(
    "call",
    [
        {"id": "1", "type": "tool_use", "name": "f", "input": {"a": 1}},
        {"toolUseId": "1", "name": "f", "input": {"a": 1}},
        {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}},
    ],
    ids=["anthropic", "bedrock", "gemini"],
)
def test_calls_of_other_providers_keep_their_arguments(call):
    message = sent(role="assistant", additional_kwargs={"tool_calls": [call]})
    assert message.tool_calls == [ToolCall("1", "f", '{"a":1}')]


def test_tool_call_blocks_become_calls():
    message = sent(
        TextBlock(text="Let me see."),
        ToolCallBlock(tool_call_id="1", tool_name="f", tool_kwargs={"a": "ü"}),
        ToolCallBlock(tool_name="g", tool_kwargs='{"b": '),
        role="assistant",
        additional_kwargs={"tool_calls": [{"id": "1", "function": {"name": "f"}}]},
    )
    assert message.content == "Let me see."
    assert message.tool_calls == [ToolCall("1", "f", '{"a":"ü"}'), ToolCall("", "g", '{"b": ')]


def test_calls_of_additional_kwargs_stand_in_for_missing_blocks():
    calls = [
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": None, "function": {"name": "g", "arguments": {"b": 2}}},
    ]
    message = sent(role="assistant", additional_kwargs={"tool_calls": calls})
    assert message.tool_calls == [ToolCall("1", "f", '{"a": 1}'), ToolCall("", "g", '{"b":2}')]


def test_only_a_tool_s_message_carries_the_id_of_a_call():
    extra = {"tool_call_id": "1", "session_id": "s", "name": "n"}
    result = sent(TextBlock(text="4"), role="tool", additional_kwargs=extra)
    assert (result.tool_call_id, result.name) == ("1", "n")
    message = sent(TextBlock(text="4"), role="assistant", additional_kwargs=extra)
    assert (message.tool_call_id, message.name, message.tool_calls) == (None, None, [])


def test_the_messages_are_not_changed():
    messages = [
        ChatMessage(blocks=[TextBlock(text="a"), ImageBlock(image=PNG)]),
        ChatMessage(
            role="assistant",
            blocks=[ToolCallBlock(tool_name="f", tool_kwargs={"a": [1]})],
            additional_kwargs={"tool_call_id": "1"},
        ),
    ]
    before = [message.model_dump_json() for message in messages]
    to_core_messages(messages)
    assert [message.model_dump_json() for message in messages] == before


def test_what_is_not_a_message_is_refused():
    with pytest.raises(InvalidRequestError, match="ChatMessage"):
        to_core_messages(["hello"])
