"""What the package exports, and that LangChain can read it at run time."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_monster import ChatMonster, errors
from monster_core import errors as core
from tests.core.scripted_server import reply
from tests.langchain.answering import whole
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL

OWN = ("langchain_monster", "monster_core")


class City(BaseModel):
    """A city."""

    name: str


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sunny in {city}"


def own_methods() -> list[str]:
    return [
        name
        for name, found in inspect.getmembers(ChatMonster, inspect.isroutine)
        if not name.startswith("_") and found.__module__.startswith(OWN)
    ]


@pytest.mark.parametrize("name", own_methods())
def test_the_type_hints_of_a_public_method_resolve(name: str) -> None:
    hints = typing.get_type_hints(getattr(ChatMonster, name))
    assert "return" in hints


def test_the_methods_that_fallbacks_pass_on_are_among_them() -> None:
    assert {"bind_tools", "with_structured_output", "models", "close"} <= set(own_methods())


def test_tools_can_be_bound_to_a_model_with_fallbacks(scripted: Scripted) -> None:
    broken, _ = scripted(reply(500, {"message": "no"}))
    said = '{"name": "weather", "parameters": {"city": "Oslo"}}'
    working, _ = scripted(whole({"content": said}))
    bound: Any = broken.with_fallbacks([working]).bind_tools([weather])
    assert [call["args"] for call in bound.invoke("Hi").tool_calls] == [{"city": "Oslo"}]


def test_a_model_with_fallbacks_answers_in_a_schema(scripted: Scripted) -> None:
    broken, _ = scripted(reply(500, {"message": "no"}))
    working, _ = scripted(whole({"content": '{"name": "Oslo"}'}))
    structured: Any = broken.with_fallbacks([working]).with_structured_output(City)
    assert structured.invoke("Hi") == City(name="Oslo")


def test_an_agent_takes_a_model_with_fallbacks(scripted: Scripted) -> None:
    broken, _ = scripted(reply(500, {"message": "no"}), reply(500, {"message": "no"}))
    said = '{"name": "weather", "parameters": {"city": "Oslo"}}'
    working, _ = scripted(whole({"content": said}), whole({"content": "Sunny."}))
    llm: Any = broken.with_fallbacks([working])
    state = create_agent(llm, [weather]).invoke({"messages": [("user", "Hi")]})  # type: ignore[list-item, misc]
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert isinstance(state["messages"][-1], AIMessage)


def test_the_base_of_every_error_is_exported() -> None:
    assert errors.MonsterError is core.MonsterError
    assert "MonsterError" in errors.__all__
    for name in errors.__all__:
        found = getattr(errors, name)
        if isinstance(found, type) and issubclass(found, Exception):
            assert issubclass(found, errors.MonsterError)


@pytest.mark.parametrize(
    "name, value, kind",
    [
        ("temperature", "hot", "InvalidRequestError"),
        ("top_p", 7, "InvalidRequestError"),
        ("max_tokens", 0, "InvalidRequestError"),
        ("base_url", "nonsense", "ConfigurationError"),
        ("base_url", "http://example.com/v1", "ConfigurationError"),
    ],
)
def test_an_assignment_raises_the_error_that_langchain_knows(
    name: str, value: Any, kind: str
) -> None:
    llm = ChatMonster(model=MODEL, api_key="k")
    with pytest.raises(getattr(errors, kind)):
        setattr(llm, name, value)
    with pytest.raises(getattr(errors, kind)):
        llm.model_copy(update={name: value})


def test_a_missing_langchain_is_named_with_the_extra_to_install() -> None:
    script = (
        "import sys\n"
        "sys.modules['langchain_core'] = None\n"
        "try:\n"
        "    import langchain_monster\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert "pip install 'monsterapi-integrations[langchain]'" in done.stdout


@pytest.mark.parametrize(
    "given, said",
    [
        ("functions", "use tools"),
        ("extra_body", "model_kwargs"),
        ("reasoning_effort", "no such field"),
        ("openai_api_base", "'openai_api_base' is 'base_url' here, which belongs to the model"),
        ("openai_api_key", "'openai_api_key' is 'api_key' here, which belongs to the model"),
        ("base_url", "'base_url' belongs to the model"),
        ("max_retries", "'max_retries' belongs to the model"),
        ("temprature", "did you mean 'temperature'"),
    ],
)
def test_the_error_for_an_unknown_argument_of_a_call_says_what_to_do(given: str, said: str) -> None:
    llm = ChatMonster(model=MODEL, api_key="k")
    with pytest.raises(errors.InvalidRequestError, match=said):
        llm.invoke("Hi", **{given: "x"})
    with pytest.raises(errors.InvalidRequestError, match=said):
        llm.bind_tools([weather], **{given: "x"})
