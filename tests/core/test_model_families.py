"""A model's family is found by its name, and users add families of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core import ModelFamily, model_families, register_model_family
from monster_core.errors import InvalidRequestError
from monster_core.model_families import FAMILIES, family_of

ACME = ModelFamily("acme", tool_format="hermes", has_system_role=False, context_window=12345)


@pytest.mark.parametrize(
    "model, family",
    [
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama-3.1"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "llama-3"),
        ("meta-llama/Llama-3.2-11B-Vision-Instruct", "llama-3-vision"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.1"),
        ("meta-llama/Llama-2-7b-chat-hf", "llama-2"),
        ("google/gemma-2-9b-it", "gemma"),
        ("mistralai/Mistral-7B-Instruct-v0.2", "mistral"),
        ("microsoft/Phi-3-mini-4k-instruct", "phi-3"),
        ("microsoft/Phi-3-medium-128k-instruct", "phi-3-128k"),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "zephyr"),
        ("HuggingFaceH4/zephyr-7b-beta", "zephyr"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen"),
        ("NousResearch/Hermes-2-Pro-Llama-3-8B", "hermes"),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "hermes-3"),
        ("teknium/OpenHermes-2.5-Mistral-7B", "hermes"),
        ("my-own-model", "generic"),
    ],
)
def test_a_family_is_known_by_the_models_name(model: str, family: str) -> None:
    assert family_of(model) is FAMILIES[family]
    assert family_of("my-own-model", family) is FAMILIES[family]


def test_an_unknown_family_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidRequestError, match=r"did you mean 'llama-3\.1'"):
        family_of("m", "llama3.1")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the table as it was."""
    monkeypatch.setattr(model_families, "FAMILIES", FAMILIES.copy())
    monkeypatch.setattr(model_families, "_PATTERNS", model_families._PATTERNS.copy())
    yield
    model_families._FOUND.clear()


@pytest.mark.usefixtures("registry")
def test_a_registered_family_is_found_by_its_pattern_and_by_its_name() -> None:
    assert family_of("ACME-7b-chat").name == "generic"
    register_model_family(ACME, r"acme-\d+b")
    assert family_of("ACME-7b-chat") is ACME
    assert family_of("acme-large").name == "generic"
    assert family_of("anything", "acme") is ACME


@pytest.mark.usefixtures("registry")
def test_a_registered_family_comes_before_those_that_were_there() -> None:
    register_model_family(ACME, "llama")
    assert family_of("meta-llama/Meta-Llama-3.1-8B-Instruct") is ACME
    newer = ModelFamily("newer")
    register_model_family(newer, "llama-3")
    assert family_of("meta-llama/Meta-Llama-3.1-8B-Instruct") is newer
    assert family_of("meta-llama/Llama-2-7b") is ACME


@pytest.mark.usefixtures("registry")
def test_both_classes_know_a_registered_family() -> None:
    register_model_family(ACME, "acme")
    profile = ChatMonster(model="acme-7b", api_key="k").profile
    assert profile is not None
    assert profile["max_input_tokens"] == 12345
    assert MonsterLLM(model="acme-7b", api_key="k").metadata.context_window == 12345


def test_a_family_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="tool_format cannot be 'xml': use one of llama, hermes"):
        ModelFamily("acme", tool_format="xml")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="does not compile"):
        register_model_family(ACME, "acme(")
    assert "acme" not in FAMILIES
