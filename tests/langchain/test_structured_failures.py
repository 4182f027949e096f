"""Answers that are not the shape that was asked for: what is raised, returned and streamed."""

from __future__ import annotations

import functools
import operator
import re
from enum import Enum
from itertools import pairwise, product
from typing import Any, Literal

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from langchain_monster import ChatMonster
from langchain_monster.errors import (
    InvalidRequestError,
    StructuredAnswerError,
    TruncatedAnswerError,
)
from tests.core.scripted_server import Reply
from tests.langchain.answering import (
    TOOLS,
    Way,
    asked,
    called,
    collected,
    delta,
    every_way,
    streamed,
    whole,
)
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL


class City(BaseModel):
    """A city."""

    model_config = ConfigDict(extra="forbid")

    name: str
    people: int


class CityDict(TypedDict):
    """A city."""

    name: str
    people: int


class Size(Enum):
    SMALL = "small"
    BIG = "big"


class Path(BaseModel):
    """A path, whose every beginning would be one, too."""

    path: str = "/"


METHODS = ["guided_json", "json_mode", "function_calling"]
every_method = pytest.mark.parametrize("method", METHODS)
SHAPES: list[Any] = [City, CityDict, City.model_json_schema()]
ENDS = {"length": TruncatedAnswerError, "stop": StructuredAnswerError}
OSLO = City(name="Oslo", people=7)
GOOD = '{"name": "Oslo", "people": 7}'
BAD: list[tuple[str, str, type[Exception], str]] = [
    ("I will not.", "stop", StructuredAnswerError, "not JSON"),
    ("[1]", "stop", StructuredAnswerError, "(?s)its schema: .* The server may ignore"),
    ('{"name": "Oslo", "people": "many"}', "stop", StructuredAnswerError, "people"),
    (GOOD[:-4], "length", TruncatedAnswerError, "max_tokens"),
]


def told(text: str, method: str, finish: str) -> Reply:
    """Return a whole answer: a text, or a call with it as its arguments."""
    if method == "function_calling":
        return whole({"tool_calls": [called("City", text)]}, finish=finish)
    return whole({"content": text}, finish=finish)


def told_in_pieces(texts: list[str], method: str, finish: str) -> Reply:
    if method == "function_calling":
        pieces = [delta(calls=[called("City", text)]) for text in texts]
    else:
        pieces = [delta(text) for text in texts]
    return streamed(*pieces, delta(finish=finish))


async def grown(llm: Any, way: Way, into: list[Any]) -> None:
    if way == "sync":
        for value in llm.stream("Hi"):
            into.append(value)
    else:
        async for value in llm.astream("Hi"):
            into.append(value)


def test_a_bad_answer_is_an_error_that_says_what_is_wrong(scripted: Scripted) -> None:
    for shape in SHAPES:
        llm, _ = scripted(*(told(text, "guided_json", finish) for text, finish, _, _ in BAD))
        structured = llm.with_structured_output(shape)
        for _, _, error, said in BAD:
            with pytest.raises(error, match=said) as raised:
                structured.invoke("Hi")
            assert isinstance(raised.value, OutputParserException)


@every_way
@every_method
async def test_include_raw_returns_the_value_or_what_is_wrong(
    scripted: Scripted, way: Way, method: str
) -> None:
    good = told(GOOD, method, "stop")
    llm, _ = scripted(good, *(told(text, method, finish) for text, finish, _, _ in BAD))
    structured = llm.with_structured_output(City, method=method, include_raw=True)
    answer = await asked(structured, way)
    assert (answer["parsed"], answer["parsing_error"]) == (OSLO, None)
    for text, _, error, _ in BAD:
        answer = await asked(structured, way)
        assert answer["parsed"] is None
        assert isinstance(answer["parsing_error"], error), text
        assert isinstance(answer["raw"], AIMessage)
        assert answer["raw"].usage_metadata is not None


