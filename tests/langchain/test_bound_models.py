"""What is bound to a model stays when tools or a schema are bound after it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.load import dumpd
from pydantic import BaseModel

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError, StructuredAnswerError
from tests.langchain.answering import TOOLS, Way, asked, every_way, sent, whole
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL


class City(BaseModel):
    """A city."""

    name: str


@every_way
async def test_bound_tools_may_be_called_instead_of_answering_in_a_schema(
    scripted: Scripted, way: Way
) -> None:
    called = whole({"content": '{"name": "add", "parameters": {"a": 1}}'})
    cut = whole({"content": '{"name": "add", "parameters": {"a": 1'})
    llm, server = scripted(called, called, called, cut)
    bound: Any = llm.bind_tools(TOOLS, tool_choice="auto")
    for structured in (
        bound.with_structured_output(City, include_raw=True),
        llm.with_structured_output(City, tools=TOOLS, include_raw=True),
    ):
        raw = await asked(structured, way)
        assert [call["name"] for call in raw["raw"].tool_calls] == ["add"]
        assert raw["parsed"] is None
        assert raw["parsing_error"] is None
    assert await asked(bound.with_structured_output(City), way) is None
    with pytest.raises(StructuredAnswerError, match="end before they are complete"):
        await asked(bound.with_structured_output(City), way)
    assert '"add"' in sent(server)["messages"][0]["content"]


@every_way
async def test_the_schema_is_answered_where_no_bound_tool_is_called(
    scripted: Scripted, way: Way
) -> None:
    llm, server = scripted(whole({"content": "Oslo."}), whole({"content": '{"name": "Oslo"}'}))
    bound: Any = llm.bind_tools(TOOLS)
    assert await asked(bound.with_structured_output(City), way) == City(name="Oslo")
    assert ["guided_json" in sent(server, number) for number in (0, 1)] == [False, True]


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
    for number in (0, 1):
        body = sent(server, number)
        assert (body["temperature"], body["stop"], body["seed"]) == (0.5, ["END"], 7)


def test_a_schema_replaces_the_one_that_was_bound(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": '{"name": "Oslo"}'}))
    bound: Any = llm.bind(guided_regex="[a-z]+")
    structured = bound.with_structured_output(City, schema_in_prompt=False, temperature=0.5)
    assert structured.invoke("Hi") == City(name="Oslo")
    body = sent(server)
    assert "guided_json" in body
    assert "guided_regex" not in body
    assert body["temperature"] == 0.5
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


def test_tools_replace_those_that_were_bound() -> None:
    bound: Any = ChatMonster(model=MODEL).bind_tools([TOOLS[0]], tool_choice="add")
    assert bound.bind_tools([TOOLS[1]]).kwargs["tools"] == [TOOLS[1]]
    assert bound.bind_tools([], parallel_tool_calls=False).kwargs == {"parallel_tool_calls": False}
    with pytest.raises(InvalidRequestError, match="did you mean 'add'"):
        bound.bind_tools(TOOLS, tool_choice="ad")


def test_the_configuration_of_a_bound_model_is_kept(scripted: Scripted) -> None:
    llm, _ = scripted(whole({"content": '{"name": "Oslo"}'}))
    bound: Any = llm.bind(seed=7).with_config(tags=["mine"])
    structured = bound.with_structured_output(City)
    assert structured.config["tags"] == ["mine"]
    assert structured.invoke("Hi") == City(name="Oslo")


def test_a_bound_model_is_serialized_as_langchains_own() -> None:
    assert dumpd(ChatMonster(model=MODEL).bind(seed=7))["id"] == [
        "langchain",
        "schema",
        "runnable",
        "RunnableBinding",
    ]
