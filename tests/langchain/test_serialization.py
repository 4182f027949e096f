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


MODELS: list[dict[str, Any]] = [
    {},
    {"timeout": 3.5},
    {"timeout": httpx.Timeout(7, connect=2)},
    {"timeout": httpx.Timeout(None)},
    {"temperature": 0, "stop": ["x"], "logit_bias": {"5": 1}, "model_kwargs": {"a": 1}},
    {"guided_json": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    {"server": "vllm-0.9"},
    {"base_url": "http://127.0.0.1:8000/v1/", "max_retries": 0, "streaming": False},
]


def test_a_model_is_built_again_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in MODELS:
        llm = ChatMonster(model="m", api_key=SECRET, **given)
        written = dumps(llm)
        with monkeypatch.context() as changed:
            changed.setenv("MONSTER_API_KEY", SECRET)
            again = loaded(written)
        assert again.model_dump() == llm.model_dump()
        assert again.api_key == llm.api_key
        assert dumps(again) == written
        assert again._endpoint() == llm._endpoint()


WRITTEN: list[dict[str, Any]] = [
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
]


def test_a_model_is_written_as_langchain_writes_every_model() -> None:
    for given in WRITTEN:
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


def test_what_is_written_holds_no_secret_and_nothing_that_only_this_process_has() -> None:
    headers = {"x-gateway": f"{SECRET}-header"}
    llm = ChatMonster(
        model="m",
        api_key=SECRET,
        default_headers=headers,
        tokenizer=str.split,
        http_client=httpx.Client(),
    )
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
    assert "tokenizer" not in dumps(llm)
    assert "http_client" not in dumps(llm)


COPIES: dict[str, Any] = {
    "pickle": lambda llm: pickle.loads(pickle.dumps(llm)),
    "cloudpickle": lambda llm: cloudpickle.loads(cloudpickle.dumps(llm)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "model_copy": lambda llm: llm.model_copy(),
    "deep model_copy": lambda llm: llm.model_copy(deep=True),
}


@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
async def test_a_copy_answers(emulator: Emulator, used: bool) -> None:
    for copied in COPIES.values():
        llm = chat_with(emulator, temperature=0.0)
        if used:
            llm.invoke("Hi")
            await llm.ainvoke("Hi")
        again = copied(llm)
        for answer in (again.invoke("Hi"), await again.ainvoke("Hi"), llm.invoke("Hi")):
            assert answer.text == "Hello! How can I help you?"
        for one in (again, llm):
            one.close()
            await one.aclose()


def test_a_deep_copy_shares_no_value_of_the_caller_s() -> None:
    tags = ["a"]
    llm = ChatMonster(model="m", tags=tags)
    assert llm.model_copy(deep=True).tags == tags
    assert llm.model_copy(deep=True).tags is not llm.tags


def test_a_bound_model_is_pickled(emulator: Emulator) -> None:
    bound: Any = chat_with(emulator).bind(stop=["!"])
    again = cloudpickle.loads(cloudpickle.dumps(bound))
    assert again.invoke("Hi").text == "Hello"
    again.bound.close()
    bound.bound.close()
