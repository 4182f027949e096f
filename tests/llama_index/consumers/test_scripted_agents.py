"""Agents whose model says, turn by turn, what a test puts into its mouth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.base.llms.types import ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool

from tests.core.scripted_server import Reply, ScriptedServer, answer, events, token
from tests.llama_index.consumers.library import add, chat, get_weather
from tests.llama_index.toolbox import Turn, scripted_turns

STREAMED = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])


def call(name: str, **arguments: Any) -> str:
    return json.dumps({"name": name, "parameters": arguments})


def reply(text: str, streaming: bool) -> Reply:
    if not streaming:
        return answer(text)
    return events(*map(token, text), token("", "stop"), "[DONE]")


@STREAMED
async def test_agents_hand_over_to_and_fro_and_each_calls_its_own_tools(streaming: bool) -> None:
    said = [
        call("get_weather", city="Paris"),
        call("handoff", to_agent="calculator", reason="a sum"),
        f"Let me see. {call('add', a=22, b=3)}",
        call("handoff", to_agent="forecaster", reason="the sum is known"),
        "It will be 25 degrees.",
    ]
    with ScriptedServer(*(reply(text, streaming) for text in said)) as server:
        llm = chat(api_base=server.base_url, api_key="k")
        agents = [
            FunctionAgent(
                name=name, description=name, system_prompt=f"The {name}.", tools=[tool], llm=llm
            )
            for name, tool in (("forecaster", get_weather), ("calculator", add))
        ]
        for agent in agents:
            agent.streaming = streaming
        async with llm:
            handler = AgentWorkflow(agents=agents, root_agent="forecaster").run("How warm?")
            results = [
                (event.tool_name, str(event.tool_output))
                async for event in handler.stream_events()
                if isinstance(event, ToolCallResult)
            ]
            assert str(await handler) == "It will be 25 degrees."
    assert [name for name, _ in results] == ["get_weather", "handoff", "add", "handoff"]
    assert [text for name, text in results if name != "handoff"] == ["22 degrees in Paris", "25"]
    systems = [json.loads(one.body)["messages"][0]["content"] for one in server.received]
    speakers = [text.split(".")[0] for text in systems]
    first, second = "The forecaster", "The calculator"
    assert speakers == [first, first, second, second, first]


@STREAMED
async def test_a_tool_that_returns_a_picture_does_not_end_an_agent(streaming: bool) -> None:
    def shot() -> list[TextBlock | ImageBlock]:
        """Take a picture of the page."""
        return [TextBlock(text="the page"), ImageBlock(image=b"\x89PNG\r\n\x1a\n")]

    turn = Turn(calls=[("shot", "{}")])
    llm, bodies = scripted_turns(turn, turn, Turn("I see."))
    agent = FunctionAgent(tools=[FunctionTool.from_defaults(shot)], llm=llm, streaming=streaming)
    assert str(await agent.run("Look.")) == "I see."
    assert json.dumps(bodies[-1]["messages"]).count("image not shown") == 2
