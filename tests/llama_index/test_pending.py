"""Responses of streams are filled in when they are looked at, and nobody can tell."""

from __future__ import annotations

import copy
import json
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pydantic_core
import pytest
from llama_index.core.base.llms.types import ChatResponse, CompletionResponse
from llama_index.core.instrumentation.events.llm import LLMChatInProgressEvent
from pydantic import BaseModel, Field

from llama_index_monster.answers import StreamedAnswer, to_streamed_completion
from llama_index_monster.pending import Pending
from monster_core.response.partial_json import PartialJson
from monster_core.response.types import Chunk, ToolCallDelta, Usage

ARGUMENTS = '{"title": "Yesterday", "years": [1965, 2000], "by": {"name": "The Beatles"}}'


def chunks() -> list[Chunk]:
    """A stream with reasoning, text, log probabilities and a call in pieces."""
    pieces = [Chunk("1", "m", reasoning=f"{number} ") for number in range(3)]
    pieces += [
        Chunk(
            "1",
            "m",
            f"word{number} ",
            logprobs={"content": [{"token": f"word{number}", "logprob": -0.5, "bytes": []}]},
            raw={"id": "1", "choices": [{"delta": {"content": f"word{number} "}}]},
        )
        for number in range(5)
    ]
    starts = range(0, len(ARGUMENTS), 5)
    for place, start in enumerate(starts):
        first = ("call_1", "find") if place == 0 else (None, None)
        delta = ToolCallDelta(0, *first, ARGUMENTS[start : start + 5])
        pieces.append(Chunk("1", "m", tool_calls=[delta]))
    pieces.append(Chunk("1", "m", finish_reason="tool_calls"))
    pieces.append(Chunk("1", "m", usage=Usage(5, 7, 12), is_last=True))
    return pieces


def streamed() -> list[Any]:
    answer = StreamedAnswer()
    return [answer.add(chunk) for chunk in chunks()]


def looked_at_at_once() -> list[ChatResponse]:
    answer = StreamedAnswer()
    whole = []
    for chunk in chunks():
        response = answer.add(chunk)
        whole.append(ChatResponse(**dict(response)))
    return whole


def is_plain(response: BaseModel) -> bool:
    return type(response) in (ChatResponse, CompletionResponse)


def test_a_delta_costs_no_filling_in():
    responses = streamed()
    assert "".join(response.delta for response in responses) == "word0 word1 word2 word3 word4 "
    thoughts = [response.additional_kwargs.get("thinking_delta", "") for response in responses]
    assert "".join(thoughts) == "0 1 2 "
    assert not any(is_plain(response) for response in responses)


@pytest.mark.parametrize("order", ["forwards", "backwards", "mixed"])
def test_each_response_is_that_of_its_moment_whenever_it_is_looked_at(order):
    expected, responses = looked_at_at_once(), streamed()
    places = list(range(len(responses)))
    if order == "backwards":
        places.reverse()
    elif order == "mixed":
        random.Random(7).shuffle(places)
    for place in places:
        assert responses[place].model_dump() == expected[place].model_dump()
    assert all(is_plain(response) for response in responses)


def test_threads_that_look_at_the_same_responses_see_the_same():
    expected, responses = looked_at_at_once(), streamed()
    with ThreadPoolExecutor(8) as pool:
        looks = [list(responses) for _ in range(8)]
        for number, look in enumerate(looks):
            random.Random(number).shuffle(look)
        seen = list(pool.map(lambda look: {id(one): one.model_dump() for one in look}, looks))
    for found in seen:
        assert [found[id(one)] for one in responses] == [one.model_dump() for one in expected]


@pytest.mark.parametrize(
    "look",
    [
        lambda response: response,
        copy.copy,
        copy.deepcopy,
        lambda response: pickle.loads(pickle.dumps(response)),
        lambda response: response.model_copy(),
        lambda response: response.model_copy(deep=True),
        lambda response: ChatResponse.model_validate(response),
        lambda response: ChatResponse.model_validate(response.model_dump()),
        lambda response: ChatResponse.model_validate_json(response.model_dump_json()),
        lambda response: ChatResponse(**vars(response)),
        lambda response: ChatResponse.model_construct(**dict(response)),
    ],
)
def test_a_response_is_equal_to_a_plain_one_however_it_is_taken(look):
    for response, plain in zip(streamed(), looked_at_at_once(), strict=True):
        taken = look(response)
        assert taken == plain
        assert plain == taken
        assert type(taken) is ChatResponse
        assert repr(taken) == repr(plain)
        assert str(taken) == str(plain)


def test_a_plain_response_equals_one_that_nobody_has_looked_at():
    for response, plain in zip(streamed(), looked_at_at_once(), strict=True):
        assert plain == response


