"""Replies that a test writes beforehand: texts, calls, whole replies, functions of the request."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_monster import ChatMonster
from monster_emulator import Emulator, Reply, ToolCall


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


@tool
def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def chat(emulator: Emulator, **arguments: Any) -> ChatMonster:
    return ChatMonster(
        model=emulator.model, base_url=emulator.base_url, api_key=emulator.api_key, **arguments
    )


def test_texts_are_given_one_after_another_then_the_rules_answer() -> None:
    with Emulator(replies=["One.", "Two."]) as emulator:
        said = [chat(emulator).invoke("Repeat: three").text for _ in range(3)]
    assert said == ["One.", "Two.", "three"]


def test_a_stream_gives_a_reply_as_well() -> None:
    with Emulator(replies=["Grüße, 世界!"]) as emulator:
        pieces = [chunk.text for chunk in chat(emulator).stream("Hello") if chunk.text]
    assert "".join(pieces) == "Grüße, 世界!"
    assert len(pieces) > 5


def test_replies_can_be_added_at_any_time() -> None:
    with Emulator() as emulator:
        emulator.replies = ["One."]
        emulator.replies.append("Two.")
        assert [chat(emulator).invoke("Hello").text for _ in range(2)] == ["One.", "Two."]
        assert emulator.replies == []


@pytest.mark.parametrize("tool_format", ["llama", "hermes", "mistral"])
def test_a_call_is_written_as_the_conversation_asks_for_it(tool_format: Any) -> None:
    with Emulator(replies=[ToolCall("get_weather", {"city": "Rome"})]) as emulator:
        llm = chat(emulator, tool_format=tool_format).bind_tools([get_weather])
        (call,) = llm.invoke("Hello").tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Rome"})


@pytest.mark.parametrize("tool_choice", ["get_weather", "any"])
def test_a_forced_call_has_the_scripted_arguments(tool_choice: str) -> None:
    @tool
    def get_time(zone: str) -> str:
        """Tell the time."""
        return zone

    with Emulator(replies=[ToolCall("get_weather", {"city": "Oslo"})]) as emulator:
        llm = chat(emulator).bind_tools([get_weather, get_time], tool_choice=tool_choice)
        (call,) = llm.invoke("Hello").tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Oslo"})


def test_structured_output_has_the_scripted_values() -> None:
    with Emulator(replies=['{"name": "Ada", "age": 36}']) as emulator:
        found = chat(emulator).with_structured_output(Person).invoke("Who?")
    assert found == Person(name="Ada", age=36)


def test_a_guide_is_kept_whatever_the_script_says() -> None:
    with Emulator(replies=["purple"]) as emulator:
        said = chat(emulator).invoke("Which?", guided_choice=["red", "green"]).text
    assert said in ("red", "green")


def test_a_reply_can_end_as_if_max_tokens_had_cut_it() -> None:
    with Emulator(replies=[Reply("Once upon", finish_reason="length")]) as emulator:
        message = chat(emulator).invoke("Tell me a story.")
    assert message.text == "Once upon"
    assert message.response_metadata["finish_reason"] == "length"


def test_a_function_replies_to_what_was_asked() -> None:
    def shout(body: dict[str, Any]) -> str:
        return str(body["messages"][-1]["content"]).upper()

    with Emulator(replies=[shout]) as emulator:
        assert chat(emulator).invoke("quiet").text == "QUIET"


def test_a_refused_request_takes_no_reply() -> None:
    with Emulator(replies=["One."]) as emulator:
        emulator.fail(next=429, retry_after=0.01)
        assert chat(emulator).invoke("Hello").text == "One."


def test_an_agent_runs_a_script() -> None:
    replies = [ToolCall("get_weather", {"city": "Rome"}), "It is warm in Rome."]
    with Emulator(replies=replies) as emulator:
        agent = create_agent(chat(emulator), [get_weather])
        messages = agent.invoke({"messages": [("user", "Rome?")]})["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert messages[-1].text == "It is warm in Rome."


def test_a_prompt_counts_four_bytes_as_a_token() -> None:
    with Emulator(replies=["Yes."] * 2) as emulator, Emulator(bytes_per_token=1) as exact:
        counts = [
            chat(one).invoke("word " * 400).usage_metadata["input_tokens"]  # type: ignore[index]
            for one in (emulator, exact)
        ]
    assert counts[0] < 600 < 2000 < counts[1]
