"""LangChain's middleware around an agent; where the endpoint must fail, an emulated one does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    HumanInTheLoopMiddleware,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    ToolCallLimitMiddleware,
    after_model,
)
from langchain_core.messages import ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from vcr.cassette import Cassette

from langchain_monster import ChatMonster
from langchain_monster.errors import BadRequestError, RateLimitError
from monster_emulator import Emulator
from tests.langchain.agents.toolbox import add, ask, bodies, chat, get_weather, said

THREAD = {"configurable": {"thread_id": "1"}}
SUM = [("ai", "add(a=2, b=3)"), ("tool", "5")]


@pytest.fixture
def busy() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.fail(next=429, body="busy")
        yield emulator


def served_by(emulator: Emulator, **arguments: Any) -> ChatMonster:
    """Return a model of the emulator's that leaves retries to the agent."""
    return ChatMonster(
        model=emulator.model,
        base_url=emulator.base_url,
        api_key=emulator.api_key,
        **{"temperature": 0, "max_retries": 0, **arguments},
    )


def test_retry_middleware_repeats_a_call_that_came_too_soon(busy: Emulator) -> None:
    retry = ModelRetryMiddleware(initial_delay=0, on_failure="error")
    state = create_agent(served_by(busy), [], middleware=[retry]).invoke(ask("Please count to 3."))
    assert said(state["messages"])[-1] == ("ai", "1, 2, 3")
    assert len(busy.requests) == 2


async def test_retry_middleware_repeats_it_in_async_code_too(busy: Emulator) -> None:
    retry = ModelRetryMiddleware(initial_delay=0, on_failure="error")
    async with served_by(busy) as llm:
        agent = create_agent(llm, [], middleware=[retry])
        state = await agent.ainvoke(ask("Please count to 3."))
    assert said(state["messages"])[-1] == ("ai", "1, 2, 3")


def test_without_retries_the_agent_ends_with_the_error(busy: Emulator) -> None:
    with pytest.raises(RateLimitError):
        create_agent(served_by(busy), []).invoke(ask("Hello!"))


def test_retry_middleware_does_not_repeat_what_the_server_refuses() -> None:
    retry = ModelRetryMiddleware(initial_delay=0, on_failure="error")
    with Emulator() as emulator:
        llm = served_by(emulator, model_kwargs={"no_such_field": 1})
        with pytest.raises(BadRequestError, match="no_such_field"):
            create_agent(llm, [], middleware=[retry]).invoke(ask("Hello!"))
        assert len(emulator.requests) == 1


def test_fallback_middleware_asks_another_model(busy: Emulator) -> None:
    with Emulator() as idle:
        other = ModelFallbackMiddleware(served_by(idle))
        agent = create_agent(served_by(busy), [], middleware=[other])
        state = agent.invoke(ask("Please count to 3."))
        assert said(state["messages"])[-1] == ("ai", "1, 2, 3")
        assert (len(busy.requests), len(idle.requests)) == (1, 1)


@pytest.mark.vcr
def test_summarization_middleware_replaces_old_turns_by_a_summary(vcr: Cassette) -> None:
    summarize = SummarizationMiddleware(
        chat(),
        trigger=("messages", 4),
        keep=("messages", 1),
        summary_prompt="Sum up in a few words: {messages}",
    )
    agent = create_agent(chat(), [], middleware=[summarize], checkpointer=InMemorySaver())
    for question in ("Hello!", "What is the capital of France?"):
        agent.invoke(ask(question), THREAD)
    state = agent.invoke(ask("Please count to 3."), THREAD)
    (_, summary), question, answer = said(state["messages"])
    assert summary.startswith("Here is a summary of the conversation to date")
    assert question == ("human", "Please count to 3.")
    assert answer == ("ai", "1, 2, 3")
    assert [len(body["messages"]) for body in bodies(vcr)] == [1, 3, 1, 2]


@pytest.mark.vcr
def test_summarization_middleware_leaves_the_calls_of_tools_whole(vcr: Cassette) -> None:
    summarize = SummarizationMiddleware(
        chat(), trigger=("messages", 3), keep=("messages", 2), summary_prompt="Sum up: {messages}"
    )
    agent = create_agent(chat(), [get_weather], middleware=[summarize])
    state = agent.invoke(ask("What is the weather in Paris?"))
    assert said(state["messages"])[1:] == [
        ("ai", "get_weather(city='Paris')"),
        ("tool", "22 degrees in Paris"),
        ("ai", "The result is 22 degrees in Paris."),
    ]
    assert [m["role"] for m in bodies(vcr)[-1]["messages"]] == [
        "system",
        *("user", "assistant", "tool"),
    ]


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
    agent.invoke(ask("What is the capital of France?"), THREAD)
    assert [len(body["messages"]) for body in bodies(vcr)] == [1, 1, 2]


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
def test_a_tool_call_limit_ends_an_agent_that_only_ever_calls() -> None:
    limit = ToolCallLimitMiddleware(run_limit=1, exit_behavior="end")
    agent = create_agent(chat(tool_choice="any"), [add], middleware=[limit])
    kinds = said(agent.invoke(ask("Please add 2 and 3."))["messages"])
    assert kinds[1:4] == [*SUM, ("ai", "add(a=2, b=3)")]
    assert "limit" in kinds[-1][1]


