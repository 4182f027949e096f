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
from tests.langchain.answering import TOOLS, WAYS, Way, collected, delta, streamed, whole
from tests.langchain.conftest import Scripted, chat_with
from tests.langchain.test_tracing import Recorder

every_way = pytest.mark.parametrize("way", WAYS)
SECRET = "sk-very-secret-header"


class City(BaseModel):
    """A city."""

    name: str


async def answered(llm: Any, way: Way, mode: str, **given: Any) -> Any:
    if mode == "stream":
        return await collected(llm, way, "Hi", **given)
    return llm.invoke("Hi", **given) if way == "sync" else await llm.ainvoke("Hi", **given)


def reply_for(mode: str) -> Any:
    return streamed(delta("Hi", finish="stop")) if mode == "stream" else whole({"content": "Hi"})


@every_way
@pytest.mark.parametrize("mode", ["invoke", "stream"])
async def test_headers_of_a_call_are_sent_beside_the_models(
    scripted: Scripted, way: Way, mode: str
) -> None:
    llm, server = scripted(
        reply_for(mode), reply_for(mode), default_headers={"x-mine": "1", "x-tenant": "a"}
    )
    await answered(llm, way, mode, extra_headers={"X-Tenant": "b", "x-run": SecretStr("7")})
    await answered(llm, way, mode)
    first, second = [request.headers for request in server.received]
    assert (first["x-mine"], first["x-tenant"], first["x-run"]) == ("1", "b", "7")
    assert (second["x-mine"], second["x-tenant"]) == ("1", "a")
    assert "x-run" not in second


@every_way
@pytest.mark.parametrize("mode", ["invoke", "stream"])
@pytest.mark.parametrize("timeout", [0.2, httpx.Timeout(0.2), {"read": 0.2}], ids=str)
async def test_a_call_has_a_timeout_of_its_own(
    emulator: Emulator, way: Way, mode: str, timeout: Any
) -> None:
    emulator.pace = 1.0
    with chat_with(emulator, timeout=30) as llm:
        with pytest.raises(RequestTimeoutError):
            await answered(llm, way, mode, timeout=timeout)
        await llm.aclose()


@every_way
async def test_both_can_be_bound(scripted: Scripted, way: Way) -> None:
    llm, server = scripted(whole({"content": '{"name": "Oslo"}'}), whole({"content": "Hi"}))
    bound: Any = llm.bind(extra_headers={"x-run": SECRET}, timeout=3)
    assert await answered(bound.with_structured_output(City), way, "invoke") == City(name="Oslo")
    await answered(bound.bind_tools(TOOLS), way, "invoke")
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
    llm, server = scripted(whole({}))
    with pytest.raises(InvalidRequestError, match=said):
        llm.invoke("Hi", **given)
    with pytest.raises(InvalidRequestError, match=said):
        llm.bind_tools(TOOLS, **given)
    assert server.received == []


@every_way
@pytest.mark.parametrize("mode", ["invoke", "stream"])
async def test_no_trace_and_no_serialized_chain_shows_a_header(
    scripted: Scripted, way: Way, mode: str
) -> None:
    recorder = Recorder()
    headers = {"x-run": SECRET}
    llm, _ = scripted(*[reply_for(mode)] * 3, callbacks=[recorder])
    bound: Any = llm.bind(extra_headers=headers)
    await answered(llm, way, mode, extra_headers=headers)
    await answered(bound, way, mode)
    await answered(bound.bind_tools(TOOLS), way, mode)
    chain = bound.bind(stop=["x"]).with_config(tags=["t"]) | (lambda message: message)
    shown = [recorder.started, recorder.ended, repr(bound), dumps(bound), repr(chain), dumps(chain)]
    assert SECRET not in str(shown)


def test_a_cached_answer_belongs_to_the_headers_of_its_call(scripted: Scripted) -> None:
    cache = InMemoryCache()
    replies = [whole({"content": text}) for text in ("One", "Two")]
    llm, server = scripted(*replies, cache=cache)
    for tenant, timeout in ((SECRET, 1), (SECRET, 2), ("b", 1)):
        headers = {"x-tenant": tenant}
        answer = llm.invoke("Hi", extra_headers=headers, timeout=timeout)
        assert answer.text == ("Two" if tenant == "b" else "One")
    assert len(server.received) == 2
    assert SECRET not in str(cache._cache)
