from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import (
    ProviderStrategy,
    StructuredOutputValidationError,
    ToolStrategy,
)
from pydantic import BaseModel
from typing_extensions import TypedDict
from vcr.cassette import Cassette

from tests.cassette_playback import exchanges
from tests.langchain.agents.toolbox import Forecast, add, ask, bodies, chat, get_weather, said

pytestmark = pytest.mark.vcr

STATEMENT = ask("They say that in Paris there are 22 degrees.")
QUESTION = ask("What is the weather in Paris, on the 22nd?")
PARIS = {"city": "Paris", "degrees": 22}


class Typed(TypedDict):
    """What the weather will be."""

    city: str
    degrees: int


@dataclass
class Plain:
    """What the weather will be."""

    city: str
    degrees: int


class Greeting(BaseModel):
    """A few kind words."""

    words: str


SCHEMAS: list[tuple[Any, Any]] = [
    (Forecast, Forecast(**PARIS)),
    (Typed, PARIS),
    (Plain, Plain(**PARIS)),
    ({**Forecast.model_json_schema(), "title": "Forecast"}, PARIS),
]


@pytest.mark.parametrize("strategy", [ProviderStrategy, ToolStrategy])
def test_an_agent_answers_in_any_kind_of_schema(strategy: Any) -> None:
    for schema, expected in SCHEMAS:
        agent = create_agent(chat(), [], response_format=strategy(schema))
        assert agent.invoke(STATEMENT)["structured_response"] == expected


@pytest.mark.parametrize("strategy", [ProviderStrategy, ToolStrategy])
async def test_an_agent_answers_in_a_schema_in_async_code(strategy: Any) -> None:
    async with chat() as llm:
        agent: Any = create_agent(llm, [], response_format=strategy(Forecast))
        assert (await agent.ainvoke(STATEMENT))["structured_response"] == Forecast(**PARIS)


@pytest.mark.parametrize("asked_for", [ProviderStrategy(Forecast), Forecast], ids=["given", "bare"])
def test_tools_are_called_before_the_guided_answer(asked_for: Any, vcr: Cassette) -> None:
    agent: Any = create_agent(chat(), [get_weather], response_format=asked_for)
    state = agent.invoke(QUESTION)
    assert said(state["messages"])[1:3] == [
        ("ai", "get_weather(city='Paris')"),
        ("tool", "22 degrees in Paris"),
    ]
    assert state["structured_response"] == Forecast(**PARIS)
    assert ["guided_json" in body for body in bodies(vcr)] == [False, False, True]


async def test_the_final_answer_after_tools_is_guided_in_a_stream_too() -> None:
    async with chat() as llm:
        agent: Any = create_agent(llm, [get_weather], response_format=ProviderStrategy(Forecast))
        assert (await agent.ainvoke(QUESTION))["structured_response"] == Forecast(**PARIS)
    texts, state = [], {}
    for mode, item in agent.stream(QUESTION, stream_mode=["messages", "values"]):
        if mode == "messages":
            texts.append(item[0].text if item[0].type == "AIMessageChunk" else "")
        else:
            state = item
    assert state["structured_response"] == Forecast(**PARIS)
    assert Forecast.model_validate_json("".join(texts)) == Forecast(**PARIS)


def test_a_turn_that_gives_way_to_the_guided_one_is_counted_too(vcr: Cassette) -> None:
    agent: Any = create_agent(chat(), [add], response_format=ProviderStrategy(Forecast))
    answer = agent.invoke(STATEMENT)["messages"][-1]
    spent = [json.loads(reply["body"]["string"])["usage"] for _, reply in exchanges(vcr)]
    assert len(spent) == 2
    assert answer.usage_metadata["total_tokens"] == sum(usage["total_tokens"] for usage in spent)


def test_the_tool_strategy_takes_several_schemas_and_other_tools() -> None:
    agent: Any = create_agent(chat(), [], response_format=ToolStrategy(Forecast | Greeting))
    greeting = agent.invoke(ask("A greeting to Paris!"))["structured_response"]
    assert greeting == Greeting(words="Paris")
    agent = create_agent(chat(), [add], response_format=ToolStrategy(Forecast))
    state = agent.invoke(ask("A forecast for Paris, please, with 22 degrees."))
    assert state["structured_response"].degrees == 22


def test_an_answer_that_max_tokens_cut_is_an_error() -> None:
    agent: Any = create_agent(chat(max_tokens=8), [], response_format=ProviderStrategy(Forecast))
    with pytest.raises(StructuredOutputValidationError, match="Forecast"):
        agent.invoke(STATEMENT)
