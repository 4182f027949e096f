"""Agents that speak in text, and agents that hand over to each other."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
    ToolCall,
    ToolCallResult,
)
from llama_index.core.tools import FunctionTool
from vcr.cassette import Cassette

from llama_index_monster import MonsterLLM
from tests.llama_index.consumers.library import (
    CAPITAL,
    WEATHER,
    WEATHER_ANSWER,
    add,
    bodies,
    chat,
    get_weather,
    one_of,
)

pytestmark = pytest.mark.vcr

STREAMED = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])


async def run(agent: Any, question: str) -> tuple[str, list]:
    handler = agent.run(question)
    events = [event async for event in handler.stream_events()]
    return str(await handler), events


def of(kind: type, events: list) -> list:
    return [event for event in events if type(event) is kind]


@STREAMED
async def test_a_react_agent_acts_observes_and_answers(vcr: Cassette, streaming: bool) -> None:
    action = 'What next? A tool.\nAction: get_weather\nAction Input: {"city": "Paris"}'
    answer = "Observed. Thought: I can answer.\nAnswer: It is 22 degrees."
    llm = chat(**one_of(action, answer))
    said, events = await run(ReActAgent(tools=[get_weather], llm=llm, streaming=streaming), WEATHER)
    assert said == "It is 22 degrees."
    [result] = of(ToolCallResult, events)
    assert (result.tool_kwargs, str(result.tool_output)) == (
        {"city": "Paris"},
        "22 degrees in Paris",
    )
    assert bodies(vcr)[-1]["messages"][-1]["content"] == "Observation: 22 degrees in Paris"


async def test_a_react_agent_offers_the_server_no_tools(llm: MonsterLLM, vcr: Cassette) -> None:
    said, _ = await run(ReActAgent(tools=[], llm=llm), CAPITAL)
    assert said == "Paris."
    assert "tools" not in bodies(vcr)[0]


@STREAMED
async def test_a_code_act_agent_runs_the_code_it_writes(streaming: bool) -> None:
    ran: list[str] = []

    async def execute(code: str) -> str:
        """Run code."""
        ran.append(code)
        return "5"

    code = "Please wait: <execute>\nprint(add(2, 3))\n</execute>"
    llm = chat(**one_of(code, "Result: 5."))
    agent = CodeActAgent(code_execute_fn=execute, tools=[add], llm=llm, streaming=streaming)
    said, _ = await run(agent, "Please add 2 and 3.")
    assert ran == ["print(add(2, 3))"]
    assert said == "Result: 5."


def calculating(llm: MonsterLLM, **arguments: Any) -> FunctionAgent:
    return FunctionAgent(
        name="calculator",
        description="Adds numbers.",
        system_prompt="You add numbers.",
        llm=llm,
        **{"tools": [add], **arguments},
    )


def greeting(llm: MonsterLLM, **arguments: Any) -> FunctionAgent:
    return FunctionAgent(
        name="greeter",
        description="Says hello.",
        system_prompt="You say hello.",
        tools=[get_weather],
        llm=llm,
        can_handoff_to=["calculator"],
        **arguments,
    )


async def test_an_agent_hands_over_to_another(llm: MonsterLLM, vcr: Cassette) -> None:
    team = AgentWorkflow(agents=[greeting(llm), calculating(llm)], root_agent="greeter")
    said, events = await run(team, 'Please handoff to "calculator" to add 2 and 3.')
    [call] = of(ToolCall, events)
    assert call.tool_name == "handoff"
    assert call.tool_kwargs["to_agent"] == "calculator"
    assert {event.current_agent_name for event in of(AgentStream, events)} == {
        "greeter",
        "calculator",
    }
    assert said.startswith("The result is Agent calculator is now handling the request")
    assert bodies(vcr)[-1]["messages"][0]["content"].startswith("You add numbers.")


@STREAMED
async def test_the_agent_that_was_handed_over_to_calls_a_tool_of_its_own(
    vcr: Cassette, streaming: bool
) -> None:
    # a model that reads results from the user: the recorded one calls tools for no other words
    llm = chat(family="gemma")
    adding = FunctionTool.from_defaults(add, return_direct=True)
    agents = [
        greeting(llm, streaming=streaming),
        calculating(llm, streaming=streaming, tools=[adding], can_handoff_to=[]),
    ]
    team = AgentWorkflow(agents=agents, root_agent="greeter")
    said, events = await run(team, 'Please handoff to "calculator": "I want to add 2 and 3".')
    assert said == "5"
    handoff, sum_ = of(ToolCall, events)
    assert (handoff.tool_name, handoff.tool_kwargs["to_agent"]) == ("handoff", "calculator")
    assert (sum_.tool_name, sum_.tool_kwargs) == ("add", {"a": 2, "b": 3})
    assert sum_.tool_id != handoff.tool_id
    first, second = ([message["content"] for message in body["messages"]] for body in bodies(vcr))
    assert '"name":"handoff"' in first[0]
    assert '"name":"add"' not in first[0]
    assert second[0].startswith("You add numbers.")
    assert '"name":"add"' in second[0]


async def test_a_workflow_of_functions_is_one_agent(llm: MonsterLLM) -> None:
    team = AgentWorkflow.from_tools_or_functions([get_weather, add], llm=llm)
    said, _ = await run(team, WEATHER)
    assert said == WEATHER_ANSWER


async def test_a_code_act_agent_of_a_team_may_hand_over(llm: MonsterLLM) -> None:
    async def execute(code: str) -> str:
        """Run code."""
        return ""

    coder = CodeActAgent(code_execute_fn=execute, name="coder", tools=[], llm=llm)
    coder.can_handoff_to = ["calculator"]
    team = AgentWorkflow(agents=[coder, calculating(llm)], root_agent="coder")
    _, events = await run(team, 'Please handoff to "calculator" to add 2 and 3.')
    assert of(ToolCall, events)[0].tool_kwargs["to_agent"] == "calculator"
