"""Content blocks of any provider become what the server takes, or one sentence."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from monster_core.errors import InvalidRequestError
from monster_core.request.content_blocks import read_content, read_tool_call
from monster_core.request.messages import Role
from monster_core.response.types import ToolCall

ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")
NOTES = base64.b64encode(b"Buy milk.").decode()
PNG = "iVBORw0KGgo="


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "block",
    [
        "Buy milk.",
        {"type": "text", "text": "Buy milk."},
        {"text": "Buy milk."},
        {"type": "input_text", "text": "Buy milk."},
        {"type": "output_text", "text": "Buy milk.", "annotations": []},
        {"type": "text-plain", "text": "Buy milk.", "mime_type": "text/plain"},
        {"type": "text-plain", "base64": NOTES, "mime_type": "text/plain"},
        {"type": "file", "base64": NOTES, "mime_type": "text/markdown"},
        {"type": "file", "source_type": "text", "text": "Buy milk."},
        {"type": "document", "source": {"type": "text", "data": "Buy milk."}},
        {
            "type": "document",
            "source": {"type": "content", "content": [{"type": "text", "text": "Buy milk."}]},
        },
        {"document": {"format": "txt", "name": "notes", "source": {"text": "Buy milk."}}},
        {"type": "search_result", "content": [{"type": "text", "text": "Buy milk."}]},
        {"type": "resource", "resource": {"uri": "memo://notes", "text": "Buy milk."}},
        {"searchResult": {"content": [{"text": "Buy milk."}]}},
        {"guardContent": {"text": {"text": "Buy milk."}}},
        {"citationsContent": {"content": [{"text": "Buy milk."}], "citations": []}},
        {"type": "not known", "text": "Buy milk."},
    ],
    ids=str,
)
def test_text_in_any_form_is_text(block: Any, role: Role) -> None:
    assert read_content([block], role) == "Buy milk."


def test_a_search_result_keeps_where_it_was_found() -> None:
    block = {
        "type": "search_result",
        "title": "Notes",
        "source": "https://notes.example",
        "content": [{"type": "text", "text": "Buy milk."}, {"type": "text", "text": "And tea."}],
    }
    assert read_content([block], "tool") == "Notes\nhttps://notes.example\nBuy milk.\nAnd tea."


@pytest.mark.parametrize(
    "block",
    [
        {"type": "json", "json": {"a": 1}},
        {"json": {"a": 1}},
        {"functionResponse": {"name": "f", "response": {"a": 1}}},
    ],
)
def test_json_is_written_as_text(block: Any) -> None:
    assert read_content([block], "tool") == '{"a":1}'


@pytest.mark.parametrize(
    "block, url",
    [
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
            "https://a.example/b.png",
        ),
        ({"type": "image_url", "image_url": "https://a.example/b.png"}, "https://a.example/b.png"),
        (
            {"type": "input_image", "image_url": "https://a.example/b.png"},
            "https://a.example/b.png",
        ),
        ({"type": "image", "url": "https://a.example/b.png"}, "https://a.example/b.png"),
        (
            {"type": "image", "source_type": "url", "url": "https://a.example/b"},
            "https://a.example/b",
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b"}},
            "https://a.example/b",
        ),
        (
            {"type": "image", "base64": PNG, "mime_type": "image/gif"},
            f"data:image/gif;base64,{PNG}",
        ),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/jpeg", "data": PNG},
            },
            f"data:image/jpeg;base64,{PNG}",
        ),
        (
            {"image": {"format": "webp", "source": {"bytes": base64.b64decode(PNG)}}},
            f"data:image/webp;base64,{PNG}",
        ),
        ({"type": "media", "mime_type": "image/png", "data": PNG}, f"data:image/png;base64,{PNG}"),
        ({"inlineData": {"mimeType": "image/gif", "data": PNG}}, f"data:image/gif;base64,{PNG}"),
        ({"inline_data": {"mime_type": "image/gif", "data": PNG}}, f"data:image/gif;base64,{PNG}"),
    ],
    ids=str,
)
def test_an_image_of_the_user_is_sent(block: Any, url: str) -> None:
    assert read_content(["Look:", block], "user") == [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": url}},
    ]


MEDIA: list[tuple[Any, str]] = [
    ({"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}, "[image not shown]"),
    ({"type": "image", "base64": PNG, "mime_type": "image/png"}, "[image not shown]"),
    ({"type": "image", "data": PNG, "mimeType": "image/png"}, "[image not shown]"),
    ({"type": "image", "file_id": "file-1"}, "[image not shown]"),
    ({"type": "image", "url": "x", "name": "screen.png"}, "[image not shown: screen.png]"),
    ({"image": {"format": "png", "source": {"bytes": b"x"}}}, "[image not shown]"),
    ({"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}, "[audio not shown]"),
    (
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        "[audio not shown]",
    ),
    ({"type": "video", "url": "https://a.example/b.mp4"}, "[video not shown]"),
    (
        {
            "type": "file",
            "file": {"filename": "report.pdf", "file_data": "data:application/pdf;..."},
        },
        "[file not shown: report.pdf]",
    ),
    ({"type": "file", "base64": "AAAA", "mime_type": "application/pdf"}, "[file not shown]"),
    (
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"},
            "title": "Report",
        },
        "[file not shown: Report]",
    ),
    (
        {"document": {"format": "pdf", "name": "report", "source": {"bytes": b"x"}}},
        "[file not shown: report]",
    ),
    ({"type": "resource_link", "uri": "memo://report"}, "[file not shown: memo://report]"),
    ({"type": "media", "mime_type": "video/mp4", "data": "AAAA"}, "[video not shown]"),
    ({"type": "computer_screenshot", "image_url": f"data:;base64,{PNG}"}, "[image not shown]"),
    ({"type": "not known", "mime_type": "application/pdf", "data": "AAAA"}, "[file not shown]"),
    ({"inlineData": {"mimeType": "image/png", "data": PNG}}, "[image not shown]"),
    ({"fileData": {"mimeType": "application/pdf", "fileUri": "gs://a/b"}}, "[file not shown]"),
]


@pytest.mark.parametrize("role", ["tool", "assistant"])
@pytest.mark.parametrize("block, note", MEDIA, ids=str)
def test_media_of_a_tool_or_the_assistant_become_a_note(block: Any, note: str, role: Role) -> None:
    assert read_content([{"type": "text", "text": ""}, block], role).strip() == note  # type: ignore[union-attr]


@pytest.mark.parametrize("block", [block for block, note in MEDIA if "[image" not in note], ids=str)
def test_media_that_the_user_sends_are_refused(block: Any) -> None:
    with pytest.raises(InvalidRequestError, match="of a user message cannot be sent"):
        read_content([block], "user")


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "file_id": "file-1"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "image", "source": {"type": "file", "file_id": "file-1"}},
    ],
    ids=str,
)
def test_an_image_that_only_its_provider_has_says_what_to_pass(block: Any) -> None:
    with pytest.raises(InvalidRequestError, match="neither a URL nor data"):
        read_content([block], "user")


@pytest.mark.parametrize(
    "kind",
    [
        *("tool_use", "tool_call", "function_call", "server_tool_use", "web_search_tool_result"),
        *("reasoning", "thinking", "redacted_thinking", "reasoning_content", "compaction"),
        *("web_search_call", "code_interpreter_call", "mcp_call", "image_generation_call"),
        *("executable_code", "code_execution_result", "server_tool_result", "non_standard"),
        *("mcp_tool_use", "mcp_tool_result", "mcp_approval_request", "computer_call"),
    ],
)
def test_what_only_another_provider_understands_is_left_out(kind: str) -> None:
    block = {"type": kind, "id": "1", "content": "secret thoughts", "value": {"type": kind}}
    assert read_content(["Hello", block, {"type": "text", "text": " there"}], "assistant") == (
        "Hello there"
    )


@pytest.mark.parametrize("key", ["functionCall", "executableCode", "codeExecutionResult"])
@pytest.mark.parametrize("role", ROLES)
def test_gemini_s_parts_that_only_gemini_understands_are_left_out(key: str, role: Role) -> None:
    assert read_content(["Hello", {key: {"name": "f", "code": "1"}}], role) == "Hello"


@pytest.mark.parametrize("inner", [None, 1, "text", ["text"], {}])
@pytest.mark.parametrize(
    "key",
    [
        *("citationsContent", "document", "file", "functionResponse", "guardContent", "image"),
        *("inlineData", "json", "reasoningContent", "searchResult", "text", "toolResult"),
    ],
)
def test_a_malformed_block_of_a_tool_ends_no_conversation(key: str, inner: Any) -> None:
    assert isinstance(read_content(["Hello", {key: inner}], "tool"), str)


def test_an_unknown_block_of_a_tool_is_written_as_json() -> None:
    assert (
        read_content([{"type": "table", "rows": [[1]]}], "tool") == '{"type":"table","rows":[[1]]}'
    )
    large = {"type": "blob", "data": "A" * 30_000}
    assert read_content([large], "tool") == "[blob not shown]"


@pytest.mark.parametrize("role", ["user", "system"])
def test_an_unknown_block_of_the_user_is_refused_by_its_name(role: Role) -> None:
    with pytest.raises(InvalidRequestError, match=f"block 'hologram' of a {role} message"):
        read_content([{"type": "hologram"}], role)


@pytest.mark.parametrize(
    "call",
    [
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}},
        {"id": "1", "type": "tool_use", "name": "f", "input": {"a": 1}},
        {"toolUse": {"toolUseId": "1", "name": "f", "input": {"a": 1}}},
        {"toolUseId": "1", "name": "f", "input": {"a": 1}},
        {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}},
        {"id": "1", "name": "f", "args": {"a": 1}},
        {"call_id": "1", "type": "function_call", "name": "f", "arguments": '{"a":1}'},
        SimpleNamespace(id="1", function=SimpleNamespace(name="f", arguments='{"a":1}')),
        SimpleNamespace(id="1", name="f", args={"a": 1}),
    ],
    ids=str,
)
def test_a_call_in_any_form_keeps_its_arguments(call: Any) -> None:
    assert read_tool_call(call) == ToolCall("1", "f", '{"a":1}')


def test_a_call_without_a_name_is_none() -> None:
    assert read_tool_call({"id": "1", "input": {}}) is None
    assert read_tool_call({"name": "f"}) == ToolCall("", "f", "{}")
