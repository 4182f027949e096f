"""What is bound to a model stays when tools or a schema are bound after it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.load import dumpd
from pydantic import BaseModel

from langchain_monster.errors import InvalidRequestError
from tests.langchain.answering import TOOLS, WAYS, Way, whole
from tests.langchain.conftest import Scripted

every_way = pytest.mark.parametrize("way", WAYS)


class City(BaseModel):
    """A city."""

    name: str


async def asked(llm: Any, way: Way, **given: Any) -> Any:
    return llm.invoke("Hi", **given) if way == "sync" else await llm.ainvoke("Hi", **given)


@every_way
async def test_bound_tools_may_be_called_instead_of_answering_in_a_schema(
    scripted: Scripted, way: Way
) -> None:
    called = whole({"content": '{"name": "add", "parameters": {"a": 1}}'})
    llm, server = scripted(called, called)
    bound: Any = llm.bind_tools(TOOLS)
    raw = await asked(bound.with_structured_output(City, include_raw=True), way)
    assert [call["name"] for call in raw["raw"].tool_calls] == ["add"]
    assert raw["parsed"] is None
    assert await asked(bound.with_structured_output(City), way) is None
    assert '"add"' in json.loads(server.received[0].body)["messages"][0]["content"]


@every_way
async def test_the_schema_is_answered_where_no_bound_tool_is_called(
    scripted: Scripted, way: Way
) -> None:
    llm, server = scripted(whole({"content": "Oslo."}), whole({"content": '{"name": "Oslo"}'}))
    bound: Any = llm.bind_tools(TOOLS)
    assert await asked(bound.with_structured_output(City), way) == City(name="Oslo")
    assert ["guided_json" in json.loads(one.body) for one in server.received] == [False, True]


@pytest.mark.parametrize(
    "bound, given, said",
    [
        ({}, {"method": "function_calling"}, "method='guided_json'"),
        ({"tool_choice": "add"}, {}, "tool_choice='add' forces"),
        ({"tool_choice": "any"}, {"method": "json_mode"}, "tool_choice='any' forces"),
    ],
    ids=str,
)
def test_bound_tools_that_leave_no_answer_are_refused(
    scripted: Scripted, bound: Any, given: Any, said: str
) -> None:
    llm, server = scripted(whole({}))
    with_tools: Any = llm.bind_tools(TOOLS, **bound)
    with pytest.raises(InvalidRequestError, match=said):
        with_tools.with_structured_output(City, **given)
    assert server.received == []


def test_every_bound_argument_reaches_the_server(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": '{"name": "Oslo"}'}), whole({"content": "Hi"}))
    bound: Any = llm.bind(temperature=0.5, stop=["END"]).bind(seed=7)
    bound.with_structured_output(City).invoke("Hi")
    bound.bind_tools(TOOLS).invoke("Hi")
    for received in server.received:
        body = json.loads(received.body)
        assert (body["temperature"], body["stop"], body["seed"]) == (0.5, ["END"], 7)


def test_a_schema_replaces_the_one_that_was_bound(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": '{"name": "Oslo"}'}))
    bound: Any = llm.bind(guided_regex="[a-z]+")
    assert bound.with_structured_output(City).invoke("Hi") == City(name="Oslo")
    body = json.loads(server.received[0].body)
    assert "guided_json" in body
    assert "guided_regex" not in body


def test_tools_replace_those_that_were_bound(scripted: Scripted) -> None:
    llm, _ = scripted(whole({"content": "Hi"}))
    bound: Any = llm.bind_tools([TOOLS[0]], tool_choice="add")
    assert bound.bind_tools([TOOLS[1]]).kwargs["tools"] == [TOOLS[1]]


def test_the_configuration_of_a_bound_model_is_kept(scripted: Scripted) -> None:
    llm, _ = scripted(whole({"content": '{"name": "Oslo"}'}))
    bound: Any = llm.bind(seed=7).with_config(tags=["mine"])
    structured = bound.with_structured_output(City)
    assert structured.config["tags"] == ["mine"]
    assert structured.invoke("Hi") == City(name="Oslo")


def test_a_bound_model_is_serialized_as_langchains_own(scripted: Scripted) -> None:
    llm, _ = scripted(whole({}))
    assert dumpd(llm.bind(seed=7))["id"] == ["langchain", "schema", "runnable", "RunnableBinding"]
