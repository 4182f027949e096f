"""Failures are LangChain's errors, carry what the server said, and are retried only if it helps.

Which class a fault raises is in the matrix of tests/faults, in every way to ask.
"""

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
from tests.core.scripted_server import answer, reply
from tests.langchain.answering import Way, asked, collected, every_way, sent
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL

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


def test_every_failure_is_of_both_kinds() -> None:
    for own, kind in KINDS.items():
        assert issubclass(own, kind)
        assert issubclass(own, getattr(core, own.__name__))


@every_way
async def test_a_refusal_carries_what_the_server_said(scripted: Scripted, way: Way) -> None:
    said = reply(429, {"message": "slow"}, {"x-request-id": "req-1", "retry-after": "7"})
    overflow = reply(400, {"message": OVERFLOW})
    for ask in (asked, collected):
        llm, _ = scripted(said, overflow)
        with pytest.raises(errors.RateLimitError) as raised:
            await ask(llm, way)
        error = raised.value
        assert (error.request_id, error.retry_after, error.status_code) == ("req-1", 7, 429)
        assert error.response is not None
        assert error.response.json() == {"message": "slow"}
        with pytest.raises(errors.ContextOverflowError, match="Shorten") as overflowed:
            await ask(llm, way)
        assert (overflowed.value.context_window, overflowed.value.prompt_tokens) == (100, 100)


def test_the_cause_of_a_failure_is_kept_and_the_core_s_error_is_not_shown() -> None:
    llm = ChatMonster(model=MODEL, api_key="k", base_url="http://127.0.0.1:9/v1", max_retries=0)
    with pytest.raises(errors.ConnectionFailedError) as raised:
        llm.invoke("Hi")
    assert type(raised.value.__cause__).__module__ == "httpx"
    assert raised.value.__suppress_context__
    assert "monster_core" in str(raised.traceback)


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
async def test_what_may_pass_is_retried_and_what_is_final_is_not(
    scripted: Scripted, way: Way, retried: Any
) -> None:
    llm, server = scripted(reply(503, "busy"), answer("Fine"))
    assert (await asked(retried(llm), way)).text == "Fine"
    assert len(server.received) == 2
    llm, server = scripted(reply(400, {"message": "no"}), answer("Fine"))
    with pytest.raises(errors.BadRequestError):
        await asked(retried(llm), way)
    assert len(server.received) == 1


@every_way
async def test_a_summary_that_overflows_is_asked_for_again_shorter(
    scripted: Scripted, way: Way
) -> None:
    overflow = reply(400, {"message": OVERFLOW})
    llm, server = scripted(overflow, answer("A summary"), answer("Fine"))
    middleware = SummarizationMiddleware(model=llm, trigger=("messages", 3), keep=("messages", 1))
    agent: Any = create_agent(llm, middleware=[middleware])
    given = {"messages": [HumanMessage(f"Line {n}. " * 50) for n in range(4)]}
    assert (await asked(agent, way, given))["messages"][-1].text == "Fine"
    first, second, last = (str(sent(server, number)) for number in range(3))
    assert len(second) < len(first)
    assert "A summary" in last


@pytest.mark.vcr
async def test_a_real_server_refuses() -> None:
    with pytest.raises(errors.NotFoundError, match="models"):
        await ChatMonster(model="no-such-model").ainvoke("Hi")
    with pytest.raises(langchain.ContextOverflowError):
        ChatMonster(model="google/gemma-2-9b-it", max_tokens=1_000_000).invoke("Hi")