def test_a_function_that_is_not_called_whole_is_an_error(scripted: Scripted) -> None:
    cuts = [told(GOOD[:-4], "function_calling", finish) for finish in ("length", "stop")]
    llm, _ = scripted(*cuts, whole({"content": "I will not."}))
    structured = llm.with_structured_output(City, method="function_calling")
    with pytest.raises(TruncatedAnswerError, match="max_tokens"):
        structured.invoke("Hi")
    with pytest.raises(StructuredAnswerError, match="end before they are complete"):
        structured.invoke("Hi")
    with pytest.raises(StructuredAnswerError, match="I will not"):
        structured.invoke("Hi")


@pytest.mark.parametrize(
    "shape, said, value, bad",
    [
        (Literal["red", "blue"], "red", "red", "green"),
        (Literal[1, 2], "2", 2, "3"),
        (Size, "big", Size.BIG, "tiny"),
        (re.compile(r"^[0-9]{3}$"), "123", "123", "12a"),
        ('start: "a"+', "aaa", "aaa", ""),
    ],
    ids=["literal", "numbers", "enum", "regex", "grammar"],
)
def test_other_constraints_give_their_value_and_are_held_against_it(
    scripted: Scripted, shape: Any, said: str, value: Any, bad: str
) -> None:
    llm, _ = scripted(whole({"content": said}), whole({"content": bad}))
    structured = llm.with_structured_output(shape)
    assert structured.invoke("Hi") == value
    with pytest.raises(StructuredAnswerError):
        structured.invoke("Hi")
    assert structured.OutputType == (str if isinstance(value, str) and value != "red" else shape)
    assert structured.get_output_jsonschema()


def test_a_refusal_is_the_reason_why_there_is_no_structured_answer(scripted: Scripted) -> None:
    refused = delta(finish="stop")
    refused["choices"][0]["delta"] = {"refusal": "I cannot help."}
    whole_refusal = whole({"content": None, "refusal": "I cannot help."})
    for method in ("guided_json", "function_calling"):
        llm, _ = scripted(whole_refusal, streamed(refused))
        structured = llm.with_structured_output(City, method=method)
        with pytest.raises(OutputParserException, match="refused to answer: 'I cannot help"):
            structured.invoke("Hi")
        with pytest.raises(OutputParserException, match="refused to answer: 'I cannot help"):
            list(structured.stream("Hi"))


@pytest.mark.parametrize("method", ["guided_json", "function_calling"])
def test_an_answer_that_does_not_fit_is_asked_for_again(scripted: Scripted, method: str) -> None:
    good = GOOD if method == "guided_json" else f'{{"name": "City", "parameters": {GOOD}}}'
    prose = "I will not."
    llm, server = scripted(whole({"content": prose}), whole({"content": good}))
    assert llm.with_structured_output(City, method=method, ask_again=True).invoke("Hi") == OSLO
    assert len(server.received) == 2
    stream, better = (streamed(delta(text), delta(finish="stop")) for text in (prose, good))
    llm, server = scripted(stream, better, ask_again=True)
    assert list(llm.with_structured_output(City, method=method).stream("Hi"))[-1] == OSLO
    assert len(server.received) == 2


GROWING = ['{"name": "O', "slo", '", "peo', 'ple": 7', "}"]


@every_way
@pytest.mark.parametrize("version", ["v0", "v1"])
async def test_a_stream_yields_what_has_grown_so_far(
    scripted: Scripted, way: Way, version: str
) -> None:
    llm, _ = scripted(told_in_pieces(GROWING, "guided_json", "stop"), output_version=version)
    assert await collected(llm.with_structured_output(City), way) == [OSLO]
    for shape in SHAPES[1:]:
        seen = await collected(llm.with_structured_output(shape), way)
        assert seen[:2] == [{"name": "O"}, {"name": "Oslo"}]
        assert seen[-1] == {"name": "Oslo", "people": 7}
        assert len({id(value) for value in seen}) == len(seen)
        assert all(earlier != later for earlier, later in pairwise(seen))
    llm, _ = scripted(told_in_pieces(["null"], "guided_json", "stop"), output_version=version)
    assert await collected(llm.with_structured_output(City | None), way) == [None]


@every_way
@every_method
async def test_a_stream_that_is_cut_raises_after_what_it_had(
    scripted: Scripted, way: Way, method: str
) -> None:
    for finish, error in ENDS.items():
        llm, _ = scripted(told_in_pieces(GROWING[:3], method, finish))
        for shape in SHAPES[:2]:
            seen: list[Any] = []
            with pytest.raises(error):
                await grown(llm.with_structured_output(shape, method=method), way, seen)
            assert seen == [] if shape is City else seen[-1] == {"name": "Oslo"}


