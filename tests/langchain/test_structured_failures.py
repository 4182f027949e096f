"""Answers that are not the shape that was asked for: what is raised, returned and streamed."""

from __future__ import annotations

import functools
import operator
import re
from enum import Enum
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
from tests.langchain.answering import TOOLS, WAYS, Way, delta, streamed, whole
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL

every_way = pytest.mark.parametrize("way", WAYS)


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


GOOD = '{"name": "Oslo", "people": 7}'
BAD: list[tuple[Reply, type[Exception], str]] = [
    (whole({"content": "I will not."}), StructuredAnswerError, "not JSON"),
    (whole({"content": ""}), StructuredAnswerError, "not JSON"),
    (whole({"content": "[1]"}), StructuredAnswerError, "schema"),
    (whole({"content": '{"name": "Oslo"}'}), StructuredAnswerError, "people"),
    (whole({"content": '{"name": "Oslo", "people": "many"}'}), StructuredAnswerError, "people"),
    (whole({"content": GOOD[:-4]}, finish="length"), TruncatedAnswerError, "max_tokens"),
    (whole({"content": '{"name": "' + " " * 99}, finish="length"), TruncatedAnswerError, "max_tok"),
]
every_bad = pytest.mark.parametrize("bad, error, said", BAD)
every_shape = pytest.mark.parametrize("shape", [City, CityDict, City.model_json_schema()])


async def asked(llm: Any, way: Way) -> Any:
    return llm.invoke("Hi") if way == "sync" else await llm.ainvoke("Hi")


async def grown(llm: Any, way: Way, into: list[Any]) -> None:
    if way == "sync":
        for value in llm.stream("Hi"):
            into.append(value)
    else:
        async for value in llm.astream("Hi"):
            into.append(value)


@every_way
@every_bad
@every_shape
async def test_a_bad_answer_is_an_error_that_says_what_is_wrong(
    scripted: Scripted, way: Way, bad: Reply, error: Any, said: str, shape: Any
) -> None:
    llm, _ = scripted(bad)
    with pytest.raises(error, match=said) as raised:
        await asked(llm.with_structured_output(shape), way)
    assert isinstance(raised.value, OutputParserException)


@every_way
@every_bad
@pytest.mark.parametrize("method", ["guided_json", "json_mode", "function_calling"])
async def test_include_raw_returns_what_is_wrong(
    scripted: Scripted, way: Way, bad: Reply, error: Any, said: str, method: str
) -> None:
    llm, _ = scripted(bad)
    told = await asked(llm.with_structured_output(City, method=method, include_raw=True), way)
    assert told["parsed"] is None
    assert isinstance(told["parsing_error"], StructuredAnswerError)
    assert isinstance(told["raw"], AIMessage)
    assert told["raw"].usage_metadata is not None


