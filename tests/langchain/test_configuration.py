"""Settings changed after construction take effect on the next request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr, ValidationError

from langchain_monster import ChatMonster
from langchain_monster.errors import AuthenticationError, ConfigurationError, InvalidRequestError
from monster_emulator import Emulator
from tests.langchain.conftest import chat_with
from tests.scripted_replies import small_talk

THERE = {"model": "there-1", "temperature": 0.5}


@pytest.fixture(scope="module")
def other_emulator() -> Iterator[Emulator]:
    with Emulator(model="there-1", api_key="other-key", replies=small_talk) as emulator:
        yield emulator


@pytest.fixture
def elsewhere(other_emulator: Emulator) -> Emulator:
    other_emulator.requests.clear()
    return other_emulator


def assigned(llm: ChatMonster, changes: dict[str, Any]) -> ChatMonster:
    for name, value in changes.items():
        setattr(llm, name, value)
    return llm


def copied(llm: ChatMonster, changes: dict[str, Any]) -> ChatMonster:
    return llm.model_copy(update=changes)


def deeply_copied(llm: ChatMonster, changes: dict[str, Any]) -> ChatMonster:
    return llm.model_copy(update=changes, deep=True)


def configured(llm: ChatMonster, changes: dict[str, Any]) -> Any:
    fields: Any = {name: ConfigurableField(id=name) for name in changes}
    return llm.configurable_fields(**fields).with_config(configurable=changes)


CHANGES = [assigned, copied, deeply_copied, configured]


@pytest.mark.parametrize("changed", CHANGES)
@pytest.mark.parametrize("key", ["other-key", SecretStr("other-key")], ids=["text", "secret"])
@pytest.mark.parametrize("ending", ["", "/"])
def test_another_endpoint_is_asked_from_the_next_call_on(
    emulator: Emulator, elsewhere: Emulator, changed: Any, key: Any, ending: str
) -> None:
    llm = chat_with(emulator)
    llm.invoke("Hi")
    changes = {"base_url": elsewhere.base_url + ending, "api_key": key, **THERE}
    there = changed(llm, changes)
    assert there.invoke("Hi").text == "Hello! How can I help you?"
    assert "".join(chunk.text for chunk in there.stream("Hi")) == "Hello! How can I help you?"
    asyncio.run(there.ainvoke("Hi"))
    assert len(emulator.requests) == 1
    bodies = [request.body for request in elsewhere.requests]
    assert {(body["model"], body["temperature"]) for body in bodies} == {("there-1", 0.5)}
    assert len(bodies) == 3


@pytest.mark.parametrize("changed", [copied, deeply_copied, configured])
def test_the_original_stays_as_it_was(
    emulator: Emulator, elsewhere: Emulator, changed: Any
) -> None:
    llm = chat_with(emulator)
    changed(llm, {"base_url": elsewhere.base_url, "api_key": "other-key", **THERE}).invoke("Hi")
    llm.invoke("Hi")
    assert len(emulator.requests) == len(elsewhere.requests) == 1
    assert emulator.requests[0].body["model"] == emulator.model


def test_a_configured_model_still_streams(emulator: Emulator) -> None:
    llm = configured(chat_with(emulator), {"temperature": 0.5})
    assert len(list(llm.stream("Count to 20"))) > 5


@pytest.mark.parametrize("changed", [assigned, copied])
def test_a_value_out_of_range_is_refused_when_it_is_set(emulator: Emulator, changed: Any) -> None:
    with pytest.raises((InvalidRequestError, ValueError), match="temperature"):
        changed(chat_with(emulator), {"temperature": -1.0})


def test_an_unknown_field_cannot_be_set(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="temprature"):
        chat_with(emulator).model_copy(update={"temprature": 1.0})


def test_what_cannot_count_tokens_is_not_a_tokenizer(emulator: Emulator) -> None:
    with pytest.raises(ValidationError, match="encode"):
        ChatMonster(model="m", tokenizer=3)
    with pytest.raises(ValueError, match="encode"):
        chat_with(emulator).tokenizer = 3


def test_bound_arguments_win_over_fields(emulated: ChatMonster, emulator: Emulator) -> None:
    emulated.temperature = 0.1
    emulated.bind(temperature=0.9, top_p=None).with_config(tags=["a"]).invoke("Hi")
    assert emulator.requests[0].body["temperature"] == 0.9


@pytest.mark.parametrize("name", ["extra_body", "temprature"])
def test_an_unknown_argument_of_a_call_is_refused_before_it_is_sent(
    emulated: ChatMonster, emulator: Emulator, name: str
) -> None:
    given: dict[str, Any] = {name: {"x": "y"}}
    with pytest.raises(InvalidRequestError, match=name):
        emulated.invoke("Hi", **given)
    assert emulator.requests == []


def test_a_missing_key_is_named_at_the_first_call() -> None:
    llm = ChatMonster(model="m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ConfigurationError, match="MONSTER_API_KEY"):
        llm.invoke("Hi")


def test_a_fallback_answers_where_the_first_model_is_refused(
    emulator: Emulator, elsewhere: Emulator
) -> None:
    refused = chat_with(emulator, api_key="wrong")
    with pytest.raises(AuthenticationError):
        refused.invoke("Hi")
    llm = refused.with_fallbacks([chat_with(elsewhere)])
    assert llm.invoke("Hi").text == "Hello! How can I help you?"
