"""``timeout`` and ``extra_headers`` of one call, as ChatOpenAI has them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumps
from pydantic import BaseModel, SecretStr

from langchain_monster.errors import InvalidRequestError, RequestTimeoutError
from monster_emulator import Emulator
from tests.langchain.answering import (
    TOOLS,
    Way,
    asked,
    collected,
    delta,
    every_way,
    streamed,
    whole,
)
from tests.langchain.conftest import Scripted, chat_with
from tests.langchain.test_tracing import Recorder

SECRET = "sk-very-secret-header"
ANSWER = whole({"content": "Hi"})
STREAM = streamed(delta("Hi", finish="stop"))


class City(BaseModel):
    """A city."""

    name: str


@every_way
async def test_headers_of_a_call_are_sent_beside_the_models(scripted: Scripted, way: Way) -> None:
    for ask, reply in ((asked, ANSWER), (collected, STREAM)):
        llm, server = scripted(reply, default_headers={"x-mine": "1", "x-tenant": "a"})
        await ask(llm, way, extra_headers={"X-Tenant": "b", "x-run": SecretStr("7")})
        await ask(llm, way)
        first, second = [request.headers for request in server.received]
        assert (first["x-mine"], first["x-tenant"], first["x-run"]) == ("1", "b", "7")
        assert (second["x-mine"], second["x-tenant"]) == ("1", "a")
        assert "x-run" not in second


@every_way
async def test_a_call_has_a_timeout_of_its_own(emulator: Emulator, way: Way) -> None:
    emulator.pace = 1.0
    with chat_with(emulator, timeout=30) as llm:
        with pytest.raises(RequestTimeoutError):
            await asked(llm, way, timeout=httpx.Timeout(0.1))
        with pytest.raises(RequestTimeoutError):
            await collected(llm, way, timeout={"read": 0.1})
        await llm.aclose()


def test_both_can_be_bound(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": '{"name": "Oslo"}'}), ANSWER)
    bound: Any = llm.bind(extra_headers={"x-run": SECRET}, timeout=3)
    assert bound.with_structured_output(City).invoke("Hi") == City(name="Oslo")
    bound.bind_tools(TOOLS).invoke("Hi")
    assert [request.headers["x-run"] for request in server.received] == [SECRET, SECRET]


@pytest.mark.parametrize(
    "given, said",
    [
        ({"extra_headers": {"x": "a\nb"}}, "line break"),
        ({"extra_headers": "x"}, "headers must be a dict from names"),
        ({"extra_headers": {"x": 1}}, "the name and the value of a header"),
        ({"timeout": -1}, "above 0"),
        ({"timeout": "soon"}, "a number of seconds"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_before_anything_is_sent(
    scripted: Scripted, given: Any, said: str
) -> None:
    llm, server = scripted(ANSWER)
    with pytest.raises(InvalidRequestError, match=said):
        llm.invoke("Hi", **given)
    with pytest.raises(InvalidRequestError, match=said):
        llm.bind_tools(TOOLS, **given)
    assert server.received == []


@every_way
async def test_no_trace_and_no_serialized_chain_shows_a_header(
    scripted: Scripted, way: Way
) -> None:
    headers = {"x-run": SECRET}
    for ask, reply in ((asked, ANSWER), (collected, STREAM)):
        recorder = Recorder()
        llm, _ = scripted(reply, callbacks=[recorder])
        bound: Any = llm.bind(extra_headers=headers)
        await ask(llm, way, extra_headers=headers)
        await ask(bound, way)
        await ask(bound.bind_tools(TOOLS), way)
        chain = bound.bind(stop=["x"]).with_config(tags=["t"]) | (lambda message: message)
        shown = [repr(bound), dumps(bound), repr(chain), dumps(chain)]
        assert SECRET not in str([recorder.started, recorder.ended, *shown])


def test_a_cached_answer_belongs_to_the_headers_of_its_call(scripted: Scripted) -> None:
    cache = InMemoryCache()
    llm, server = scripted(whole({"content": "One"}), whole({"content": "Two"}), cache=cache)
    for tenant, timeout in ((SECRET, 1), (SECRET, 2), ("b", 1)):
        headers = {"x-tenant": tenant}
        answer = llm.invoke("Hi", extra_headers=headers, timeout=timeout)
        assert answer.text == ("Two" if tenant == "b" else "One")
    bound: Any = llm.bind(extra_headers={"x-tenant": SECRET})
    assert bound.invoke("Hi").text == "One"
    assert len(server.received) == 2
    assert SECRET not in str(cache._cache)