@every_way
async def test_include_raw_returns_a_good_answer(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(whole({"content": GOOD}))
    told = await asked(llm.with_structured_output(City, include_raw=True), way)
    assert told["parsed"] == City(name="Oslo", people=7)
    assert told["parsing_error"] is None


@every_way
async def test_arguments_that_were_cut_name_max_tokens(scripted: Scripted, way: Way) -> None:
    call = {"function": {"name": "City", "arguments": GOOD[:-4]}}
    llm, _ = scripted(whole({"tool_calls": [call]}, finish="length"))
    with pytest.raises(TruncatedAnswerError, match="max_tokens"):
        await asked(llm.with_structured_output(City, method="function_calling"), way)


@every_way
async def test_no_call_at_all_is_an_error(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(whole({"content": "I will not."}))
    with pytest.raises(StructuredAnswerError, match="I will not"):
        await asked(llm.with_structured_output(City, method="function_calling"), way)


@every_way
@pytest.mark.parametrize(
    "shape, bad",
    [
        (Literal["red", "blue"], "green"),
        (Size, "tiny"),
        (re.compile(r"[0-9]{3}"), "12a"),
        ('start: "a"+', ""),
    ],
    ids=["literal", "enum", "regex", "grammar"],
)
async def test_a_constraint_that_fails_open_is_noticed(
    scripted: Scripted, way: Way, shape: Any, bad: str
) -> None:
    llm, _ = scripted(whole({"content": bad}))
    with pytest.raises(StructuredAnswerError):
        await asked(llm.with_structured_output(shape), way)


@every_way
@pytest.mark.parametrize(
    "shape, said, value",
    [
        (Literal["red", "blue"], "red", "red"),
        (Literal[1, 2], "2", 2),
        (Size, "big", Size.BIG),
        (re.compile(r"^[0-9]{3}$"), "123", "123"),
        ('start: "a"+', "aaa", "aaa"),
    ],
    ids=["literal", "numbers", "enum", "regex", "grammar"],
)
async def test_other_constraints_give_their_value(
    scripted: Scripted, way: Way, shape: Any, said: str, value: Any
) -> None:
    llm, _ = scripted(whole({"content": said}))
    assert await asked(llm.with_structured_output(shape), way) == value


GROWING = [delta(piece) for piece in ('{"name": "O', "slo", '", "peo', 'ple": 7', "}")]


@every_way
@every_shape
@pytest.mark.parametrize("version", ["v0", "v1"])
async def test_a_stream_yields_what_has_grown_so_far(
    scripted: Scripted, way: Way, shape: Any, version: str
) -> None:
    llm, _ = scripted(streamed(*GROWING, delta(finish="stop")), output_version=version)
    seen: list[Any] = []
    await grown(llm.with_structured_output(shape), way, seen)
    if shape is City:
        assert seen == [City(name="Oslo", people=7)]
    else:
        assert seen[:2] == [{"name": "O"}, {"name": "Oslo"}]
        assert seen[-1] == {"name": "Oslo", "people": 7}


CALLING = [
    delta(calls=[{"function": {"name": "City", "arguments": piece}}])
    for piece in ('{"name": "O', "slo", '", "peo')
]


@every_way
@every_shape
@pytest.mark.parametrize(
    "finish, error", [("length", TruncatedAnswerError), ("stop", StructuredAnswerError)]
)
@pytest.mark.parametrize(
    "method, pieces",
    [("guided_json", GROWING[:3]), ("json_mode", GROWING[:3]), ("function_calling", CALLING)],
)
async def test_a_stream_that_is_cut_raises_after_what_it_had(
    scripted: Scripted,
    way: Way,
    shape: Any,
    finish: str,
    error: type[Exception],
    method: str,
    pieces: list[Any],
) -> None:
    llm, _ = scripted(streamed(*pieces, delta(finish=finish)))
    seen: list[Any] = []
    with pytest.raises(error):
        await grown(llm.with_structured_output(shape, method=method), way, seen)
    assert seen == [] if shape is City else seen[-1] == {"name": "Oslo"}


class Path(BaseModel):
    """A path, whose every beginning would be one, too."""

    path: str = "/"


@every_way
@pytest.mark.parametrize("finish", ["length", "stop"])
@pytest.mark.parametrize("method", ["guided_json", "function_calling"])
@pytest.mark.parametrize("include_raw", [False, True])
async def test_half_an_object_is_never_taken_for_a_whole_one(
    scripted: Scripted, way: Way, finish: str, method: str, include_raw: bool
) -> None:
    half = '{"path": "/data/'
    called = {"function": {"name": "Path", "arguments": half}}
    piece = delta(calls=[called]) if method == "function_calling" else delta(half)
    told = {"tool_calls": [called]} if method == "function_calling" else {"content": half}
    llm, _ = scripted(streamed(piece, delta(finish=finish)), whole(told, finish=finish))
    structured = llm.with_structured_output(Path, method=method, include_raw=include_raw)
    seen: list[Any] = []
    if include_raw:
        await grown(structured, way, seen)
        found = [item.get("parsed") for item in [*seen, await asked(structured, way)]]
        assert found[-1] is None
        assert any(isinstance(item.get("parsing_error"), StructuredAnswerError) for item in seen)
        return
    with pytest.raises(StructuredAnswerError):
        await grown(structured, way, seen)
    with pytest.raises(StructuredAnswerError):
        await asked(structured, way)


@every_way
@pytest.mark.parametrize("method", ["guided_json", "function_calling"])
async def test_a_stream_with_the_raw_message_adds_up_to_what_invoke_returns(
    scripted: Scripted, way: Way, method: str
) -> None:
    called = {"function": {"name": "City", "arguments": GOOD}}
    pieces = [delta(calls=[called])] if method == "function_calling" else GROWING
    llm, _ = scripted(streamed(*pieces, delta(finish="stop")))
    seen: list[Any] = []
    structured = llm.with_structured_output(City, method=method, include_raw=True)
    await grown(structured, way, seen)
    assert len(seen) > len(pieces)
    total: Any = functools.reduce(operator.add, seen)
    assert total["parsed"] == City(name="Oslo", people=7)
    assert total["parsing_error"] is None
    assert total["raw"].response_metadata["finish_reason"] == "stop"
    assert total["raw"].usage_metadata is not None


@every_way
async def test_values_of_a_stream_are_not_changed_afterwards(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(streamed(*GROWING, delta(finish="stop")))
    seen: list[Any] = []
    await grown(llm.with_structured_output(CityDict), way, seen)
    assert len({id(value) for value in seen}) == len(seen)
    assert seen[0] == {"name": "O"}


@every_way
async def test_a_tool_may_be_called_instead(scripted: Scripted, way: Way) -> None:
    said = '{"name": "add", "parameters": {"a": 1}}'
    llm, _ = scripted(whole({"content": said}))
    told = await asked(llm.with_structured_output(City, tools=TOOLS, include_raw=True), way)
    assert told["parsed"] is None
    assert told["parsing_error"] is None
    assert [call["name"] for call in told["raw"].tool_calls] == ["add"]


@pytest.mark.parametrize(
    "shape, given, said",
    [
        (City, {"method": "json_shema"}, "json_schema"),
        (City, {"method": "guided_regex"}, "regular expression"),
        (City, {"method": "function_calling", "tools": TOOLS}, "guided_json"),
        (3, {}, "schema"),
        (re.compile("(?=a)b"), {}, "look-around"),
    ],
    ids=str,
)
def test_a_shape_that_cannot_be_asked_for_is_refused_at_once(
    shape: Any, given: Any, said: str
) -> None:
    llm = ChatMonster(model=MODEL, api_key="k")
    with pytest.raises(InvalidRequestError, match=said):
        llm.with_structured_output(shape, **given)


@pytest.mark.parametrize("where", ["call", "field"])
def test_an_unusable_schema_of_a_call_is_not_retryable(scripted: Scripted, where: str) -> None:
    bad: dict[str, Any] = {"guided_json": {"properties": {"a": {"$ref": "#/$defs/none"}}}}
    field, call = (bad, {}) if where == "field" else ({}, bad)
    llm, server = scripted(whole({"content": GOOD}), **field)
    with pytest.raises(InvalidRequestError):
        llm.invoke("Hi", **call)
    assert server.received == []


@pytest.mark.vcr
@every_way
async def test_a_real_server_cuts_a_structured_answer(way: Way) -> None:
    llm = ChatMonster(model=MODEL, temperature=0, max_tokens=12)
    seen: list[Any] = []
    with pytest.raises(TruncatedAnswerError, match="max_tokens"):
        await grown(llm.with_structured_output(CityDict), way, seen)
    told = await asked(llm.with_structured_output(City, include_raw=True), way)
    assert isinstance(told["parsing_error"], TruncatedAnswerError)
