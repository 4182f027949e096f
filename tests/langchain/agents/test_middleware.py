"""LangChain's middleware around an agent; where the endpoint must fail, an emulated one does."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    HumanInTheLoopMiddleware,
    LLMToolSelectorMiddleware,
    SummarizationMiddleware,
    after_model,
)
from langchain_core.messages import ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from vcr.cassette import Cassette

from monster_emulator import Emulator
from tests.langchain.agents.toolbox import (
    add,
    ask,
    bodies,
    chat,
    get_weather,
    said,
)
from tests.langchain.conftest import chat_with

THREAD = {"configurable": {"thread_id": "1"}}


@pytest.mark.vcr
def test_summarization_middleware_knows_the_context_window(vcr: Cassette) -> None:
    window = chat().profile["max_input_tokens"]
    summarize = SummarizationMiddleware(
        chat(),
        trigger=("fraction", 20 / window),
        keep=("messages", 1),
        summary_prompt="Sum up: {messages}",
    )
    agent = create_agent(chat(), [], middleware=[summarize], checkpointer=InMemorySaver())
    agent.invoke(ask("Hello!"), THREAD)
    state = agent.invoke(ask("What is the capital of France?"), THREAD)
    assert [len(body["messages"]) for body in bodies(vcr)] == [1, 1, 2]
    assert state["messages"][0].text.startswith("Here is a summary of the conversation to date")


@pytest.mark.vcr
def test_a_tool_selector_leaves_the_other_tools_out(vcr: Cassette) -> None:
    selector = LLMToolSelectorMiddleware(max_tools=1)
    agent = create_agent(chat(), [get_weather, add], middleware=[selector])
    state = agent.invoke(ask("What is the weather in Paris?"))
    assert said(state["messages"])[1] == ("ai", "get_weather(city='Paris')")
    told = [body["messages"][0]["content"] for body in bodies(vcr)]
    # the same selection is asked for twice, once for each turn
    assert ["Add two numbers" in text for text in told] == [True, True, False, False]


@pytest.mark.vcr
def test_an_agent_waits_for_a_human_and_goes_on_when_the_call_is_approved() -> None:
    ask_first = HumanInTheLoopMiddleware(interrupt_on={"add": True})
    agent = create_agent(chat(), [add], middleware=[ask_first], checkpointer=InMemorySaver())
    waiting: Any = agent.invoke(ask("Please add 2 and 3."), THREAD)
    (request,) = waiting["__interrupt__"][0].value["action_requests"]
    assert (request["name"], request["args"]) == ("add", {"a": 2, "b": 3})
    state = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert said(state["messages"])[2:] == [("tool", "5"), ("ai", "The result is 5.")]


@pytest.mark.vcr
def test_context_editing_leaves_old_results_out(vcr: Cassette) -> None:
    edit = ClearToolUsesEdit(trigger=1, keep=1)
    editing = ContextEditingMiddleware(edits=[edit], token_count_method="model")
    agent = create_agent(chat(), [get_weather], middleware=[editing], checkpointer=InMemorySaver())
    agent.invoke(ask("What is the weather in Paris?"), THREAD)
    agent.invoke(ask("And what is the weather in Rome?"), THREAD)
    results = [m["content"] for m in bodies(vcr)[-1]["messages"] if m["role"] == "tool"]
    assert results == ["[cleared]", "22 degrees in Rome"]


@after_model(can_jump_to=["model"])
def go_on(state: Any, runtime: Any) -> dict[str, Any] | None:
    """Tell the model that its calls were not run, as the documentation proposes."""
    answer = state["messages"][-1]
    if answer.tool_calls or not answer.invalid_tool_calls:
        return None
    told = [
        ToolMessage(call["error"] or "Not run.", tool_call_id=call["id"], status="error")
        for call in answer.invalid_tool_calls
    ]
    return {"messages": told, "jump_to": "model"}


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_an_agent_whose_only_call_was_cut_ends_unless_a_middleware_lets_it_go_on(way: str) -> None:
    cut = '{"name": "add", "parameters": {"a": 2, "b": '
    with Emulator(replies=[cut, cut, "5"]) as emulator:
        for middleware, ending in ([], ("ai", "")), ([go_on], ("ai", "5")):
            agent: Any = create_agent(chat_with(emulator), [add], middleware=middleware)
            if way == "invoke":
                messages = agent.invoke(ask("Add 2 and 3."))["messages"]
            else:
                *_, state = agent.stream(ask("Add 2 and 3."), stream_mode="values")
                messages = state["messages"]
            assert (messages[-1].type, messages[-1].text) == ending
            assert not any(message.type == "tool" and message.text == "5" for message in messages)
        last = emulator.requests[-1].body["messages"][-1]
    assert last["role"] == "tool"
    assert "end before they are complete" in last["content"]
