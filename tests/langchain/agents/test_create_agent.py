from __future__ import annotations

from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ToolCallLimitMiddleware, wrap_tool_call
from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langchain_core.tools import ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from vcr.cassette import Cassette

from tests.langchain.agents.toolbox import add, ask, bodies, chat, get_weather, said
from tests.saying import Saying

pytestmark = pytest.mark.vcr

WEATHER_IN_PARIS = [
    ("human", "What is the weather in Paris?"),
    ("ai", "get_weather(city='Paris')"),
    ("tool", "22 degrees in Paris"),
    ("ai", "The result is 22 degrees in Paris."),
]
TWO_CALLS = (
    '[{"name": "get_weather", "parameters": {"city": "Paris"}}, '
    '{"name": "get_weather", "parameters": {"city": "Rome"}}]'
)


def test_an_agent_calls_a_tool_and_answers_from_its_result() -> None:
    agent = create_agent(chat(), [get_weather])
    state = agent.invoke(ask("What is the weather in Paris?"))
    assert said(state["messages"]) == WEATHER_IN_PARIS


async def test_an_agent_works_the_same_in_async_code() -> None:
    async with chat() as llm:
        agent = create_agent(llm, [get_weather])
        state = await agent.ainvoke(ask("What is the weather in Paris?"))
        assert said(state["messages"]) == WEATHER_IN_PARIS


@pytest.mark.parametrize(
    "question, call",
    [
        ("What is the weather in Paris?", "get_weather(city='Paris')"),
        ("Please add 2 and 3.", "add(a=2, b=3)"),
    ],
    ids=["weather", "sum"],
)
def test_the_question_decides_which_of_several_tools_is_called(question: str, call: str) -> None:
    state = create_agent(chat(), [get_weather, add]).invoke(ask(question))
    assert said(state["messages"])[1] == ("ai", call)


def test_a_question_that_needs_no_tool_is_answered_at_once() -> None:
    state = create_agent(chat(), [get_weather, add]).invoke(ask("What is the capital of France?"))
    assert said(state["messages"])[1:] == [("ai", "Paris.")]


def test_an_agent_without_tools_just_answers() -> None:
    state = create_agent(chat(), []).invoke(ask("What is the capital of France?"))
    assert said(state["messages"])[1:] == [("ai", "Paris.")]


def test_the_system_prompt_stands_ahead_of_the_tools(vcr: Cassette) -> None:
    agent = create_agent(chat(), [get_weather], system_prompt="Answer like a sailor.")
    agent.invoke(ask("What is the weather in Paris?"))
    system, *others = bodies(vcr)[0]["messages"]
    assert system["role"] == "system"
    assert system["content"].startswith("Answer like a sailor.\n\nYou have access to")
    assert others == [{"role": "user", "content": "What is the weather in Paris?"}]


def test_a_checkpointed_conversation_is_told_again_at_the_next_turn(vcr: Cassette) -> None:
    agent = create_agent(chat(), [get_weather], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    agent.invoke(ask("What is the weather in Paris?"), thread)
    state = agent.invoke(ask("And what is the weather in Rome?"), thread)
    assert said(state["messages"]) == [
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


def test_another_thread_begins_anew(vcr: Cassette) -> None:
    agent = create_agent(chat(), [], checkpointer=InMemorySaver())
    agent.invoke(ask("Hello!"), {"configurable": {"thread_id": "1"}})
    agent.invoke(ask("What is the capital of France?"), {"configurable": {"thread_id": "2"}})
    assert len(bodies(vcr)[-1]["messages"]) == 1


def test_parallel_calls_are_all_run_and_all_their_results_sent() -> None:
    with httpx.Client(auth=Saying(TWO_CALLS, "The results are in.")) as client:
        agent = create_agent(chat(http_client=client), [get_weather])
        state = agent.invoke(ask("How is the weather in Paris and Rome?"))
    assert said(state["messages"])[1:] == [
        ("ai", "get_weather(city='Paris'), get_weather(city='Rome')"),
        ("tool", "22 degrees in Paris"),
        ("tool", "22 degrees in Rome"),
        ("ai", "The results are in."),
    ]


async def test_calls_made_at_once_are_run_in_async_code_too(vcr: Cassette) -> None:
    async with httpx.AsyncClient(auth=Saying(TWO_CALLS, "The results are in.")) as client:
        agent = create_agent(chat(http_async_client=client), [get_weather])
        state = await agent.ainvoke(ask("How is the weather in Paris and Rome?"))
        assert said(state["messages"])[-1] == ("ai", "The results are in.")
        results = [m["content"] for m in bodies(vcr)[-1]["messages"] if m["role"] == "tool"]
        assert results == [
            'Result of get_weather({"city":"Paris"}): 22 degrees in Paris',
            'Result of get_weather({"city":"Rome"}): 22 degrees in Rome',
        ]


@tool
def get_tide(city: str) -> str:
    """Look up the tide of a city."""
    raise ValueError(f"{city} lies at no sea")


def test_what_a_tool_raises_can_be_told_to_the_model(vcr: Cassette) -> None:
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


def test_what_a_tool_raises_ends_the_agent_otherwise() -> None:
    with pytest.raises(ValueError, match="Paris lies at no sea"):
        create_agent(chat(), [get_tide]).invoke(ask("How is the tide in Paris?"))


def test_a_tool_that_handles_its_own_errors_answers_with_one() -> None:
    def get_tide(city: str) -> str:
        """Look up the tide of a city."""
        raise ToolException(f"{city} lies at no sea")

    handled = tool(get_tide)
    handled.handle_tool_error = True
    messages = create_agent(chat(), [handled]).invoke(ask("How is the tide in Paris?"))["messages"]
    assert (messages[2].status, messages[2].text) == ("error", "Paris lies at no sea")


def test_arguments_that_do_not_fit_their_tool_are_answered_with_an_error() -> None:
    wrong = '{"name": "add", "parameters": {"a": "two", "b": 3}}'
    with httpx.Client(auth=Saying(wrong, "The sum is unknown.")) as client:
        agent = create_agent(chat(http_client=client), [add])
        messages = agent.invoke(ask("Please add two and 3."))["messages"]
    assert messages[2].status == "error"
    assert "valid integer" in messages[2].text
    assert messages[-1].text == "The sum is unknown."


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


def test_the_text_of_content_blocks_is_told_and_the_artifact_kept(vcr: Cassette) -> None:
    @tool(response_format="content_and_artifact")
    def get_tide(city: str) -> tuple[list[dict[str, str]], int]:
        """Look up the tide of a city."""
        return [{"type": "text", "text": f"low in {city}"}], 12

    messages = create_agent(chat(), [get_tide]).invoke(ask("How is the tide in Oslo?"))["messages"]
    assert bodies(vcr)[-1]["messages"][-1] == {"role": "tool", "content": "low in Oslo"}
    assert messages[2].artifact == 12
