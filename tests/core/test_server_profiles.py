"""A server's profile is found by its name or its release, and users add profiles of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from langchain_core.messages import HumanMessage
from pydantic import ValidationError

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core import (
    ServerProfile,
    register_server_profile,
    server_profile,
    server_profiles,
)
from monster_core.errors import InvalidRequestError
from monster_core.json_schema.engines import ENGINES, XGRAMMAR
from monster_core.server_profiles import SERVER_PROFILES, profile_of_release

BOTH = pytest.mark.parametrize("model_class", [ChatMonster, MonsterLLM])


@pytest.mark.parametrize(
    "name, profile",
    [
        (None, "vllm-0.5"),
        ("vllm-0.5", "vllm-0.5"),
        ("vllm-0.5.5", "vllm-0.5"),
        ("vllm-0.6", "vllm-0.6"),
        ("vllm-0.6.0", "vllm-0.6"),
        ("vllm-0.6.4", "vllm-0.6"),
        ("vllm-0.6.5", "vllm-0.6"),
        ("vllm-0.6.6", "vllm-0.6.6"),
        ("vllm-0.7.2", "vllm-0.6.6"),
        ("vllm-0.8", "vllm-0.6.6"),
        ("vllm-0.8.3", "vllm-0.8.3"),
        ("vllm-0.9", "vllm-0.8.3"),
        ("vllm-0.10.2", "vllm-0.8.3"),
        ("vllm-0.11", "vllm-0.11"),
        ("vllm-0.11.2", "vllm-0.11"),
        ("vllm-0.12", "vllm"),
        ("vllm-0.32.0", "vllm"),
        ("vllm-1.0", "vllm"),
        ("vllm", "vllm"),
    ],
)
def test_a_release_gets_the_profile_that_fits(name: str | None, profile: str) -> None:
    assert server_profile(name) is SERVER_PROFILES[profile]


@pytest.mark.parametrize(
    "version, profile",
    [
        ("0.4.3", None),
        ("0.5.0.post1", "vllm-0.5"),
        ("0.6.3.post1", "vllm-0.6"),
        ("0.8.5.dev123+gabcdef", "vllm-0.8.3"),
        ("0.11.1rc2", "vllm-0.11"),
        ("0.32.0", "vllm"),
        ("v0.6", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_a_version_as_a_server_writes_it_has_a_profile(version: str, profile: str | None) -> None:
    found = profile_of_release(version)
    assert (found and found.name) == profile


@BOTH
@pytest.mark.parametrize("name", ["vlm", "vllm-0.4", "vllm-0.6.x", "vllm-", "openai", "VLLM-O.5"])
def test_an_unknown_server_is_refused_in_a_sentence_with_the_names(
    model_class: Any, name: str
) -> None:
    with pytest.raises(ValidationError, match=f"Unknown server '{name}'.* Known are vllm-0.5, "):
        model_class(model="m", api_key="k", server=name)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the table as it was."""
    monkeypatch.setattr(server_profiles, "SERVER_PROFILES", SERVER_PROFILES.copy())


@BOTH
@pytest.mark.usefixtures("registry")
def test_both_classes_know_a_registered_server(model_class: Any) -> None:
    ours = replace(server_profile("vllm"), name="ours", native_choices=frozenset())
    register_server_profile(ours)
    assert server_profile("ours") is ours
    assert model_class(model="m", api_key="k", server="ours").server == "ours"


@pytest.mark.usefixtures("registry")
def test_a_registered_profile_takes_the_place_of_one_of_its_name_and_releases() -> None:
    cautious = replace(server_profile("vllm"), native_choices=frozenset({"named"}))
    register_server_profile(cautious)
    assert server_profile("vllm") is server_profile("vllm-0.20") is cautious


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"name": ""}, "name is a text, not ''"),
        ({"name": "a", "guide_form": "xml"}, "guide_form cannot be 'xml': use one of guided,"),
        ({"name": "a", "native_choices": {"required"}}, "native_choices cannot be 'required'"),
        ({"name": "a", "schema_engines": ["x"]}, "schema_engines cannot be 'x'"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ServerProfile(**arguments)


def test_a_profile_may_be_given_any_collections() -> None:
    loose: Any = {"native_choices": {"named"}, "schema_engines": ["outlines"]}
    profile = ServerProfile("ours", **loose)
    assert profile == ServerProfile("ours", schema_engines=("outlines",))
    assert hash(profile) == hash(ServerProfile("ours"))


def test_every_engine_of_a_profile_is_there() -> None:
    known = {engine.name for engine in (*ENGINES, XGRAMMAR)}
    assert {name for p in SERVER_PROFILES.values() for name in p.schema_engines} <= known
    assert set(get_args(server_profiles.SchemaEngineName)) == known


def test_a_server_whose_profile_is_gone_is_refused_by_the_call() -> None:
    llm = ChatMonster.model_construct(model="m", server="gone")
    with pytest.raises(InvalidRequestError, match="Unknown server 'gone'"):
        llm._build_request([HumanMessage("Hi")], None, {})
