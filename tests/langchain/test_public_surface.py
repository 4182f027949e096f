"""What the package exports, and that LangChain can read it at run time."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import pytest
from langchain.agents import create_agent
from pydantic import BaseModel

from langchain_monster import ChatMonster, errors
from monster_core import errors as core
from tests.core.scripted_server import reply
from tests.langchain.agents.toolbox import ask, get_weather
from tests.langchain.answering import whole
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL


class City(BaseModel):
    """A city."""

    name: str


def test_the_type_hints_of_every_public_method_resolve() -> None:
    """Fallbacks pass on those whose hints can be read."""
    own = {
        name: found
        for name, found in inspect.getmembers(ChatMonster, inspect.isroutine)
        if not name.startswith("_")
        and found.__module__.startswith(("langchain_monster", "monster_core"))
    }
    assert {"bind_tools", "with_structured_output", "models", "close"} <= own.keys()
    assert [name for name in own if "return" not in typing.get_type_hints(own[name])] == []


def test_a_model_with_fallbacks_takes_tools_and_a_schema_and_serves_an_agent(
    scripted: Scripted,
) -> None:
    broken, _ = scripted(reply(500, {"message": "no"}))
    calls = whole({"content": '{"name": "get_weather", "parameters": {"city": "Oslo"}}'})
    city = whole({"content": '{"name": "Oslo"}'})
    working, _ = scripted(calls, city, calls, whole({"content": "Sunny."}))
    llm: Any = broken.with_fallbacks([working])
    bound = llm.bind_tools([get_weather])
    assert [call["args"] for call in bound.invoke("Hi").tool_calls] == [{"city": "Oslo"}]
    assert llm.with_structured_output(City).invoke("Hi") == City(name="Oslo")
    agent: Any = create_agent(llm, [get_weather])
    messages = agent.invoke(ask("Hi"))["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]


def test_every_error_is_exported_and_has_its_base() -> None:
    assert errors.MonsterError is core.MonsterError
    for name in errors.__all__:
        found = getattr(errors, name)
        if isinstance(found, type) and issubclass(found, Exception):
            assert issubclass(found, errors.MonsterError)
    abstract = {"MonsterError", "TransportError", "ServerReply"}
    assert {*core.__all__} - abstract <= {*errors.__all__}


@pytest.mark.parametrize(
    "given, said",
    [
        ("functions", "use tools"),
        ("extra_body", "model_kwargs"),
        ("reasoning_effort", "no such field"),
        ("openai_api_key", "'openai_api_key' is 'api_key' here, which belongs to the model"),
        ("max_retries", "'max_retries' belongs to the model"),
        ("temprature", "did you mean 'temperature'"),
    ],
)
def test_the_error_for_an_unknown_argument_of_a_call_says_what_to_do(given: str, said: str) -> None:
    llm = ChatMonster(model=MODEL, api_key="k")
    with pytest.raises(errors.InvalidRequestError, match=said):
        llm.invoke("Hi", **{given: "x"})
    with pytest.raises(errors.InvalidRequestError, match=said):
        llm.bind_tools([get_weather], **{given: "x"})