@pytest.mark.vcr
def test_a_tool_call_limit_lets_the_model_answer_without_the_tool() -> None:
    limit = ToolCallLimitMiddleware(run_limit=1)
    agent = create_agent(chat(), [add], middleware=[limit], checkpointer=InMemorySaver())
    assert said(agent.invoke(ask("Please add 2 and 3."), THREAD)["messages"])[1:] == [
        *SUM,
        ("ai", "The result is 5."),
    ]


@pytest.mark.vcr
def test_a_model_call_limit_ends_an_agent() -> None:
    limit = ModelCallLimitMiddleware(run_limit=1)
    state = create_agent(chat(), [add], middleware=[limit]).invoke(ask("Please add 2 and 3."))
    assert "limit" in said(state["messages"])[-1][1]


def paused() -> Any:
    """Return an agent that waits for leave to call its tool, and has asked for it."""
    ask_first = HumanInTheLoopMiddleware(interrupt_on={"add": True})
    agent = create_agent(chat(), [add], middleware=[ask_first], checkpointer=InMemorySaver())
    waiting = agent.invoke(ask("Please add 2 and 3."), THREAD)
    (request,) = waiting["__interrupt__"][0].value["action_requests"]
    assert (request["name"], request["args"]) == ("add", {"a": 2, "b": 3})
    return agent


def decide(agent: Any, **decision: Any) -> list[tuple[str, str]]:
    state = agent.invoke(Command(resume={"decisions": [decision]}), THREAD)
    return said(state["messages"])[1:]


@pytest.mark.vcr
def test_an_agent_waits_for_a_human_and_goes_on_when_the_call_is_approved() -> None:
    assert decide(paused(), type="approve") == [*SUM, ("ai", "The result is 5.")]


@pytest.mark.vcr
def test_a_human_may_reject_a_call() -> None:
    call, (kind, result), (_, answer) = decide(paused(), type="reject", message="Not today.")
    assert (call, kind) == (SUM[0], "tool")
    assert result.endswith("Not today.")
    assert answer.startswith("The result is Error: ")


@pytest.mark.vcr
def test_a_human_may_edit_a_call() -> None:
    edited = {"name": "add", "args": {"a": 20, "b": 30}}
    _, (kind, result), _ = decide(paused(), type="edit", edited_action=edited)
    assert kind == "tool"
    assert result.endswith("50")


@pytest.mark.vcr
@pytest.mark.parametrize("method", ["approximate", "model"])
def test_context_editing_leaves_old_results_out(method: Any, vcr: Cassette) -> None:
    edit = ContextEditingMiddleware(
        edits=[ClearToolUsesEdit(trigger=1, keep=1)], token_count_method=method
    )
    agent = create_agent(chat(), [get_weather], middleware=[edit], checkpointer=InMemorySaver())
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


CUT = '{"name": "add", "parameters": {"a": 2, "b": '


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_an_agent_whose_only_call_was_cut_ends_unless_a_middleware_lets_it_go_on(way: str) -> None:
    for middleware, ending in ([], ("ai", "")), ([go_on], ("ai", "5")):
        with Emulator(replies=[CUT, "5"]) as emulator:
            agent = create_agent(served_by(emulator), [add], middleware=middleware)
            if way == "invoke":
                messages = agent.invoke(ask("Add 2 and 3."))["messages"]
            else:
                *_, state = agent.stream(ask("Add 2 and 3."), stream_mode="values")
                messages = state["messages"]
        assert (messages[-1].type, messages[-1].text) == ending
        assert not any(message.type == "tool" and message.text == "5" for message in messages)


def test_the_model_is_told_why_its_call_was_not_run() -> None:
    with Emulator(replies=[CUT, "5"]) as emulator:
        create_agent(served_by(emulator), [add], middleware=[go_on]).invoke(ask("Add 2 and 3."))
        last = emulator.requests[-1].body["messages"][-1]
    assert last["role"] == "tool"
    assert "end before they are complete" in last["content"]
