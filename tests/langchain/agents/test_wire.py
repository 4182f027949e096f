"""Every recorded request is one that vLLM 0.5.0's strict request model takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from monster_core.request.fields import FRAMEWORK_FIELDS, REQUEST_FIELDS, RequestParameters
from tests.conftest import CASSETTES

GUIDES = ("guided_json", "guided_regex", "guided_choice", "guided_grammar")
ROLES = ("system", "user", "assistant", "tool")


def test_every_recorded_request_is_one_the_server_takes() -> None:
    recorded = {
        f"{path.relative_to(CASSETTES)}, request {place}": list(problems(body))
        for path in sorted((CASSETTES / "vllm-0.5.0").rglob("*.yaml"))
        for place, body in enumerate(chat_bodies(path), start=1)
    }
    assert len(recorded) > 100
    assert {place: found for place, found in recorded.items() if found} == {}


def test_the_server_knows_41_request_fields() -> None:
    assert len(REQUEST_FIELDS) == 41


def chat_bodies(path: Path) -> Iterator[dict[str, Any]]:
    for interaction in yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["interactions"]:
        request = interaction["request"]
        if request["path"].endswith("/chat/completions"):
            yield request["json"]


def problems(body: dict[str, Any]) -> Iterator[str]:
    """Yield what the server would refuse, or misunderstand, in a request."""
    yield from (f"{name} is no request field" for name in sorted(body.keys() - REQUEST_FIELDS))
    yield from (f"{place} is null" for place in nulls(body))
    yield from values_out_of_range(body)
    for message in body.get("messages") or [{}]:
        yield from message_problems(message)
    if "stream_options" in body and body.get("stream") is not True:
        yield "stream_options without stream"
    if sum(guide in body for guide in GUIDES) + isinstance(body.get("tool_choice"), dict) > 1:
        yield "more than one guide"
    if body.get("response_format", {"type": "text"}) not in ({"type": "text"}, JSON_OBJECT):
        yield "response_format is neither text nor json_object"
    if "top_logprobs" in body and body.get("logprobs") is not True:
        yield "top_logprobs without logprobs"
    yield from tool_problems(body)


JSON_OBJECT = {"type": "json_object"}


def nulls(value: Any, place: str = "body") -> Iterator[str]:
    if value is None:
        yield place
    children = value.items() if isinstance(value, dict) else ()
    children = enumerate(value) if isinstance(value, list) else children
    for key, child in children:
        yield from nulls(child, f"{place}.{key}")


def values_out_of_range(body: dict[str, Any]) -> Iterator[str]:
    fields = {name: value for name, value in body.items() if name not in FRAMEWORK_FIELDS}
    try:
        RequestParameters.model_validate(fields)
    except ValidationError as error:
        yield from (f"{found['loc']}: {found['msg']}" for found in error.errors())


def message_problems(message: dict[str, Any]) -> Iterator[str]:
    role = message.get("role")
    if role not in ROLES:
        yield f"no role {role!r}"
    if message.keys() - {"role", "content", "name"} or (role == "tool" and "name" in message):
        yield f"a message of {role} has the keys {sorted(message)}"
    content = message.get("content")
    parts = content if isinstance(content, list) and role != "tool" else []
    if not isinstance(content, str) and not parts:
        yield f"a message of {role} has the content {content!r}"
    yield from (f"the content part {part}" for part in parts if not is_part(part))


def is_part(part: dict[str, Any]) -> bool:
    if part.get("type") == "text":
        return set(part) == {"type", "text"} and isinstance(part["text"], str)
    return set(part) == {"type", "image_url"} and isinstance(part["image_url"].get("url"), str)


def tool_problems(body: dict[str, Any]) -> Iterator[str]:
    functions = [tool.get("function", {}) for tool in body.get("tools", ())]
    for tool, function in zip(body.get("tools", ()), functions, strict=True):
        if set(tool) != {"type", "function"} or tool["type"] != "function":
            yield f"a tool has the keys {sorted(tool)}"
        if function.keys() - {"name", "description", "parameters"}:
            yield f"a function has the keys {sorted(function)}"
    named = [{"type": "function", "function": {"name": f.get("name")}} for f in functions]
    if body.get("tool_choice", "none") not in ("none", *named):
        yield f"tool_choice is {body['tool_choice']!r}"


HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hello!"}]}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
STRICT = {"type": "function", "function": {"name": "add", "strict": True}}
CALL = {"role": "assistant", "content": "", "tool_calls": []}
WRONG = {
    "a field of today's OpenAI": {"max_completion_tokens": 9},
    "a null": {"temperature": None},
    "a null far inside": {"guided_json": {"properties": {"a": {"default": None}}}},
    "a value out of range": {"temperature": -1},
    "a bias of no token": {"logit_bias": {"a": 1}},
    "no messages": {"messages": []},
    "content that is null": {"messages": [{"role": "assistant", "content": None}]},
    "calls of the assistant": {"messages": [CALL]},
    "a tool's name": {"messages": [{"role": "tool", "content": "5", "name": "add"}]},
    "a tool's id": {"messages": [{"role": "tool", "content": "5", "tool_call_id": "1"}]},
    "parts of a tool's result": {"messages": [{"role": "tool", "content": [{"type": "text"}]}]},
    "a part of no known type": {"messages": [{"role": "user", "content": [{"type": "file"}]}]},
    "a role of OpenAI's": {"messages": [{"role": "developer", "content": "Be brief."}]},
    "stream options without a stream": {"stream_options": {"include_usage": True}},
    "two guides": {"guided_regex": "a", "guided_choice": ["a"]},
    "a guide and a named tool": {
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "add"}},
        "guided_regex": "a",
    },
    "auto": {"tools": [TOOL], "tool_choice": "auto"},
    "a choice of a tool that is not there": {
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "subtract"}},
    },
    "a strict tool": {"tools": [STRICT]},
    "OpenAI's json_schema": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
    },
    "top_logprobs alone": {"top_logprobs": 2},
}


def test_a_plain_request_has_no_problems() -> None:
    assert list(problems(HELLO)) == []


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
def test_what_the_server_refuses_is_found(fields: dict[str, Any]) -> None:
    assert list(problems({**HELLO, **fields}))
