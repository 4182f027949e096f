"""FunctionAgent: tools until the model can answer, streamed and not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    FunctionAgent,
    ToolCall,
    ToolCallResult,
)
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel
from vcr.cassette import Cassette

from llama_index_monster import MonsterLLM
from tests.llama_index.consumers.library import (
    CAPITAL,
    NEWER_CORE,
    WEATHER,
    WEATHER_ANSWER,
    add,
    bodies,
    chat,
    get_weather,
)
from tests.saying import Saying

pytestmark = pytest.mark.vcr

STREAMED = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
TWO_CALLS = (
    '[{"name": "get_weather", "parameters": {"city": "Paris"}}, '
    '{"name": "get_weather", "parameters": {"city": "Rome"}}]'
)


class Forecast(BaseModel):
    """What the weather will be."""

    city: str
    degrees: int


def agent(llm: MonsterLLM, **arguments: Any) -> FunctionAgent:
    return FunctionAgent(llm=llm, **{"tools": [get_weather, add], **arguments})


async def run(agent: FunctionAgent, question: str, **arguments: Any) -> tuple[AgentOutput, list]:
    handler = agent.run(question, **arguments)
    events = [event async for event in handler.stream_events()]
    return await handler, events


def of(kind: type, events: list) -> list:
    return [event for event in events if type(event) is kind]


@STREAMED
async def test_an_agent_calls_a_tool_and_answers_from_its_result(
    llm: MonsterLLM, streaming: bool
) -> None:
    patient = agent(llm, streaming=streaming, allow_parallel_tool_calls=False)
    output, events = await run(patient, WEATHER)
    assert str(output) == WEATHER_ANSWER
    [call] = of(ToolCall, events)
    assert (call.tool_name, call.tool_kwargs) == ("get_weather", {"city": "Paris"})
    [result] = of(ToolCallResult, events)
    assert (result.tool_id, str(result.tool_output)) == (call.tool_id, "22 degrees in Paris")


@pytest.mark.parametrize(
    "question, name, arguments",
    [
        (WEATHER, "get_weather", {"city": "Paris"}),
        ("Please add 2 and 3.", "add", {"a": 2, "b": 3}),
    ],
    ids=["weather", "sum"],
)
async def test_the_question_decides_which_tool_is_called(
    llm: MonsterLLM, question: str, name: str, arguments: dict[str, Any]
) -> None:
    _, events = await run(agent(llm), question)
    [call] = of(ToolCall, events)
    assert (call.tool_name, call.tool_kwargs) == (name, arguments)


@STREAMED
async def test_a_question_that_needs_no_tool_is_answered_at_once(
    llm: MonsterLLM, streaming: bool
) -> None:
    patient = agent(llm, streaming=streaming, allow_parallel_tool_calls=False)
    output, events = await run(patient, CAPITAL)
    assert str(output) == "Paris."
    assert of(ToolCall, events) == []


async def test_the_answer_streams_and_a_call_s_json_does_not(llm: MonsterLLM) -> None:
    _, events = await run(agent(llm), WEATHER)
    pieces = [event.delta for event in of(AgentStream, events)]
    assert "".join(pieces) == WEATHER_ANSWER
    assert len(pieces) > 10


async def test_every_event_of_a_call_carries_the_same_id(llm: MonsterLLM) -> None:
    _, events = await run(agent(llm), WEATHER)
    ids = {call.tool_id for event in of(AgentStream, events) for call in event.tool_calls}
    assert ids == {of(ToolCall, events)[0].tool_id}
    assert "" not in ids


async def test_the_output_tells_the_server_s_usage(llm: MonsterLLM) -> None:
    output, _ = await run(agent(llm), CAPITAL)
    assert output.raw["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize(
    "streaming", [True, pytest.param(False, marks=NEWER_CORE)], ids=["streamed", "whole"]
)
async def test_calls_made_at_once_are_all_run(streaming: bool) -> None:
    tool = FunctionTool.from_defaults(get_weather, return_direct=True)
    async with httpx.AsyncClient(auth=Saying(TWO_CALLS)) as client:
        chatty = agent(chat(async_http_client=client), tools=[tool], streaming=streaming)
        _, events = await run(chatty, "What is the weather in Paris, and in Rome?")
    results = of(ToolCallResult, events)
    assert sorted(str(result.tool_output) for result in results) == [
        "22 degrees in Paris",
        "22 degrees in Rome",
    ]
    assert len({result.tool_id for result in results}) == 2


async def test_only_the_first_call_is_run_where_calls_may_not_be_made_at_once() -> None:
    tool = FunctionTool.from_defaults(get_weather, return_direct=True)
    async with httpx.AsyncClient(auth=Saying(TWO_CALLS)) as client:
        llm = chat(async_http_client=client)
        patient = agent(llm, tools=[tool], allow_parallel_tool_calls=False)
        _, events = await run(patient, "What is the weather in Paris, and in Rome?")
    [result] = of(ToolCallResult, events)
    assert str(result.tool_output) == "22 degrees in Paris"


async def test_the_first_call_can_be_chosen(llm: MonsterLLM, vcr: Cassette) -> None:
    forced = agent(llm, initial_tool_choice="add")
    output, events = await run(forced, "I have 3 apples, and 4 pears")
    assert of(ToolCall, events)[0].tool_kwargs == {"a": 3, "b": 4}
    assert str(output) == "The result is 7."
    assert ["tool_choice" in body for body in bodies(vcr)] == [True, False]


async def test_tools_are_followed_by_an_object(llm: MonsterLLM) -> None:
    structured = agent(llm, output_cls=Forecast)
    output, _ = await run(structured, "What is the weather in Oslo on the 22nd?")
    assert output.get_pydantic_model(Forecast) == Forecast(city="Oslo", degrees=22)


async def test_the_model_sees_the_error_of_a_failing_tool(llm: MonsterLLM) -> None:
    def get_weather(city: str) -> str:
        """Look up the weather in a city."""
        raise ValueError(f"no weather in {city}")

    output, events = await run(agent(llm, tools=[get_weather]), WEATHER)
    assert of(ToolCallResult, events)[0].tool_output.is_error
    assert "no weather in Paris" in str(output)


async def test_a_system_prompt_stands_ahead_of_the_tools(llm: MonsterLLM, vcr: Cassette) -> None:
    await run(agent(llm, system_prompt="Answer like a sailor."), CAPITAL)
    system, user = bodies(vcr)[0]["messages"]
    assert system["role"] == "system"
    assert system["content"].startswith("Answer like a sailor.\n\n")
    assert user == {"role": "user", "content": CAPITAL}


async def test_a_conversation_goes_on_in_its_memory(llm: MonsterLLM, vcr: Cassette) -> None:
    memory = Memory.from_defaults(session_id="one", token_limit=4000)
    await agent(llm).run(WEATHER, memory=memory)
    output = await agent(llm).run("And what is the weather in Rome?", memory=memory)
    assert str(output) == "The result is 22 degrees in Rome."
    roles = [message["role"] for message in bodies(vcr)[-1]["messages"]]
    assert roles == [
        "system",
        *("user", "assistant", "tool", "assistant"),
        *("user", "assistant", "tool"),
    ]


async def test_a_memory_keeps_calls_and_results_as_json(llm: MonsterLLM) -> None:
    memory = ChatMemoryBuffer.from_defaults(token_limit=4000)
    await agent(llm).run(WEATHER, memory=memory)
    kept = [message.model_dump_json() for message in memory.get_all()]
    restored = [ChatMessage.model_validate_json(message) for message in kept]
    assert restored == memory.get_all()
    assert [message.role for message in restored] == ["user", "assistant", "tool", "assistant"]
    assert restored[-1].content == WEATHER_ANSWER
