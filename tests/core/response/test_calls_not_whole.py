"""A call that is not whole has a problem, whole and streamed alike, whoever ended the response."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monster_core.response.pipeline import ResponseStream, parse_response
from monster_core.response.types import ResponseSpec, ToolCall

PATH = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
SPEC = ResponseSpec(
    frozenset({"delete_path", "list_paths"}),
    tool_parameters={"delete_path": PATH, "list_paths": {"type": "object", "properties": {}}},
)
WHOLE = '{"name": "delete_path", "parameters": {"path": "/data/ana/old"}}'


def whole(finish_reason: str | None, **message: Any) -> list[ToolCall]:
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    body = json.dumps({"id": "cmpl-1", "choices": [choice]}).encode()
    return parse_response(body, SPEC).choices[0].tool_calls


def streamed(finish_reason: str | None, deltas: list[dict[str, Any]]) -> list[ToolCall]:
    """Return the calls of a stream; its last chunk must say what its pieces add up to."""
    stream = ResponseStream(SPEC)
    events = [*({"delta": delta} for delta in deltas)]
    events.append({"delta": {}, "finish_reason": finish_reason})
    data = [json.dumps({"id": "cmpl-1", "choices": [{"index": 0, **one}]}) for one in events]
    chunks = [stream.feed(one.encode()) for one in data]
    stream.feed(b"[DONE]")
    chunks.append(stream.end())
    pieces: dict[int, list[str]] = {}
    for chunk in chunks:
        for delta in (chunk.tool_calls if chunk else None) or ():
            pieces.setdefault(delta.index, []).append(delta.arguments)
    finished = dict((chunks[-1].finished_calls if chunks[-1] else None) or {})
    assert {index: "".join(parts) or "{}" for index, parts in pieces.items()} == {
        index: call.arguments for index, call in finished.items()
    }
    return list(finished.values())


def problems(calls: list[ToolCall]) -> list[tuple[str, str, str | None]]:
    return [(call.name, call.arguments, call.problem) for call in calls]


CUTS = [WHOLE[:length] for length in range(len('{"name": "delete_path"'), len(WHOLE) - 1)]


@pytest.mark.parametrize("finish_reason", ["stop", "length", None, "tool_calls"])
def test_a_call_in_a_text_that_is_cut_is_never_whole(finish_reason: str | None) -> None:
    for text in CUTS:
        calls = whole(finish_reason, content=text)
        assert [call.name for call in calls] == ["delete_path"], text
        assert all(call.problem for call in calls), text
        found = streamed(finish_reason, [{"content": character} for character in text])
        assert problems(found) == problems(calls), text


@pytest.mark.parametrize("mark", ["", "<tool_call>", "[TOOL_CALLS] [", "```json\n", "Look: "])
@pytest.mark.parametrize("finish_reason", ["stop", "length"])
def test_a_cut_call_has_a_sentence_that_says_who_cut_it(mark: str, finish_reason: str) -> None:
    text = f'{mark}{{"name": "delete_path", "parameters": {{"path": "/data/ana/'
    [call] = whole(finish_reason, content=text)
    assert call.problem is not None
    if finish_reason == "length":
        assert "max_tokens cut the arguments of 'delete_path'" in call.problem
    else:
        assert "the model or a stop text ended the response" in call.problem


@pytest.mark.parametrize(
    "text",
    [
        '<function=delete_path>{"path": "/data/ana/',
        "<tool_call><function=delete_path><parameter=path>/data/ana/",
        "<tool_call><function=delete_path><parameter=path>/home</parameter>",
        '<|python_tag|>delete_path.call(path="/data/ana/',
        '[TOOL_CALLS]delete_path[ARGS]{"path": "/data/ana/',
        '[TOOL_CALLS]delete_path{"path": "/data/ana/"',
        "<tool_call>delete_path\n<arg_key>path</arg_key>\n<arg_value>/data/ana/",
    ],
)
def test_a_cut_call_of_another_form_is_never_whole(text: str) -> None:
    calls = whole("stop", content=text)
    assert [call.name for call in calls] == ["delete_path"]
    assert all(call.problem for call in calls)
    found = streamed("stop", [{"content": character} for character in text])
    assert problems(found) == problems(calls)


ARGUMENTS = [
    ('{"path": "/data/ana/', "end before they are complete"),
    ('{"path": "/data/ana/"', "end before they are complete"),
    ('{"path"', "end before they are complete"),
    ("{", "end before they are complete"),
    ('{"path": NaN}', "are not JSON"),
    ('{"path": Infinity}', "are not JSON"),
    ('{"path": 1e999}', "are not JSON"),
    ('{"path": six}', "are not JSON"),
    ('{"path": "a"} {}', "are not JSON"),
    ("[1, 2]", "are JSON but not an object"),
    ('"six"', "are JSON but not an object"),
    ("7", "are JSON but not an object"),
    ('{"path": ' + "9" * 5000 + "}", "are not JSON"),
]


@pytest.mark.parametrize("arguments, said", ARGUMENTS, ids=[text[:20] for text, _ in ARGUMENTS])
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_call_that_the_server_sent_is_judged_alike(
    arguments: str, said: str, pieces: int
) -> None:
    function = {"name": "delete_path", "arguments": arguments}
    [call] = whole("stop", content="", tool_calls=[{"id": "a", "function": function}])
    assert call.problem is not None
    assert said in call.problem
    parts = [arguments[at : at + pieces] for at in range(0, len(arguments), pieces)]
    deltas = [
        {"tool_calls": [{"function": {"name": "delete_path", "arguments": part}}]} for part in parts
    ]
    assert problems(streamed("stop", deltas)) == problems([call])


@pytest.mark.parametrize(
    "arguments, meant",
    [
        *((empty, {}) for empty in ("", " ", "null", "[]", '""', '"null"', "{}", '"{}"')),
        ('"{\\"path\\": \\"a\\"}"', {"path": "a"}),
        ('{"path": "a"}', {"path": "a"}),
    ],
)
def test_arguments_that_stand_for_an_object_are_that_object(
    arguments: str, meant: dict[str, Any]
) -> None:
    function = {"name": "delete_path", "arguments": arguments}
    [call] = whole("stop", content="", tool_calls=[{"id": "a", "function": function}])
    deltas = [{"tool_calls": [{"function": {**function, "arguments": one}}]} for one in arguments]
    deltas = deltas or [{"tool_calls": [{"function": function}]}]
    [found] = streamed("stop", deltas)
    assert call.problem is found.problem is None
    assert json.loads(call.arguments) == json.loads(found.arguments) == meant


def test_a_call_before_the_cut_one_is_whole() -> None:
    text = '{"name": "list_paths", "parameters": {}}\n' + WHOLE[:-10]
    first, second = whole("length", content=text)
    assert (first.name, first.problem) == ("list_paths", None)
    assert second.problem is not None
