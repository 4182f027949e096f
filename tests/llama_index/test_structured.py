"""Structured output: what is asked, what comes back, and what is emitted."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatStartEvent,
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, ConfigDict, Field

from tests.llama_index.songs import HEY_JUDE, MODES, grow, predict, sent_by, song_llm
from tests.llama_index.toolbox import Song, answered, streamed


@pytest.mark.parametrize("mode", MODES)
def test_an_object_is_predicted_and_grows(calls, mode):
    llm = song_llm(mode)
    assert predict(calls, llm) == HEY_JUDE
    items = grow(calls, llm)
    assert items[-1] == HEY_JUDE
    assert [item.title for item in items[:4]] == [None, "H", "Hey ", "Hey Jud"]
    assert [type(item) for item in items].count(Song) == 1
    assert all(isinstance(item, FlexibleModel) for item in items[:-1])
    assert len({id(item) for item in items}) == len(items)


@pytest.mark.parametrize("mode", MODES)
def test_the_system_prompt_comes_first(calls, mode):
    llm = song_llm(mode, system_prompt="You know songs.")
    bodies = sent_by(llm)
    predict(calls, llm)
    grow(calls, llm)
    for body in bodies:
        assert body["messages"][0]["role"] == "system"
        assert body["messages"][0]["content"].startswith("You know songs.")
        assert body["messages"][-1] == {"role": "user", "content": "The song Hey Jude."}


def test_by_default_the_schema_guides_and_is_in_the_prompt(calls):
    llm = song_llm()
    bodies = sent_by(llm)
    predict(calls, llm)
    grow(calls, llm)
    for body in bodies:
        assert set(body["guided_json"]["properties"]) == {"title", "seconds"}
        assert '"seconds"' in body["messages"][0]["content"]
        assert "tools" not in body


def test_function_mode_forces_the_call_in_streams_too(calls):
    llm = song_llm(PydanticProgramMode.FUNCTION)
    bodies = sent_by(llm)
    predict(calls, llm)
    grow(calls, llm)
    named = {"type": "function", "function": {"name": "Song"}}
    assert [body["tool_choice"] for body in bodies] == [named, named]
    assert all("guided_json" not in body for body in bodies)


@pytest.mark.parametrize("mode", MODES)
def test_the_caller_s_arguments_are_used_and_left_alone(calls, mode):
    llm = song_llm(mode)
    bodies = sent_by(llm)
    given = {"temperature": 0.5, "tool_choice": "none", "tool_required": False}
    given["allow_parallel_tool_calls"] = True
    before = dict(given)
    predict(calls, llm, llm_kwargs=given)
    grow(calls, llm, llm_kwargs=given)
    assert given == before
    assert [body["temperature"] for body in bodies] == [0.5, 0.5]


@pytest.mark.parametrize("mode", MODES)
def test_each_event_is_emitted_once(calls, events, mode):
    llm = song_llm(mode)
    for call, in_progress in ((predict, False), (grow, True)):
        events.clear()
        call(calls, llm)
        kinds = [type(event) for event in events]
        for kind in (
            LLMStructuredPredictStartEvent,
            LLMStructuredPredictEndEvent,
            LLMChatStartEvent,
            LLMChatEndEvent,
        ):
            assert kinds.count(kind) == 1
        assert (LLMStructuredPredictInProgressEvent in kinds) is in_progress
        [end] = [event for event in events if isinstance(event, LLMStructuredPredictEndEvent)]
        assert end.output == HEY_JUDE


def test_aliases_are_the_names_on_the_wire(calls):
    class Aliased(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        length: int = Field(alias="seconds")

    llm = song_llm(text='{"seconds": 5}')
    bodies = sent_by(llm)
    assert predict(calls, llm, Aliased).length == 5
    assert grow(calls, llm, Aliased)[-1].length == 5
    assert set(bodies[0]["guided_json"]["properties"]) == {"seconds"}


def test_a_class_that_is_whole_at_once_is_yielded_as_it_grows(calls):
    class Loose(BaseModel):
        title: str = ""

    items = grow(calls, song_llm(text='{"title": "Hey"}'), Loose)
    assert [item.title for item in items] == ["", "H", "Hey"]
    assert {type(item) for item in items} == {Loose}


def test_llm_mode_is_llama_index_s_text_program(calls, on_emulator):
    llm = on_emulator(pydantic_program_mode=PydanticProgramMode.LLM, system_prompt="Be brief.")
    prompt = PromptTemplate("The song {title}.")
    kwargs = {"max_tokens": 400}
    with pytest.raises(ValueError):  # noqa: PT011 - LlamaIndex's own, as it comes
        answered(calls.is_async, llm, "structured_predict", Song, prompt, kwargs, title="x")
    assert prompt.output_parser is None
    assert kwargs == {"max_tokens": 400}


def test_llm_mode_reads_the_text(calls, events):
    llm = song_llm()
    llm.pydantic_program_mode = PydanticProgramMode.LLM
    bodies = sent_by(llm)
    assert predict(calls, llm) == HEY_JUDE
    kinds = [type(event) for event in events]
    assert kinds.count(LLMStructuredPredictStartEvent) == 1
    assert kinds.count(LLMStructuredPredictEndEvent) == 1
    assert grow(calls, llm)[-1] == HEY_JUDE
    assert all(not {"guided_json", "tools"} & body.keys() for body in bodies)


def test_the_rate_limiter_is_asked_once(calls):
    class Limiter:
        asked = 0

        def acquire(self):
            self.asked += 1

        async def async_acquire(self):
            self.asked += 1

    limiter = Limiter()
    predict(calls, song_llm(rate_limiter=limiter))
    assert limiter.asked == 1


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_a_structured_llm_wraps_it(calls):
    structured = song_llm().as_structured_llm(Song)
    messages = [ChatMessage("The song {title}.")]
    response = answered(calls.is_async, structured, "chat", messages, temperature=0)
    assert response.raw == HEY_JUDE
    assert answered(calls.is_async, structured, "complete", "The song.").raw == HEY_JUDE
    items = streamed(calls.is_async, structured, "stream_chat", messages)
    assert items[-1].raw == HEY_JUDE
    assert structured.metadata == structured.llm.metadata
