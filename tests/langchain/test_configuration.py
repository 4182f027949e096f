"""Settings changed after construction take effect on the next request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr, ValidationError

from langchain_monster import ChatMonster
from langchain_monster.errors import ConfigurationError, InvalidRequestError
from monster_emulator import Emulator
from tests.langchain.conftest import chat_with
from tests.scripted_replies import small_talk

HELLO = "Hello! How can I help you?"
KEY = "other-key"
THERE = {"model": "there-1", "temperature": 0.5}


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Emulator]:
    with Emulator(model="there-1", api_key=KEY, replies=small_talk) as emulator:
        yield emulator


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


@pytest.mark.parametrize("changed", [assigned, copied, deeply_copied, configured])
async def test_another_endpoint_is_asked_from_the_next_call_on(
    emulator: Emulator, elsewhere: Emulator, changed: Any
) -> None:
    for key, ending in ((KEY, ""), (SecretStr(KEY), "/")):
        emulator.requests.clear()
        elsewhere.requests.clear()
        llm = chat_with(emulator)
        llm.invoke("Hi")
        there = changed(llm, {"base_url": elsewhere.base_url + ending, "api_key": key, **THERE})
        assert there.invoke("Hi").text == HELLO
        chunks = list(there.stream("Hi"))
        assert "".join(chunk.text for chunk in chunks) == HELLO
        assert len(chunks) > 5
        await there.ainvoke("Hi")
        assert len(emulator.requests) == 1
        bodies = [request.body for request in elsewhere.requests]
        assert {(body["model"], body["temperature"]) for body in bodies} == {("there-1", 0.5)}
        assert len(bodies) == 3
        if changed is not assigned:
            llm.invoke("Hi")
            assert [one.body["model"] for one in emulator.requests] == [emulator.model] * 2


def test_a_value_that_cannot_be_is_refused_when_it_is_set(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="temprature"):
        chat_with(emulator).model_copy(update={"temprature": 1.0})
    with pytest.raises(ValidationError, match="encode"):
        ChatMonster(model="m", tokenizer=3)
    with pytest.raises(ValueError, match="encode"):
        chat_with(emulator).tokenizer = 3
    refused: dict[str, tuple[type[Exception], list[Any]]] = {
        "temperature": (InvalidRequestError, ["hot", -1.0]),
        "max_tokens": (InvalidRequestError, [0]),
        "family": (InvalidRequestError, ["no-such-family"]),
        "base_url": (ConfigurationError, ["nonsense", "http://example.com/v1"]),
    }
    for name, (error, values) in refused.items():
        for value in values:
            for changed in (assigned, copied):
                with pytest.raises(error):
                    changed(chat_with(emulator), {name: value})


def test_bound_arguments_win_over_fields(emulated: ChatMonster, emulator: Emulator) -> None:
    emulated.temperature = 0.1
    emulated.bind(temperature=0.9, top_p=None).with_config(tags=["a"]).invoke("Hi")
    assert emulator.requests[0].body["temperature"] == 0.9
