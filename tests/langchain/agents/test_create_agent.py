from __future__ import annotations

from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ToolCallLimitMiddleware, wrap_tool_call
from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from vcr.cassette import Cassette

from tests.langchain.agents.toolbox import (
    WEATHER_IN_PARIS,
    add,
    ask,
    bodies,
    chat,
    get_weather,
    said,
)
from tests.langchain.answering import Way, asked, every_way
from tests.saying import Saying

pytestmark = pytest.mark.vcr


@every_way
async def test_an_agent_calls_a_tool_and_answers_from_its_result(way: Way) -> None:
    async with chat() as llm:
        agent = create_agent(llm, [get_weather])
        state = await asked(agent, way, ask("What is the weather in Paris?"))
        assert said(state["messages"])[1:] == WEATHER_IN_PARIS


def test_a_question_that_needs_no_tool_is_answered_at_once() -> None:
    for tools in ([get_weather, add], []):
        state = create_agent(chat(), tools).invoke(ask("What is the capital of France?"))
        assert said(state["messages"])[1:] == [("ai", "Paris.")]


def test_a_checkpointed_conversation_is_told_again_at_the_next_turn(vcr: Cassette) -> None:
    agent = create_agent(chat(), [get_weather], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    agent.invoke(ask("What is the weather in Paris?"), thread)
    state = agent.invoke(ask("And what is the weather in Rome?"), thread)
    assert said(state["messages"])[1:] == [
        *WEATHER_IN_PARIS,
        ("human", "And what is the weather in Rome?"),
        ("ai", "get_weather(city='Rome')"),
        ("tool", "22 degrees in Rome"),
        ("ai", "The result is 22 degrees in Rome."),
    ]
    assert [message["role"] for message in bodies(vcr)[-1]["messages"]] == [
        "system",
        *("user", "assistant", "tool", "assistant"),
        *("user", "assistant", "tool"),
    ]


async def test_calls_made_at_once_are_all_run_and_all_their_results_sent(vcr: Cassette) -> None:
    two_calls = (
        '[{"name": "get_weather", "parameters": {"city": "Paris"}}, '
        '{"name": "get_weather", "parameters": {"city": "Rome"}}]'
    )
    async with httpx.AsyncClient(auth=Saying(two_calls, "The results are in.")) as client:
        agent = create_agent(chat(http_async_client=client), [get_weather])
        state = await agent.ainvoke(ask("How is the weather in Paris and Rome?"))
    assert said(state["messages"])[1:] == [
        ("ai", "get_weather(city='Paris'), get_weather(city='Rome')"),
        ("tool", "22 degrees in Paris"),
        ("tool", "22 degrees in Rome"),
        ("ai", "The results are in."),
    ]
    results = [m["content"] for m in bodies(vcr)[-1]["messages"] if m["role"] == "tool"]
    assert results == [
        'Result of get_weather({"city":"Paris"}): 22 degrees in Paris',
        'Result of get_weather({"city":"Rome"}): 22 degrees in Rome',
    ]


def test_what_a_tool_raises_can_be_told_to_the_model(vcr: Cassette) -> None:
    @tool
    def get_tide(city: str) -> str:
        """Look up the tide of a city."""
        raise ValueError(f"{city} lies at no sea")

    @wrap_tool_call
    def tell(request: Any, handler: Any) -> Any:
        try:
            return handler(request)
        except ValueError as error:
            return ToolMessage(str(error), tool_call_id=request.tool_call["id"], status="error")

    agent = create_agent(chat(), [get_tide], middleware=[tell])
    messages = agent.invoke(ask("How is the tide in Paris?"))["messages"]
    assert messages[2].status == "error"
    assert bodies(vcr)[-1]["messages"][-1] == {
        "role": "tool",
        "content": "Error: Paris lies at no sea",
    }
    assert messages[-1].text == "The result is Error: Paris lies at no sea."


def test_an_agent_serves_a_model_that_takes_neither_system_nor_tool_messages(
    vcr: Cassette,
) -> None:
    llm = chat(model="google/gemma-2-9b-it")
    limit = ToolCallLimitMiddleware(run_limit=1, exit_behavior="end")
    agent = create_agent(llm, [get_weather], system_prompt="Be brief.", middleware=[limit])
    agent.invoke(ask("What is the weather in Paris?"))
    assert [[m["role"] for m in body["messages"]] for body in bodies(vcr)] == [
        ["user"],
        ["user", "assistant", "user"],
    ]


def test_arguments_that_the_runtime_injects_are_not_shown_to_the_model(vcr: Cassette) -> None:
    @tool
    def get_tide(city: str, runtime: ToolRuntime) -> str:
        """Look up the tide of a city."""
        return f"low in {city}, message {len(runtime.state['messages'])}"

    state = create_agent(chat(), [get_tide]).invoke(ask("How is the tide in Oslo?"))
    assert said(state["messages"])[2] == ("tool", "low in Oslo, message 2")
    assert "runtime" not in bodies(vcr)[0]["messages"][0]["content"]
