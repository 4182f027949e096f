"""The arguments that type checkers see are those that the classes take."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from langchain_monster.chat_models import ChatMonster, ChatMonsterArguments
from llama_index_monster.base import MonsterLLM, MonsterLLMArguments


@pytest.mark.parametrize(
    "model, declared",
    [(ChatMonster, ChatMonsterArguments), (MonsterLLM, MonsterLLMArguments)],
    ids=["ChatMonster", "MonsterLLM"],
)
def test_a_type_checker_knows_every_field_and_no_other(model: Any, declared: Any) -> None:
    named = set(inspect.signature(model.__init__).parameters) - {"self", "arguments", "kwargs"}
    known = named | set(declared.__annotations__)
    assert known - {"class_name"} == set(model.model_fields)


@pytest.mark.parametrize(
    "declared, unchecked",
    [(ChatMonsterArguments, {"tokenizer"}), (MonsterLLMArguments, {"rate_limiter"})],
)
def test_a_type_checker_checks_every_argument_but_those_of_no_class(
    declared: Any, unchecked: set[str]
) -> None:
    annotations = declared.__annotations__
    kinds = {name: getattr(kind, "__forward_arg__", "") for name, kind in annotations.items()}
    assert {name for name, kind in kinds.items() if kind == "Any"} == unchecked
    assert "" not in kinds.values()
