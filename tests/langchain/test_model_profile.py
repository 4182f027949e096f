"""What a model can do, known by its name or asked of the endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.runnables import ConfigurableField

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError, NotFoundError, RequestTimeoutError
from monster_core.models_endpoint import ServedModel
from monster_emulator import Emulator
from tests.core.scripted_server import Reply, reply
from tests.langchain.answering import Way, every_way
from tests.langchain.conftest import Scripted, chat_with
from tests.recorded_endpoint import MODEL

OF_LLAMA_3 = "meta-llama/Meta-Llama-3-8B-Instruct"


def chat(model: str | None = MODEL, **given: Any) -> ChatMonster:
    return ChatMonster(model=model, api_key="k", **given)


async def discovered(llm: ChatMonster, way: Way, **given: Any) -> Any:
    if way == "sync":
        return llm.discover_model_profile(**given)
    return await llm.adiscover_model_profile(**given)


def test_the_profile_follows_from_the_name() -> None:
    profile: Any = chat().profile
    assert profile["max_input_tokens"] == 131072
    for name in ("tool_calling", "tool_choice", "tool_call_streaming", "structured_output"):
        assert profile[name]
    assert not any(profile[name] for name in ("image_inputs", "image_url_inputs", "pdf_inputs"))
    vision: Any = chat("meta-llama/Llama-3.2-11B-Vision-Instruct").profile
    assert vision["image_inputs"]
    assert vision["image_url_inputs"]
    assert "max_input_tokens" not in (chat("my-own-model").profile or {})
    assert (chat("my-own-model", family="llama-3").profile or {})["max_input_tokens"] == 8192
    assert chat(None).profile is None


def test_a_family_of_several_context_windows_promises_none() -> None:
    models = [
        "Qwen/Qwen2.5-7B-Instruct",
        "google/gemma-3-27b-it",
        "microsoft/Phi-3.5-mini-instruct",
        "mistralai/Mistral-Nemo-Instruct-2407",
        "NousResearch/Hermes-2-Pro-Mistral-7B",
        "HuggingFaceH4/zephyr-7b-beta",
    ]
    for model in models:
        assert "max_input_tokens" not in (chat(model).profile or {}), model
    with Emulator(model=models, max_model_len=4321) as emulator:
        llm = chat_with(emulator, model=models[-1])
        assert llm.discover_model_profile()["max_input_tokens"] == 4321


def test_the_profile_follows_another_model() -> None:
    llm = chat()
    llm.model = OF_LLAMA_3
    assert (llm.profile or {})["max_input_tokens"] == 8192
    assert (llm.model_copy(update={"model": MODEL}).profile or {})["max_input_tokens"] == 131072
    configurable: Any = chat().configurable_fields(model=ConfigurableField(id="model"))
    configured, _ = configurable.prepare({"configurable": {"model": OF_LLAMA_3}})
    assert configured.profile["max_input_tokens"] == 8192
    own = chat("my-own-model")
    own.family = "llama-3"
    assert (own.profile or {})["max_input_tokens"] == 8192


def test_a_profile_of_your_own_wins_and_stays_with_another_model() -> None:
    given: Any = {"name": "Mine", "max_input_tokens": 1234}
    llm = chat(profile=given)
    assert llm.profile == given
    llm.model = "google/gemma-2-9b-it"
    assert llm.profile == given
    with pytest.warns(UserWarning, match="colour"):
        chat(profile={"name": MODEL, "colour": "red"})


@every_way
async def test_the_endpoint_tells_the_context_window(way: Way) -> None:
    with Emulator(model=["one", "two"], max_model_len=4321) as emulator:
        llm = chat_with(emulator, model="one")
        own = chat_with(emulator, model="two", profile={"max_input_tokens": 99})
        profile = await discovered(llm, way)
        assert (await discovered(own, way))["max_input_tokens"] == 99
        served = llm.models() if way == "sync" else await llm.amodels()
    assert profile["max_input_tokens"] == 4321
    assert profile["tool_calling"]
    assert llm.profile == profile
    llm.model = OF_LLAMA_3
    assert (llm.profile or {})["max_input_tokens"] == 8192
    assert (own.profile or {})["tool_calling"]
    assert served == [ServedModel("one", 4321), ServedModel("two", 4321)]


@every_way
async def test_an_endpoint_that_tells_nothing_leaves_what_the_name_says(
    scripted: Scripted, way: Way
) -> None:
    llm, _ = scripted(reply(404, {"message": "Not Found"}))
    assert (await discovered(llm, way))["max_input_tokens"] == 131072
    with pytest.raises(NotFoundError):
        llm.models() if way == "sync" else await llm.amodels()
    slow, _ = scripted(Reply([1.0, *reply(404).parts]))
    with pytest.raises(RequestTimeoutError):
        await discovered(slow, way, timeout=0.1)
    with pytest.raises(InvalidRequestError, match="MONSTER_MODEL"):
        await discovered(chat(None), way)


@pytest.mark.vcr
async def test_a_real_endpoint_tells_its_context_window() -> None:
    llm = ChatMonster(model=MODEL)
    assert MODEL in [served.id for served in llm.models()]
    assert (await llm.adiscover_model_profile())["max_input_tokens"] == 8192
