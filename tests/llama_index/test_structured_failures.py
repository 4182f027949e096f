"""How structured output fails, and what it does not fail at."""

from __future__ import annotations

import time
from typing import Any

import pytest
from llama_index.core.types import PydanticProgramMode
from pydantic import model_validator

from llama_index_monster import MonsterLLM
from monster_core.errors import InvalidRequestError, StructuredAnswerError, TruncatedAnswerError
from monster_emulator import Emulator
from tests.llama_index.songs import HEY_JUDE, JSON, MODES, PROMPT, grow, predict, song_llm
from tests.llama_index.toolbox import Song, scripted
from tests.recorded_endpoint import MODEL


@pytest.mark.parametrize("mode", MODES)
def test_a_truncated_answer_is_named(calls, mode):
    llm = song_llm(mode, JSON[:20], "length")
    with pytest.raises(TruncatedAnswerError, match="raise max_tokens"):
        predict(calls, llm)
    with pytest.raises(TruncatedAnswerError, match="raise max_tokens"):
        grow(calls, llm)
    seen = []
    with pytest.raises(TruncatedAnswerError):
        seen.extend(llm.stream_structured_predict(Song, PROMPT, title=""))
    assert seen[-1].title == "Hey Jude"


@pytest.mark.parametrize("mode", MODES)
def test_a_whole_answer_at_the_limit_is_good(calls, mode):
    llm = song_llm(mode, JSON, "length")
    assert predict(calls, llm) == grow(calls, llm)[-1] == HEY_JUDE


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "text, said",
    [
        ('{"title": "a", "seconds": -1}', "seconds"),
        ('{"title": "a"}', "seconds"),
        ("{title}", "not JSON"),
        ("[1]", "should be an object|not an object"),
    ],
    ids=["out-of-range", "missing", "no-json", "array"],
)
def test_an_answer_of_another_form_is_an_error(calls, mode, text, said):
    for call in (predict, grow):
        with pytest.raises(StructuredAnswerError, match=said) as raised:
            call(calls, song_llm(mode, text))
        assert isinstance(raised.value, ValueError)


def test_a_function_that_is_not_called_is_an_error(calls):
    llm = scripted({"content": "No."}, [{"content": "No."}])
    llm.pydantic_program_mode = PydanticProgramMode.FUNCTION
    for call in (predict, grow):
        with pytest.raises(StructuredAnswerError, match=r"called no function; it said 'No\.'"):
            call(calls, llm)


def test_json_in_a_fence_is_read_where_the_server_does_not_guide(calls):
    llm = song_llm(text=f"```json\n{JSON}\n```")
    assert predict(calls, llm) == HEY_JUDE
    assert grow(calls, llm)[-1] == HEY_JUDE


def test_a_validator_may_trip_over_half_an_object(calls):
    class Checked(Song):
        @model_validator(mode="before")
        @classmethod
        def _check(cls, data: Any) -> Any:
            return {**data, "title": data["title"].upper(), "seconds": data["seconds"] + 1}

    items = grow(calls, song_llm(), Checked)
    assert items[-1] == Checked.model_construct(title="HEY JUDE", seconds=432)
    assert items[1].title == "H"


def test_a_second_schema_is_refused(calls):
    with pytest.raises(InvalidRequestError, match="guided_json"):
        predict(calls, song_llm(), llm_kwargs={"guided_json": {"type": "object"}})


@pytest.mark.parametrize(
    "mode, error",
    [
        (PydanticProgramMode.OPENAI, ImportError),
        (PydanticProgramMode.LM_FORMAT_ENFORCER, ImportError),
        (PydanticProgramMode.GUIDANCE, ValueError),
    ],
)
def test_modes_of_other_packages_say_so(calls, mode, error):
    llm = song_llm()
    llm.pydantic_program_mode = mode
    for call in (predict, grow):
        with pytest.raises(error):
            call(calls, llm)


def test_a_stream_that_is_left_frees_the_server():
    with Emulator(model=MODEL, pace=0.01) as emulator:
        llm = MonsterLLM(MODEL, api_base=emulator.base_url, api_key=emulator.api_key)
        growing = llm.stream_structured_predict(Song, PROMPT, title="x")
        next(growing)
        growing.close()
        end = time.monotonic() + 2
        while not emulator.aborted and time.monotonic() < end:
            time.sleep(0.005)
        assert (emulator.aborted, emulator.in_progress) == (1, 0)
