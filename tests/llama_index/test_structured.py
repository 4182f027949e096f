"""Structured output: what is asked, what is emitted, and what goes wrong."""

from __future__ import annotations

import json
from typing import Any

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
from pydantic import BaseModel, ConfigDict, Field, model_validator

from llama_index_monster import MonsterLLM
from monster_core.errors import InvalidRequestError, StructuredAnswerError, TruncatedAnswerError
from tests.llama_index.toolbox import Song, answered, scripted, streamed

PROMPT = PromptTemplate("The song {title}.")
HEY_JUDE = Song(title="Hey Jude", seconds=431)
JSON = '{"title": "Hey Jude", "seconds": 431}'
MODES = [PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION]


def song_llm(mode=PydanticProgramMode.DEFAULT, text=JSON, finish_reason="stop", **kwargs):
    """An LLM whose server answers with this text, or with this text as a call's arguments."""
    pieces = [text[start : start + 3] for start in range(0, len(text), 3)]
    if mode == PydanticProgramMode.FUNCTION:
        call = {"id": "1", "type": "function", "function": {"name": "Song", "arguments": text}}
        message: dict[str, Any] = {"content": "", "tool_calls": [call]}
        deltas: list[dict[str, Any]] = [
            {"tool_calls": [{"function": {"name": "Song", "arguments": piece}}]} for piece in pieces
        ]
    else:
        message, deltas = {"content": text}, [{"content": piece} for piece in pieces]
    return scripted(message, deltas, finish_reason, pydantic_program_mode=mode, **kwargs)


def predict(calls, llm, output_cls=Song, **kwargs):
    kwargs = {"title": "Hey Jude", **kwargs}
    return answered(calls.is_async, llm, "structured_predict", output_cls, PROMPT, **kwargs)


def grow(calls, llm, output_cls=Song, **kwargs):
    kwargs = {"title": "Hey Jude", **kwargs}
    return streamed(calls.is_async, llm, "stream_structured_predict", output_cls, PROMPT, **kwargs)


def sent_by(llm):
    """Collect the bodies that an LLM sends."""
    bodies: list[dict[str, Any]] = []
    transport = llm.http_client._transport  # both clients have the same
    handle = transport.handler

    def kept(request):
        bodies.append(json.loads(request.content))
        return handle(request)

    transport.handler = kept
    return bodies


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


def test_by_default_the_schema_guides_and_is_told(calls):
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
        ("{title}", "no JSON"),
        ("[1]", "valid dictionary|no object"),
    ],
    ids=["out-of-range", "missing", "no-json", "array"],
)
def test_an_answer_of_another_shape_is_an_error(calls, mode, text, said):
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


def test_aliases_are_the_names_on_the_wire(calls):
    class Aliased(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        length: int = Field(alias="seconds")

    llm = song_llm(text='{"seconds": 5}')
    bodies = sent_by(llm)
    assert predict(calls, llm, Aliased).length == 5
    assert grow(calls, llm, Aliased)[-1].length == 5
    assert set(bodies[0]["guided_json"]["properties"]) == {"seconds"}


def test_a_validator_may_trip_over_half_an_object(calls):
    class Checked(Song):
        @model_validator(mode="before")
        @classmethod
        def _check(cls, data: Any) -> Any:
            return {**data, "title": data["title"].upper(), "seconds": data["seconds"] + 1}

    items = grow(calls, song_llm(), Checked)
    assert items[-1] == Checked.model_construct(title="HEY JUDE", seconds=432)
    assert items[1].title == "H"


def test_a_class_that_is_whole_at_once_is_yielded_as_it_grows(calls):
    class Loose(BaseModel):
        title: str = ""

    items = grow(calls, song_llm(text='{"title": "Hey"}'), Loose)
    assert [item.title for item in items] == ["", "H", "Hey"]
    assert {type(item) for item in items} == {Loose}


def test_a_second_schema_is_refused(calls):
    with pytest.raises(InvalidRequestError, match="guided_json"):
        predict(calls, song_llm(), llm_kwargs={"guided_json": {"type": "object"}})


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


def test_a_stream_that_is_left_is_closed(calls):
    closed = []

    class Left(MonsterLLM):
        def _responses(self, plan):
            try:
                yield from super()._responses(plan)
            finally:
                closed.append(True)

    llm = song_llm()
    left = Left(api_base=llm.api_base, api_key="k", http_client=llm.http_client, max_retries=0)
    growing = left.stream_structured_predict(Song, PROMPT, title="x")
    next(growing)
    growing.close()
    assert closed == [True]
