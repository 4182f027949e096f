"""A model written down, copied, pickled and built again."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import cloudpickle
import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps, loads

from langchain_monster import ChatMonster
from monster_emulator import Emulator
from tests.langchain.conftest import chat_with

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")

SECRET = "sk-very-secret"


def loaded(written: str) -> ChatMonster:
    llm = loads(
        written,
        allowed_objects=[ChatMonster],
        valid_namespaces=["langchain_monster"],
        secrets_from_env=True,
    )
    assert isinstance(llm, ChatMonster)
    return llm


def secretive(**given: Any) -> ChatMonster:
    headers = {"x-gateway": f"{SECRET}-header"}
    return ChatMonster(model="m", api_key=SECRET, default_headers=headers, **given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"timeout": 3.5},
        {"timeout": httpx.Timeout(7, connect=2)},
        {"timeout": httpx.Timeout(None)},
        {"temperature": 0, "stop": ["x"], "logit_bias": {"5": 1}, "model_kwargs": {"a": 1}},
        {"guided_json": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        {"server": "vllm-0.9"},
        {"base_url": "http://127.0.0.1:8000/v1/", "max_retries": 0, "streaming": False},
    ],
    ids=lambda given: ",".join(given) or "nothing",
)
def test_a_model_is_built_again_as_it_was(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    llm = ChatMonster(model="m", api_key=SECRET, **given)
    written = dumps(llm)
    monkeypatch.setenv("MONSTER_API_KEY", SECRET)
    again = loaded(written)
    assert again.model_dump() == llm.model_dump()
    assert again.api_key == llm.api_key
    assert dumps(again) == written
    assert again._endpoint() == llm._endpoint()


@pytest.mark.parametrize(
    "given",
    [
        {"model": "m"},
        {"model": "m", "api_key": SECRET, "default_headers": {"x-gateway": SECRET}},
        {"temperature": 0.0, "max_tokens": 5, "stop": [], "logit_bias": {}, "n": 1, "seed": 0},
        {"timeout": 2, "total_timeout": 9.0, "max_retries": 0, "async_transport": "httpx"},
        {"timeout": httpx.Timeout(7, connect=2)},
        {"model_kwargs": {}, "tags": [], "metadata": {}, "verbose": False, "name": ""},
        {"model_kwargs": {"a": 1}, "tags": ["t"], "metadata": {"a": 1}, "verbose": True},
        {"name": "mine", "streaming": False, "stream_usage": False, "disable_streaming": True},
        {"disable_streaming": "tool_calling", "output_version": "", "profile": {}},
        {"output_version": "v1", "profile": {"max_input_tokens": 7}, "tokenizer": str.split},
    ],
    ids=lambda given: ",".join(given),
)
def test_a_model_is_written_as_langchain_writes_every_model(given: dict[str, Any]) -> None:
    llm = ChatMonster(**given)
    assert llm.to_json() == BaseChatModel.to_json(llm)
    assert list(llm.to_json()["kwargs"]) == list(BaseChatModel.to_json(llm)["kwargs"])


def test_a_subclass_is_written_with_its_own_secrets_and_attributes() -> None:
    class Mine(ChatMonster):
        secret: str | None = None

        @property
        def lc_secrets(self) -> dict[str, str]:
            return {"secret": "MY_SECRET"}

        @property
        def lc_attributes(self) -> dict[str, Any]:
            return {"made_by": "me"}

    written = Mine(model="m", api_key=SECRET, secret=SECRET).to_json()["kwargs"]
    assert written["made_by"] == "me"
    assert written["secret"]["id"] == ["MY_SECRET"]
    assert written["api_key"]["id"] == ["MONSTER_API_KEY"]


def test_what_is_written_holds_no_secret() -> None:
    llm = secretive()
    shown = [
        dumps(llm),
        repr(llm),
        str(llm),
        str(llm.model_dump()),
        llm.model_dump_json(),
        str(llm._identifying_params),
        llm._get_llm_string(stop=None),
        str(llm.lc_attributes),
    ]
    assert not [text for text in shown if SECRET in text]
    assert "MONSTER_API_KEY" in dumps(llm)


def test_what_only_this_process_has_is_left_out() -> None:
    llm = ChatMonster(model="m", api_key="k", tokenizer=str.split, http_client=httpx.Client())
    written = dumps(llm)
    assert "tokenizer" not in written
    assert "http_client" not in written


@pytest.mark.parametrize(
    "copied",
    [
        pytest.param(lambda llm: pickle.loads(pickle.dumps(llm)), id="pickle"),
        pytest.param(lambda llm: cloudpickle.loads(cloudpickle.dumps(llm)), id="cloudpickle"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(lambda llm: llm.model_copy(), id="model_copy"),
        pytest.param(lambda llm: llm.model_copy(deep=True), id="deep model_copy"),
    ],
)
@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
async def test_a_copy_answers(emulator: Emulator, copied: Any, used: bool) -> None:
    llm = chat_with(emulator, temperature=0.0)
    if used:
        llm.invoke("Hi")
        await llm.ainvoke("Hi")
    again = copied(llm)
    assert again.invoke("Hi").text == "Hello! How can I help you?"
    assert (await again.ainvoke("Hi")).text == "Hello! How can I help you?"
    assert llm.invoke("Hi").text == "Hello! How can I help you?"
    again.close()
    await again.aclose()
    await llm.aclose()
    llm.close()


def test_a_bound_model_is_pickled(emulator: Emulator) -> None:
    bound = chat_with(emulator).bind(stop=["!"])
    again = cloudpickle.loads(cloudpickle.dumps(bound))
    assert again.invoke("Hi").text == "Hello"
    again.bound.close()
    bound.bound.close()  # type: ignore[attr-defined]
