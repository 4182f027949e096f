"""Arguments of a call that the class which MonsterLLM replaces takes, too."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from llama_index.core.base.llms.types import ChatMessage
from pydantic import SecretStr

from llama_index_monster import MonsterLLM
from monster_core.errors import BadRequestError, InvalidRequestError, RequestTimeoutError
from tests.core.scripted_server import Reply, ScriptedServer, answer, reply
from tests.llama_index.songs import HEY_JUDE, predict, sent_by, song_llm
from tests.llama_index.toolbox import MULTIPLY, Turn, answered, scripted_turns, streamed

EXTRA_BODY = {"top_k": 5, "added_later": {"a": 1}}


@pytest.mark.parametrize("name, given", [("chat", [ChatMessage("Hi")]), ("complete", "Hi")])
def test_extra_body_is_taken_as_it_is_by_openai_s_classes(calls, name, given):
    llm, bodies = scripted_turns(Turn("Hello"), Turn("Hello"), additional_kwargs={"kept": 2})
    answered(calls.is_async, llm, name, given, extra_body=EXTRA_BODY)
    streamed(calls.is_async, llm, f"stream_{name}", given, extra_body=EXTRA_BODY)
    for body in bodies:
        assert (body["top_k"], body["added_later"], body["kept"]) == (5, {"a": 1}, 2)
        assert "extra_body" not in body
    assert EXTRA_BODY == {"top_k": 5, "added_later": {"a": 1}}


def test_a_known_field_in_extra_body_is_checked_and_wins(calls):
    llm, bodies = scripted_turns(Turn("Hello"), top_k=3)
    answered(calls.is_async, llm, "complete", "Hi", top_k=4, extra_body={"top_k": 5})
    assert bodies[0]["top_k"] == 5
    with pytest.raises(InvalidRequestError, match="top_k"):
        answered(calls.is_async, llm, "complete", "Hi", extra_body={"top_k": "many"})
    with pytest.raises(InvalidRequestError, match="extra_body"):
        answered(calls.is_async, llm, "complete", "Hi", extra_body="top_k=5")


def test_structured_output_and_tools_pass_it_on(calls):
    llm = song_llm()
    bodies = sent_by(llm)
    assert predict(calls, llm, llm_kwargs={"extra_body": EXTRA_BODY}) == HEY_JUDE
    assert bodies[0]["added_later"] == {"a": 1}
    llm, bodies = scripted_turns(Turn(calls=[("multiply", '{"a": 6, "b": 7}')]))
    kwargs = {"extra_body": EXTRA_BODY}
    assert str(answered(calls.is_async, llm, "predict_and_call", [MULTIPLY], "6x7", **kwargs))
    assert bodies[0]["added_later"] == {"a": 1}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("timeout", [0.2, httpx.Timeout(5, read=0.2)], ids=["seconds", "httpx"])
def test_a_call_has_a_timeout_of_its_own(is_async, timeout):
    is_over = threading.Event()
    with ScriptedServer(Reply([is_over])) as server:
        llm = MonsterLLM("m", api_base=server.base_url, api_key="k", max_retries=0)
        for call, name in ((answered, "chat"), (streamed, "stream_chat")):
            with pytest.raises(RequestTimeoutError):
                call(is_async, llm, name, [ChatMessage("Hi")], timeout=timeout)
        is_over.set()
        llm.close()


def test_a_longer_timeout_of_a_call_wins():
    with ScriptedServer(Reply([0.4, *answer("Hello").parts])) as server:
        llm = MonsterLLM("m", api_base=server.base_url, api_key="k", timeout=0.1, max_retries=0)
        assert llm.complete("Hi", timeout=5).text == "Hello"
        with pytest.raises(RequestTimeoutError):
            llm.complete("Hi", timeout=None)
        llm.close()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_call_has_headers_of_its_own_on_the_same_connection(is_async):
    headers = {"X-Tenant": "oslo", "X-Kept": "of the call"}

    async def ask_async(llm: MonsterLLM) -> None:
        for kwargs in ({"extra_headers": headers}, {}, {"timeout": 9.0}):
            await llm.acomplete("Hi", **kwargs)
        await llm.aclose()

    with ScriptedServer(answer("Hello")) as server:
        llm = MonsterLLM(
            "m",
            api_base=server.base_url,
            api_key="k",
            default_headers={"X-Kept": "of the model", "X-Other": "1"},
        )
        if is_async:
            asyncio.run(ask_async(llm))
        else:
            with llm:
                llm.complete("Hi", extra_headers=headers)
                llm.complete("Hi")
                llm.complete("Hi", timeout=9.0)
    sent = [one.headers for one in server.received]
    assert [one.get("x-tenant") for one in sent] == ["oslo", None, None]
    assert [one["x-kept"] for one in sent] == ["of the call", "of the model", "of the model"]
    assert {one["x-other"] for one in sent} == {"1"}
    assert {one["authorization"] for one in sent} == {"Bearer k"}
    assert len({one.connection for one in server.received}) == 1


@pytest.mark.parametrize(
    "kwargs, said",
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": "long"}, "timeout"),
        ({"extra_headers": {"X-A": 1}}, "extra_headers"),
        ({"extra_headers": {"X-A": "two\nlines"}}, "extra_headers"),
        ({"extra_headers": "X-A: 1"}, "extra_headers"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_its_value(calls, kwargs, said):
    llm, bodies = scripted_turns()
    with pytest.raises(InvalidRequestError, match=said) as raised:
        answered(calls.is_async, llm, "complete", "Hi", **kwargs)
    assert "lines" not in str(raised.value)
    assert bodies == []


def test_a_secret_header_that_the_server_repeats_is_masked():
    secret = "a-secret-that-nobody-may-see"
    refusal = reply(400, {"message": f"unknown tenant {secret}"})
    with ScriptedServer(refusal) as server:
        llm = MonsterLLM("m", api_base=server.base_url, api_key="k", max_retries=0)
        with llm, pytest.raises(BadRequestError) as raised:
            llm.complete("Hi", extra_headers={"X-Tenant": SecretStr(secret)})
    assert secret not in str(raised.value)
    assert "***" in str(raised.value)


def test_a_secret_header_is_not_in_llama_index_s_events(calls, events):
    secret = "a-secret-that-nobody-may-see"
    llm, _ = scripted_turns(Turn("Hello"))
    calls.chat(llm, extra_headers={"X-Tenant": SecretStr(secret)})
    assert events
    assert not any(secret in str(event.model_dump()) for event in events)
