"""Failures are LangChain's errors, carry what the server said, and are retried only if it helps."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware, SummarizationMiddleware
from langchain_core import exceptions as langchain
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda

from langchain_monster import ChatMonster, errors
from monster_core import errors as core
from monster_emulator import Emulator
from tests.core.scripted_server import answer, reply
from tests.langchain.answering import WAYS, Way, collected
from tests.langchain.conftest import Scripted, chat_with

every_way = pytest.mark.parametrize("way", WAYS)

OVERFLOW = (
    "This model's maximum context length is 100 tokens. However, you requested 200 tokens (100 in "
    "the messages, 100 in the completion). Please reduce the length of the messages or completion."
)
KINDS = {
    errors.BadRequestError: langchain.ModelInvalidRequestError,
    errors.ContextOverflowError: langchain.ContextOverflowError,
    errors.AuthenticationError: langchain.ModelAuthenticationError,
    errors.PaymentRequiredError: langchain.ModelPermissionDeniedError,
    errors.PermissionDeniedError: langchain.ModelPermissionDeniedError,
    errors.NotFoundError: langchain.ModelNotFoundError,
    errors.RateLimitError: langchain.ModelRateLimitError,
    errors.ServerError: langchain.ModelAPIError,
    errors.ResponseError: langchain.ModelAPIError,
    errors.StreamInterruptedError: langchain.ModelError,
    errors.ConnectionFailedError: langchain.ModelConnectionError,
    errors.RequestTimeoutError: langchain.ModelTimeoutError,
}


@pytest.mark.parametrize("own", KINDS)
def test_every_failure_is_of_both_kinds(own: type[Exception]) -> None:
    """Which class a fault raises is in the matrix of tests/faults, in every way to ask."""
    assert issubclass(own, KINDS[own])
    assert issubclass(own, getattr(core, own.__name__))


async def asked(llm: Any, way: Way, *, streams: bool) -> Any:
    if streams:
        return await collected(llm, way)
    return llm.invoke("Hi") if way == "sync" else await llm.ainvoke("Hi")


def test_every_class_of_the_core_has_a_counterpart() -> None:
    concrete = {
        name
        for name in core.__all__
        if name not in ("MonsterError", "TransportError", "ServerReply")
    }
    assert concrete <= set(errors.__all__)


@every_way
async def test_a_refusal_carries_reply_and_request_id(scripted: Scripted, way: Way) -> None:
    said = reply(429, {"message": "slow"}, {"x-request-id": "req-1", "retry-after": "7"})
    llm, _ = scripted(said)
    with pytest.raises(errors.RateLimitError) as raised:
        await asked(llm, way, streams=False)
    error = raised.value
    assert (error.request_id, error.retry_after, error.status_code) == ("req-1", 7, 429)
    assert error.response is not None
    assert error.response.json() == {"message": "slow"}


FINAL = reply(400, {"message": "no"})
BUSY = reply(503, "busy")


def with_retry(llm: ChatMonster) -> Any:
    return llm.with_retry(
        retry_if_exception_type=(langchain.ModelAPIError,),
        stop_after_attempt=2,
        wait_exponential_jitter=False,
    )


def with_middleware(llm: ChatMonster) -> Any:
    retry = ModelRetryMiddleware(max_retries=1, initial_delay=0, jitter=False)
    agent: Any = create_agent(llm, middleware=[retry])
    ask: Any = RunnableLambda(lambda text: {"messages": [HumanMessage(text)]})
    return ask | agent | (lambda state: state["messages"][-1])


@every_way
@pytest.mark.parametrize("retried", [with_retry, with_middleware])
async def test_what_may_pass_is_retried(scripted: Scripted, way: Way, retried: Any) -> None:
    llm, server = scripted(BUSY, answer("Fine"))
    assert (await asked(retried(llm), way, streams=False)).text == "Fine"
    assert len(server.received) == 2


@every_way
@pytest.mark.parametrize("retried", [with_retry, with_middleware])
async def test_what_is_final_is_not_retried(scripted: Scripted, way: Way, retried: Any) -> None:
    llm, server = scripted(FINAL, answer("Fine"))
    with pytest.raises(errors.BadRequestError):
        await asked(retried(llm), way, streams=False)
    assert len(server.received) == 1


@every_way
async def test_a_summary_that_overflows_is_asked_for_again_shorter(
    scripted: Scripted, way: Way
) -> None:
    overflow = reply(400, {"message": OVERFLOW})
    llm, server = scripted(overflow, answer("A summary"), answer("Fine"))
    middleware = SummarizationMiddleware(model=llm, trigger=("messages", 3), keep=("messages", 1))
    agent = create_agent(llm, middleware=[middleware])
    given: Any = {"messages": [HumanMessage(f"Line {n}. " * 50) for n in range(4)]}
    result = agent.invoke(given) if way == "sync" else await agent.ainvoke(given)
    assert result["messages"][-1].text == "Fine"
    first, second, last = (request.body.decode() for request in server.received)
    assert len(second) < len(first)
    assert "A summary" in last


@every_way
async def test_a_real_refusal_of_an_overlong_conversation(way: Way) -> None:
    with Emulator(max_model_len=100) as emulator:
        llm = chat_with(emulator)
        with pytest.raises(langchain.ContextOverflowError, match="Shorten"):
            await asked(llm.bind(max_tokens=99), way, streams=True)


@pytest.mark.vcr
async def test_a_real_server_refuses() -> None:
    with pytest.raises(errors.NotFoundError, match="models"):
        await ChatMonster(model="no-such-model").ainvoke("Hi")
    with pytest.raises(langchain.ContextOverflowError):
        ChatMonster(model="google/gemma-2-9b-it", max_tokens=1_000_000).invoke("Hi")
