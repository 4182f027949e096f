"""What a notebook or an editor shows of the classes: signature, docstring, repr, and names."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import langchain_monster
import llama_index_monster
from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.model_base import MonsterModelBase

EACH_CLASS = pytest.mark.parametrize("model", [ChatMonster, MonsterLLM])
KEY = "sk-do-not-show-this"


@EACH_CLASS
def test_a_signature_names_every_argument_and_fits_a_screen(model: Any) -> None:
    signature = inspect.signature(model)
    assert set(signature.parameters) == set(model.model_fields)
    assert list(signature.parameters)[:3] == ["model", "temperature", "max_tokens"]
    assert len(str(signature)) < 1600


def test_a_signature_takes_by_position_what_the_class_does() -> None:
    called = inspect.signature(MonsterLLM).bind("m", 0.5, 10, {}, 2, "https://llm.example/v1", KEY)
    assert called.arguments["api_base"] == "https://llm.example/v1"
    with pytest.raises(TypeError):
        inspect.signature(ChatMonster).bind("m")


def test_a_subclass_shows_its_own_arguments_as_well() -> None:
    class Ours(ChatMonster):
        ours: int = 3

    assert inspect.signature(Ours).parameters["ours"].default == 3


@EACH_CLASS
def test_a_docstring_describes_every_argument_once(model: Any) -> None:
    described = re.findall(r"^ *- ``(\w+)``: \S", model.__doc__, re.MULTILINE)
    assert sorted(described) == sorted(model.model_fields)


@EACH_CLASS
def test_a_docstring_says_of_a_field_what_the_core_says(model: Any) -> None:
    text = " ".join(model.__doc__.split())
    fields = MonsterModelBase.model_fields
    lines = {name: f"- ``{name}``: {fields[name].description}".rstrip(".") for name in fields}
    assert [name for name, line in lines.items() if line not in text] == []


@EACH_CLASS
def test_a_docstring_leads_to_the_guide(model: Any) -> None:
    assert "Guides: https://" in model.__doc__


@EACH_CLASS
def test_a_repr_shows_what_was_set_and_no_secret(model: Any) -> None:
    shown = repr(model(model="m", api_key=KEY, temperature=0.5, default_headers={"x": KEY}))
    headers = "default_headers={'x': SecretStr('**********')}"
    key = "api_key=SecretStr('**********')"
    assert shown == f"{model.__name__}(model='m', {key}, {headers}, temperature=0.5)"


def test_a_repr_shows_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONSTER_API_BASE", "https://llm.example/v1")
    monkeypatch.setenv("MONSTER_MAX_RETRIES", "0")
    assert repr(ChatMonster(model="m")) == (
        "ChatMonster(model='m', base_url='https://llm.example/v1', max_retries=0)"
    )
    assert repr(MonsterLLM()) == (
        "MonsterLLM(model='meta-llama/Meta-Llama-3-8B-Instruct', "
        "api_base='https://llm.example/v1', max_retries=0)"
    )


def test_a_repr_shows_what_was_set_of_the_frameworks() -> None:
    chat = ChatMonster(model="m", tags=["a"], metadata={"a": 1}, profile={"max_input_tokens": 5})
    for shown in ("tags=['a']", "'a': 1", "profile={'max_input_tokens': 5}"):
        assert shown in repr(chat)
    assert "system_prompt='Be brief.'" in repr(MonsterLLM(system_prompt="Be brief."))


@pytest.mark.parametrize(
    "package, names",
    [
        (langchain_monster, {"ChatMonster", "chat_models", "errors"}),
        (llama_index_monster, {"MonsterLLM", "errors"}),
    ],
    ids=["langchain", "llama_index"],
)
def test_a_package_shows_what_there_is_to_import(package: Any, names: set[str]) -> None:
    assert {name for name in dir(package) if not name.startswith("_")} == names
    assert all(hasattr(package, name) for name in names)
