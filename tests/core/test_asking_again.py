"""With ``ask_again``, an answer that breaks its schema is asked for once more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from monster_core.request.builder import ChatRequest, build_request
from monster_core.request.messages import Message
from monster_core.response.types import Chunk, Completion, Usage
from monster_core.transport.client import AsyncMonsterClient, MonsterClient
from tests.core.drivers import endpoint
from tests.core.scripted_server import ScriptedServer, answer, events, reply, token

Serve = Callable[..., ScriptedServer]
CITY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer", "minimum": 1}},
    "required": ["name", "people"],
}
PARIS = '{"name": "Paris", "people": 2000000}'
EMPTY_PARIS = '{"name": "Paris", "people": 0}'
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
TOOL = {"type": "function", "function": {"name": "found", "parameters": CITY}}
SCHEMA: dict[str, Any] = {"response_format": FORMAT}
CALL: dict[str, Any] = {"tools": [TOOL], "tool_choice": "any", "tool_strategy": "guided"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}

both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def request_for(fields: dict[str, Any], *, stream: bool = False) -> ChatRequest:
    sent = {"model": "m", "ask_again": True, **fields}
    return build_request([Message("user", "Which city?")], sent, stream=stream)


def completed(server: ScriptedServer, fields: dict[str, Any], is_async: bool) -> Completion:
    request, target = request_for(fields), endpoint(server.base_url)
    if not is_async:
        return MonsterClient(target).complete(request)

    async def ask() -> Completion:
        client = AsyncMonsterClient(target)
        completion = await client.complete(request)
        await client.aclose()
        return completion

    return asyncio.run(ask())


def streamed(server: ScriptedServer, fields: dict[str, Any], is_async: bool) -> list[Chunk]:
    request, target = request_for(fields, stream=True), endpoint(server.base_url)
    if not is_async:
        return list(MonsterClient(target).stream(request))

    async def ask() -> list[Chunk]:
        client = AsyncMonsterClient(target)
        chunks = [chunk async for chunk in client.stream(request)]
        await client.aclose()
        return chunks

    return asyncio.run(ask())


def stream_of(*texts: str, finish_reason: str = "stop") -> Any:
    usage = {"id": "cmpl-1", "choices": [], "usage": USAGE}
    return events(*map(token, texts), token("", finish_reason), usage, "[DONE]")


def sent(server: ScriptedServer) -> list[dict[str, Any]]:
    return [json.loads(received.body) for received in server.received]


def prompt(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"])


@both
def test_an_answer_that_is_not_json_is_asked_for_again_by_the_prompt_alone(
    serve: Serve, is_async: bool
) -> None:
    server = serve(answer("It is Paris."), answer(PARIS))
    completion = completed(server, SCHEMA, is_async)
    assert completion.choices[0].text == PARIS
    assert completion.usage is not None
    assert completion.usage.total_tokens == 10
    first, second = sent(server)
    assert "guided_json" in first
    assert "guided_json" not in second
    assert prompt(second).startswith(prompt(first))
    assert "Your first answer cannot be used: The answer is not JSON" in prompt(second)


@both
def test_an_answer_that_breaks_a_bound_is_asked_for_again_with_its_guide(
    serve: Serve, is_async: bool
) -> None:
    server = serve(answer(EMPTY_PARIS), answer(PARIS))
    assert completed(server, SCHEMA, is_async).choices[0].text == PARIS
    first, second = sent(server)
    assert second["guided_json"] == first["guided_json"]
    assert "$.people" in prompt(second)


@both
def test_an_answer_to_a_schema_that_no_engine_takes_is_asked_for_again(
    serve: Serve, is_async: bool
) -> None:
    schema = {"type": "object", "properties": {"x": False}, "required": ["x"]}
    server = serve(answer("No."), answer('{"y": 1}'))
    assert completed(server, {"guided_json": schema}, is_async).choices[0].text == '{"y": 1}'
    assert "Your first answer cannot be used" in prompt(sent(server)[1])


def test_the_second_answer_is_given_whatever_it_is(serve: Serve) -> None:
    server = serve(answer("Paris."), answer("Paris!"))
    assert completed(server, SCHEMA, False).choices[0].text == "Paris!"


def test_the_schema_comes_into_the_prompt_of_the_second_request(serve: Serve) -> None:
    server = serve(answer("Paris."), answer(PARIS))
    completed(server, {"guided_json": CITY}, False)
    first, second = sent(server)
    assert "schema" not in prompt(first)
    assert "satisfies this JSON schema" in prompt(second)


@pytest.mark.parametrize(
    "fields, text",
    [
        (SCHEMA, PARIS),
        (SCHEMA, f"```json\n{PARIS}\n```"),
        ({**SCHEMA, "ask_again": False}, "Paris."),
        ({}, "Paris."),
        ({**SCHEMA, "tools": [TOOL]}, json.dumps({"name": "found", "parameters": {}})),
        ({"tools": [TOOL]}, "Paris."),
    ],
    ids=["right", "fenced", "not-allowed", "free", "tool-called", "tool-not-forced"],
)
def test_other_answers_are_taken_as_they_are(
    serve: Serve, fields: dict[str, Any], text: str
) -> None:
    server = serve(answer(text), answer("again"))
    assert completed(server, fields, False).choices[0].text != "again"
    assert len(server.received) == 1


def test_an_answer_that_max_tokens_cut_is_not_asked_for_again(serve: Serve) -> None:
    server = serve(stream_of("Paris", finish_reason="length"), stream_of(PARIS))
    assert "".join(chunk.text for chunk in streamed(server, SCHEMA, False)) == "Paris"


def test_several_answers_are_not_asked_for_again(serve: Serve) -> None:
    one = {"message": {"content": "Paris."}, "finish_reason": "stop"}
    two = {"id": "cmpl-1", "choices": [{"index": index, **one} for index in range(2)]}
    server = serve(reply(200, two), answer(PARIS))
    assert len(completed(server, {**SCHEMA, "n": 2}, False).choices) == 2
    assert len(server.received) == 1


@both
@pytest.mark.parametrize(
    "text",
    ["I cannot.", '{"name": "found", "parameters": {"name": "Paris", "people": 0}}'],
    ids=["not-called", "bound"],
)
def test_a_forced_call_is_asked_for_again(serve: Serve, is_async: bool, text: str) -> None:
    call = '{"name": "found", "parameters": ' + PARIS + "}"
    server = serve(answer(text), answer(call))
    [found] = completed(server, CALL, is_async).choices[0].tool_calls
    assert json.loads(found.arguments) == json.loads(PARIS)
    first, second = sent(server)
    assert ("guided_json" in second) == ("people" in text)
    assert prompt(second).startswith(prompt(first))


@both
def test_a_stream_of_prose_is_held_back_and_asked_for_again(serve: Serve, is_async: bool) -> None:
    server = serve(stream_of("It is ", "Paris."), stream_of(PARIS[:9], PARIS[9:]))
    chunks = streamed(server, SCHEMA, is_async)
    assert [chunk.text for chunk in chunks if chunk.text] == [PARIS[:9], PARIS[9:]]
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].usage == Usage(2, 4, 6)


@both
def test_a_stream_that_begins_like_json_is_given_as_it_comes(serve: Serve, is_async: bool) -> None:
    server = serve(stream_of(" ", EMPTY_PARIS[:9], EMPTY_PARIS[9:]), stream_of(PARIS))
    text = "".join(chunk.text for chunk in streamed(server, SCHEMA, is_async))
    assert json.loads(text)["people"] == 0
    assert len(server.received) == 1


@both
def test_a_stream_in_a_code_fence_is_given_at_its_end(serve: Serve, is_async: bool) -> None:
    fenced = f"```json\n{PARIS}\n```"
    server = serve(stream_of(fenced[:9], fenced[9:]), stream_of("again"))
    assert "".join(chunk.text for chunk in streamed(server, SCHEMA, is_async)) == fenced
    assert len(server.received) == 1


@both
def test_a_stream_without_the_forced_call_is_asked_for_again(serve: Serve, is_async: bool) -> None:
    call = '{"name": "found", "parameters": ' + PARIS + "}"
    server = serve(stream_of("I can", "not."), stream_of(call[:30], call[30:]))
    chunks = streamed(server, CALL, is_async)
    [found] = (chunks[-1].finished_calls or {}).values()
    assert json.loads(found.arguments) == json.loads(PARIS)
    assert not any(chunk.text for chunk in chunks)