def test_an_event_writes_a_response_that_nobody_has_looked_at():
    for response, plain in zip(streamed(), looked_at_at_once(), strict=True):
        event = LLMChatInProgressEvent(messages=[], response=response)
        other = LLMChatInProgressEvent(messages=[], response=plain)
        assert event.response is response
        assert event.model_dump()["response"] == other.model_dump()["response"]
    for response, plain in zip(streamed(), looked_at_at_once(), strict=True):
        written = LLMChatInProgressEvent(messages=[], response=response).model_dump_json()
        assert json.loads(written)["response"] == json.loads(plain.model_dump_json())


def test_what_a_reader_changes_is_not_in_any_other_response():
    expected, responses = looked_at_at_once(), streamed()
    changed = responses[-3]
    changed.delta = "mine"
    changed.message.blocks.clear()
    changed.message.additional_kwargs.clear()
    changed.additional_kwargs["mine"] = True
    changed.raw.clear()
    del changed.logprobs[0]
    assert (changed.delta, changed.message.blocks, changed.raw) == ("mine", [], {})
    assert changed.model_fields_set == set(ChatResponse.model_fields)
    for place in (0, -4, -2, -1):
        assert responses[place] == expected[place]


def test_a_field_that_does_not_exist_is_an_attribute_error():
    response = streamed()[0]
    with pytest.raises(AttributeError, match="colour"):
        _ = response.colour
    assert not hasattr(streamed()[0], "colour")
    with pytest.raises(TypeError, match="unhashable"):
        hash(response)


def test_a_completion_is_filled_in_when_it_is_looked_at():
    completions = [to_streamed_completion(response) for response in streamed()]
    assert [one.delta for one in completions][3:5] == ["word0 ", "word1 "]
    assert not any(is_plain(one) for one in completions)
    assert [one.text for one in completions][3:5] == ["word0 ", "word0 word1 "]
    assert all(is_plain(one) for one in completions)
    assert completions[-1].additional_kwargs["completion_tokens"] == 7
    assert completions[-1].additional_kwargs["tool_calls"][0]["function"]["arguments"] == ARGUMENTS


class Anything(BaseModel):
    """Holds a response as a field of any type, as workflow events do."""

    held: Any


@pytest.mark.parametrize(
    "write",
    [
        lambda response: pydantic_core.to_json({"held": response}),
        lambda response: Anything(held=response).model_dump_json(),
        lambda response: json.dumps(pydantic_core.to_jsonable_python({"held": response})),
    ],
)
def test_a_response_that_nobody_has_looked_at_is_written_inside_of_anything(write):
    for response, plain in zip(streamed(), looked_at_at_once(), strict=True):
        assert json.loads(write(response))["held"] == json.loads(plain.model_dump_json())


def test_a_response_s_class_makes_others():
    response = streamed()[4]
    made = type(response)(message=response.message, delta="a")
    assert type(made) is ChatResponse
    assert made.delta == "a"


def test_an_earlier_response_is_looked_at_while_the_stream_goes_on():
    answer, failures = StreamedAnswer(), []
    seen: list[Any] = []
    is_over = Event()

    def look() -> None:
        while not is_over.is_set():
            for response in seen[-50:]:
                try:
                    assert response.message.blocks
                except Exception as error:  # the test's subject is that there is none
                    failures.append(error)

    with ThreadPoolExecutor(2) as pool:
        looking = [pool.submit(look) for _ in range(2)]
        for index in range(2000):
            delta = ToolCallDelta(index, f"call_{index}", "find", '{"a": 1}')
            seen.append(answer.add(Chunk("1", "m", tool_calls=[delta])))
        is_over.set()
    assert all(one.result() is None for one in looking)
    assert not failures


def test_threads_that_fill_one_response_keep_what_one_of_them_changes():
    for _ in range(200):
        response = streamed()[4]
        start = Barrier(2)

        def change(response: Any = response, start: Barrier = start) -> Any:
            start.wait()
            response.raw["mine"] = True
            return response.message

        with ThreadPoolExecutor(2) as pool:
            first, second = (pool.submit(change) for _ in range(2))
            assert first.result() is second.result() is response.message
        assert response.raw["mine"] is True


def test_reading_all_from_the_start_after_the_end_parses_each_piece_twice_at_most(monkeypatch):
    fed: list[str] = []
    feed = PartialJson.feed

    def note(self: PartialJson, text: str) -> bool:
        fed.append(text)
        return feed(self, text)

    monkeypatch.setattr(PartialJson, "feed", note)
    responses = streamed()
    assert responses[-3].message.blocks
    for response in responses:
        assert response.message
    assert len("".join(fed)) <= 2 * len(ARGUMENTS)


class Later(BaseModel):
    """Has a field with a default that whoever fills it in knows nothing of."""

    text: str
    added: list[int] = Field(default_factory=list)
    flag: bool = True


def test_fields_that_are_not_filled_in_have_their_defaults():
    made = Pending(Later)(lambda: {"text": "a"})
    assert made == Later(text="a")
    assert (made.added, made.flag) == ([], True)
