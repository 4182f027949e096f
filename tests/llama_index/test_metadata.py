from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from llama_index_monster import MonsterLLM
from tests.core.scripted_server import Reply, ScriptedServer

MODEL = "some-model"


def served(replies: dict[str, Any], **kwargs: Any) -> MonsterLLM:
    """Make an LLM whose endpoint has these paths: a JSON reply, or a status."""

    def handle(request: httpx.Request) -> httpx.Response:
        reply = replies.get(request.url.path.removeprefix("/v1"), 404)
        if isinstance(reply, int):
            return httpx.Response(reply, json={"detail": "refused"})
        return httpx.Response(200, json=reply)

    transport = httpx.MockTransport(handle)
    settings = {"model": MODEL, "api_base": "http://127.0.0.1:9/v1", "api_key": "k"}
    return MonsterLLM(
        **{**settings, **kwargs},
        max_retries=0,
        http_client=httpx.Client(transport=transport),
        async_http_client=httpx.AsyncClient(transport=transport),
    )


@pytest.mark.parametrize("model", ["a", "", "google/gemma-2-9b-it", "x" * 500, "ünïcode/模型"])
def test_every_model_name_has_metadata(model):
    metadata = MonsterLLM(model).metadata
    assert metadata.model_name == model
    assert metadata.context_window > 256
    assert metadata.is_chat_model
    assert metadata.is_function_calling_model


def test_the_metadata_hold_the_length_of_an_answer_where_it_is_known():
    assert MonsterLLM().metadata.num_output == -1
    assert MonsterLLM(max_tokens=9).metadata.num_output == 9


def test_the_context_window_is_the_family_s_where_it_is_known():
    assert MonsterLLM("google/gemma-2-9b-it").metadata.context_window == 8192
    assert MonsterLLM("microsoft/Phi-3-mini-4k-instruct").metadata.context_window == 4096
    assert MonsterLLM("mine", family="phi-3").metadata.context_window == 4096
    assert MonsterLLM("mine", family="no-such-family").metadata.context_window == 8192


def test_a_context_window_that_nobody_knows_is_a_safe_one_and_warned_of_once(caplog):
    for _ in range(2):
        for name in ("mine-1", "mine-2"):
            assert MonsterLLM(name).metadata.context_window == 8192
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) == 2
    assert "'mine-1' is not known, 8192 tokens are assumed: pass context_window" in logged[0]
    assert "discover_context_window()" in logged[0]


def test_a_context_window_that_is_known_or_given_is_not_warned_of(caplog):
    for llm in (MonsterLLM("gemma-of-mine"), MonsterLLM("mine-3", context_window=9)):
        assert llm.metadata.context_window
    assert caplog.records == []


def test_the_context_window_of_an_argument_wins():
    assert MonsterLLM(context_window=1000).metadata.context_window == 1000
    with pytest.raises(ValidationError):
        MonsterLLM(context_window=0)


@pytest.mark.parametrize(
    "replies",
    [
        {"/models": {"data": [{"id": "other"}, {"id": MODEL, "max_model_len": 32768}]}},
        {"/models": 404, "/models/info": {"maximum_context_length": {MODEL: 32768}}},
        {"/models": "no list", "/models/info": {"maximum_context_length": {MODEL: 32768}}},
        {
            "/models": {"data": [{"id": MODEL}]},
            "/models/info": {"other": {}, MODEL: {"maximum_context_length": 32768}},
        },
    ],
    ids=["vllm", "info-by-model", "unreadable-models", "models-with-info"],
)
def test_discovery_finds_the_context_window_and_keeps_it(calls, replies):
    llm = served(replies)
    assert calls.discover_context_window(llm) == 32768
    assert llm.metadata.context_window == 32768
    assert llm.to_dict()["context_window"] == 32768


@pytest.mark.parametrize(
    "replies",
    [
        {},
        {"/models": 401},
        {"/models": 500},
        {"/models": {"data": [{"id": "other", "max_model_len": 5}]}},
        {"/models": [], "/models/info": []},
        {"/models": [], "/models/info": {"maximum_context_length": 5}},
        {"/models": {"data": [{"id": MODEL, "max_model_len": None}]}},
    ],
    ids=["none", "no-key", "broken", "other-model", "empty", "one-number", "null"],
)
def test_a_failed_discovery_is_a_warning_and_changes_nothing(calls, replies):
    llm = served(replies, context_window=5000)
    with pytest.warns(UserWarning, match="some-model.*stays at 5000.*context_window"):
        assert calls.discover_context_window(llm) == 5000
    assert llm.metadata.context_window == 5000


def test_discovery_does_not_wait_for_a_silent_endpoint(calls):
    with ScriptedServer(Reply([threading.Event()])) as server:
        llm = MonsterLLM("google/gemma-2-9b-it", api_base=server.base_url, api_key="k")
        with pytest.warns(UserWarning, match="stays at 8192 tokens: .*0.2 s"):
            assert calls.discover_context_window(llm, timeout=0.2) == 8192
        assert len(server.received) == 1


def test_discovery_asks_a_real_endpoint(calls, emulated_llm):
    assert calls.discover_context_window(emulated_llm) == 8192
    assert emulated_llm.context_window == 8192
