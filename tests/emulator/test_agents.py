"""Both frameworks' agents run to their end on the emulator, in every format of tools."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from llama_index.core.agent.workflow import FunctionAgent
from pydantic import BaseModel

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM

MODELS = [
    "meta-llama/Meta-Llama-3.1-8B-Instruct",
    "google/gemma-2-9b-it",
    "mistralai/Mistral-7B-Instruct-v0.2",
    "NousResearch/Hermes-3-Llama-3.1-8B",
]
WEATHER = "What is the weather in Rome?"


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Person(BaseModel):
    """Somebody who is spoken of."""

    name: str
    age: int
    nickname: str | None = None


@pytest.fixture(params=MODELS)
def settings(request, emulate):
    emulator = emulate(model=request.param).emulator
    return {"model": request.param, "api_key": emulator.api_key, "base": emulator.base_url}


@pytest.fixture
def chat(settings):
    with ChatMonster(
        model=settings["model"], base_url=settings["base"], api_key=settings["api_key"]
    ) as llm:
        yield llm


@pytest.mark.parametrize("choice", ["any", "add"])
def test_langchain_forces_a_call(chat, choice):
    llm = chat.bind_tools([get_weather, add], tool_choice=choice)
    (call,) = llm.invoke("Add 2 and 3.").tool_calls
    assert (call["name"], call["args"]) == ("add", {"a": 2, "b": 3})


def test_langchain_gets_a_structured_answer(chat):
    for method in ("guided_json", "function_calling"):
        llm = chat.with_structured_output(Person, method=method)
        assert llm.invoke("My friend Ana is 34 years old.") == Person(name="Ana", age=34)


def test_a_langchain_agent_runs_to_its_end(chat):
    state = create_agent(chat, [get_weather, add]).invoke({"messages": [("user", WEATHER)]})
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert [call["args"] for call in state["messages"][1].tool_calls] == [{"city": "Rome"}]
    assert state["messages"][-1].text == "The result is 22 degrees in Rome."


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")
async def test_a_llama_index_agent_runs_to_its_end(settings):
    async with MonsterLLM(
        settings["model"], api_base=settings["base"], api_key=settings["api_key"]
    ) as llm:
        output = await FunctionAgent(tools=[get_weather, add], llm=llm).run("Add 2 and 3.")
    assert str(output) == "The result is 5."
