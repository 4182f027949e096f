"""What a model can do, known by its name or asked of the endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.runnables import ConfigurableField

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError, NotFoundError
from monster_core.models_endpoint import ServedModel
from monster_emulator import Emulator
from tests.core.scripted_server import reply
from tests.langchain.answering import WAYS, Way
from tests.langchain.conftest import Scripted, chat_with
from tests.recorded_endpoint import MODEL

every_way = pytest.mark.parametrize("way", WAYS)


def chat(model: str | None = MODEL, **given: Any) -> ChatMonster:
    return ChatMonster(model=model, api_key="k", **given)


async def discovered(llm: ChatMonster, way: Way) -> Any:
    if way == "sync":
        return llm.discover_model_profile()
    return await llm.adiscover_model_profile()


def test_the_profile_follows_from_the_name() -> None:
    profile = chat().profile or {}
    assert profile["max_input_tokens"] == 131072
    assert profile["tool_calling"]
    assert profile["tool_choice"]
    assert profile["structured_output"]
    assert not profile["image_inputs"]


def test_a_vision_model_takes_images() -> None:
    profile = chat("meta-llama/Llama-3.2-11B-Vision-Instruct").profile or {}
    assert profile["image_inputs"]
    assert profile["image_url_inputs"]


def test_an_unknown_name_promises_no_context_window() -> None:
    assert "max_input_tokens" not in (chat("my-own-model").profile or {})


def test_the_family_decides_where_the_name_does_not() -> None:
    assert (chat("my-own-model", family="llama-3").profile or {})["max_input_tokens"] == 8192


@pytest.mark.parametrize(
    "model",
    [
        "Qwen/Qwen2.5-7B-Instruct",
        "google/gemma-3-27b-it",
        "microsoft/Phi-3.5-mini-instruct",
        "mistralai/Mistral-Nemo-Instruct-2407",
        "NousResearch/Hermes-2-Pro-Mistral-7B",
        "HuggingFaceH4/zephyr-7b-beta",
    ],
)
async def test_a_family_of_several_context_windows_promises_none(model: str) -> None:
    assert "max_input_tokens" not in (chat(model).profile or {})
    with Emulator(model=model, max_model_len=4321) as emulator:
        llm = chat_with(emulator, model=model)
        assert llm.discover_model_profile()["max_input_tokens"] == 4321


def test_no_model_has_no_profile() -> None:
    assert chat(None).profile is None


def test_a_profile_of_your_own_wins() -> None:
    assert chat(profile={"max_input_tokens": 1234}).profile == {"max_input_tokens": 1234}


def test_the_profile_follows_another_model() -> None:
    llm = chat()
    llm.model = "meta-llama/Meta-Llama-3-8B-Instruct"
    assert (llm.profile or {})["max_input_tokens"] == 8192
    assert (llm.model_copy(update={"model": MODEL}).profile or {})["max_input_tokens"] == 131072


def test_the_profile_follows_a_configured_model() -> None:
    llm: Any = chat().configurable_fields(model=ConfigurableField(id="model"))
    configured, _ = llm.prepare({"configurable": {"model": "meta-llama/Meta-Llama-3-8B-Instruct"}})
    assert configured.profile["max_input_tokens"] == 8192


def test_a_profile_of_your_own_stays_with_another_model() -> None:
    llm = chat(profile={"name": "Mine", "max_input_tokens": 1234})
    llm.model = "google/gemma-2-9b-it"
    assert llm.profile == {"name": "Mine", "max_input_tokens": 1234}


@every_way
async def test_the_endpoint_tells_the_context_window(way: Way) -> None:
    with Emulator(max_model_len=4321) as emulator:
        llm = chat_with(emulator)
        profile = await discovered(llm, way)
    assert profile["max_input_tokens"] == 4321
    assert profile["tool_calling"]
    assert llm.profile == profile


@every_way
async def test_what_you_set_in_the_profile_outlives_discovery(way: Way) -> None:
    with Emulator(max_model_len=4321) as emulator:
        llm = chat_with(emulator, profile={"max_input_tokens": 99})
        profile = await discovered(llm, way)
    assert profile["max_input_tokens"] == 99
    assert profile["tool_calling"]


async def test_an_endpoint_that_tells_nothing_leaves_what_the_name_says(scripted: Scripted) -> None:
    llm, _ = scripted(reply(404, {"message": "Not Found"}))
    assert llm.discover_model_profile()["max_input_tokens"] == 131072


@every_way
async def test_discovery_needs_a_model(way: Way) -> None:
    with pytest.raises(InvalidRequestError, match="MONSTER_MODEL"):
        await discovered(chat(None), way)


@every_way
async def test_the_served_models_are_listed(way: Way) -> None:
    with Emulator(model=["one", "two"], max_model_len=99) as emulator:
        llm = chat_with(emulator)
        served = llm.models() if way == "sync" else await llm.amodels()
    assert served == [ServedModel("one", 99), ServedModel("two", 99)]


@every_way
async def test_a_list_that_is_not_there_is_langchains_error(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(reply(404, {"message": "Not Found"}))
    with pytest.raises(NotFoundError):
        llm.models() if way == "sync" else await llm.amodels()


@pytest.mark.vcr
async def test_a_real_endpoint_tells_its_context_window() -> None:
    llm = ChatMonster(model=MODEL)
    assert MODEL in [served.id for served in llm.models()]
    assert (await llm.adiscover_model_profile())["max_input_tokens"] == 8192


def test_langchain_still_warns_of_unknown_keys_in_a_profile_of_your_own() -> None:
    with pytest.warns(UserWarning, match="colour"):
        chat(profile={"name": MODEL, "colour": "red"})
