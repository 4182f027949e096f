"""Tools in the form of any provider reach the model with their schemas, or are refused by name."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from monster_core.errors import InvalidRequestError
from tests.core.request.test_tool_definitions import BUILTIN, FORMS
from tests.llama_index.songs import predict, sent_by, song_llm
from tests.llama_index.toolbox import Turn, answered, scripted_turns


@pytest.mark.parametrize("form", FORMS)
def test_a_tool_in_the_form_of_any_provider_is_shown_with_its_schema(calls: Any, form: str) -> None:
    llm, bodies = scripted_turns(Turn("Well."))
    answered(calls.is_async, llm, "complete", "Hi", tools=[FORMS[form]])
    system = bodies[0]["messages"][0]["content"]
    assert '"name":"weather","description":"Tell it."' in system
    assert '"city":{"type":"string"}' in system


@pytest.mark.parametrize("tool, name", BUILTIN, ids=str)
def test_a_tool_that_its_provider_runs_is_refused_by_name(
    calls: Any, tool: dict[str, Any], name: str
) -> None:
    llm = song_llm()
    bodies = sent_by(llm)
    with pytest.raises(InvalidRequestError, match=f"'{name}' is one that another provider defines"):
        answered(calls.is_async, llm, "complete", "Hi", tools=[tool])
    assert not bodies


def test_choices_that_are_the_same_text_are_refused(calls: Any) -> None:
    with pytest.raises(InvalidRequestError, match="cannot tell 1 from '1'"):
        predict(calls, song_llm(), Literal[1, "1"])