@every_way
async def test_half_an_object_is_never_taken_for_a_whole_one(scripted: Scripted, way: Way) -> None:
    half = '{"path": "/data/'
    for finish, method in product(ENDS, ["guided_json", "function_calling"]):
        stream, answer = told_in_pieces([half], method, finish), told(half, method, finish)
        llm, _ = scripted(stream, answer, stream, answer)
        structured = llm.with_structured_output(Path, method=method)
        with pytest.raises(ENDS[finish]):
            await collected(structured, way)
        with pytest.raises(ENDS[finish]):
            await asked(structured, way)
        raw = llm.with_structured_output(Path, method=method, include_raw=True)
        seen = [*await collected(raw, way), await asked(raw, way)]
        assert not any(item.get("parsed") for item in seen)
        errors = [item["parsing_error"] for item in seen if "parsing_error" in item]
        assert [isinstance(error, ENDS[finish]) for error in errors] == [True, True]


@every_way
async def test_a_stream_with_the_raw_message_adds_up_to_what_invoke_returns(
    scripted: Scripted, way: Way
) -> None:
    for method in ("guided_json", "function_calling"):
        llm, _ = scripted(told_in_pieces(GROWING, method, "stop"))
        structured = llm.with_structured_output(City, method=method, include_raw=True)
        seen = await collected(structured, way)
        assert len(seen) > len(GROWING)
        total: Any = functools.reduce(operator.add, seen)
        assert total["parsed"] == OSLO
        assert total["parsing_error"] is None
        assert total["raw"].response_metadata["finish_reason"] == "stop"
        assert total["raw"].usage_metadata is not None


def test_the_parser_reads_what_any_chain_gives_it() -> None:
    structured: Any = ChatMonster(model=MODEL).with_structured_output(City)
    raw: Any = ChatMonster(model=MODEL).with_structured_output(City, include_raw=True)
    answer = AIMessage(GOOD, response_metadata={"finish_reason": "stop"})
    cut = AIMessage(GOOD[:-4], response_metadata={"finish_reason": "length"})
    assert structured.last.invoke(GOOD) == structured.last.invoke(answer) == OSLO
    assert list(structured.last.transform(iter([GOOD[:9], GOOD[9:]]))) == [OSLO]
    assert list(structured.last.transform(iter([answer]))) == [OSLO]
    with pytest.raises(TruncatedAnswerError):
        list(structured.last.transform(iter([cut])))
    assert list(structured.last.transform(iter([]))) == list(raw.last.transform(iter([]))) == []


@pytest.mark.parametrize(
    "shape, given, said",
    [
        (City, {"method": "json_shema"}, "json_schema"),
        (City, {"method": "guided_regex"}, "regular expression"),
        (City, {"method": "function_calling", "tools": TOOLS}, "guided_json"),
        (3, {}, "schema"),
        ("abc", {}, "a Lark grammar with a start rule"),
        (re.compile("(?=a)b"), {}, "look-around"),
        (City | None, {"method": "function_calling"}, "method='guided_json'"),
        (City, {"temprature": 0}, "Unknown argument 'temprature'"),
        (City, {"include_row": True}, "did you mean 'include_raw'"),
    ],
    ids=str,
)
def test_a_shape_that_cannot_be_asked_for_is_refused_at_once(
    shape: Any, given: Any, said: str
) -> None:
    llm = ChatMonster(model=MODEL, api_key="k")
    with pytest.raises(InvalidRequestError, match=said):
        llm.with_structured_output(shape, **given)


@pytest.mark.vcr
@every_way
async def test_a_real_server_cuts_a_structured_answer(way: Way) -> None:
    llm = ChatMonster(model=MODEL, temperature=0, max_tokens=12)
    with pytest.raises(TruncatedAnswerError, match="max_tokens"):
        await collected(llm.with_structured_output(CityDict), way)
    answer = await asked(llm.with_structured_output(City, include_raw=True), way)
    assert isinstance(answer["parsing_error"], TruncatedAnswerError)
