"""``ask_again=True`` reaches the core, of an LLM and of one call."""

from __future__ import annotations

import pytest
from llama_index.core.types import PydanticProgramMode

from tests.llama_index.songs import HEY_JUDE, JSON, MODES, grow, predict
from tests.llama_index.toolbox import Turn, scripted_turns


@pytest.mark.parametrize("mode", MODES)
def test_an_object_is_asked_for_again(calls, mode):
    is_called = mode == PydanticProgramMode.FUNCTION
    good = Turn(calls=(("Song", JSON),)) if is_called else Turn(JSON)
    for call in (predict, grow):
        llm, bodies = scripted_turns(
            Turn("I will not."), good, pydantic_program_mode=mode, ask_again=True
        )
        found = call(calls, llm)
        assert (found[-1] if call is grow else found) == HEY_JUDE
        assert len(bodies) == 2


def test_one_call_can_ask_again(calls):
    llm, bodies = scripted_turns(Turn("I will not."), Turn(JSON))
    assert predict(calls, llm, llm_kwargs={"ask_again": True}) == HEY_JUDE
    assert len(bodies) == 2
