"""Tools of any provider, and their results in any order, reach the model as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_monster.errors import ContextOverflowError, InvalidRequestError
from tests.core.request.test_tool_definitions import BUILTIN, FORMS
from tests.core.scripted_server import answer, reply
from tests.langchain.conftest import Scripted


@pytest.mark.parametrize("form", FORMS)
def test_a_tool_in_the_form_of_any_provider_is_shown_with_its_schema(
    scripted: Scripted, form: str
) -> None:
    llm, server = scripted(answer(), answer())
    llm.bind_tools([FORMS[form]]).invoke("Hi")
    llm.invoke("Hi", tools=[FORMS[form]])
    for received in server.received:
        system = json.loads(received.body)["messages"][0]["content"]
        assert '"name":"weather","description":"Tell it."' in system.replace('": "', '":"')
        assert '"city":{"type":"string"}' in system


@pytest.mark.parametrize("tool, name", BUILTIN, ids=str)
def test_a_tool_that_its_provider_runs_is_refused_by_name(
    scripted: Scripted, tool: dict[str, Any], name: str
) -> None:
    llm, server = scripted()
    with pytest.raises(InvalidRequestError, match=f"'{name}' is one that another provider defines"):
        llm.bind_tools([tool])
    with pytest.raises(InvalidRequestError, match=f"'{name}' is one that another provider defines"):
        llm.invoke("Hi", tools=[tool])
    assert not server.received


def calls(*ids: str) -> AIMessage:
    cities = ["Rome", "Oslo"]
    return AIMessage(
        "",
        tool_calls=[
            {"name": "weather", "args": {"city": city}, "id": call_id}
            for city, call_id in zip(cities, ids, strict=True)
        ],
    )


@pytest.mark.parametrize("call_id", ["", "weather", "unknown"])
@pytest.mark.parametrize("ids", [("a", "b"), ("", ""), ("a", "a")])
def test_results_without_ids_of_their_own_belong_to_the_calls_in_order(
    scripted: Scripted, call_id: str, ids: tuple[str, str]
) -> None:
    llm, server = scripted(answer())
    results = [ToolMessage(text, tool_call_id=call_id) for text in ("22", "9")]
    llm.invoke([HumanMessage("Both?"), calls(*ids), *results])
    sent = json.loads(server.received[0].body)["messages"]
    assert [message["content"] for message in sent[2:]] == [
        'Result of weather({"city":"Rome"}): 22',
        'Result of weather({"city":"Oslo"}): 9',
    ]


def test_results_in_another_order_name_their_calls(scripted: Scripted) -> None:
    llm, server = scripted(answer())
    results = [ToolMessage("9", tool_call_id="b"), ToolMessage("22", tool_call_id="a")]
    llm.invoke([HumanMessage("Both?"), calls("a", "b"), *results])
    sent = json.loads(server.received[0].body)["messages"]
    assert [message["content"] for message in sent[2:]] == [
        'Result of weather({"city":"Oslo"}): 9',
        'Result of weather({"city":"Rome"}): 22',
    ]


def test_an_overflow_holds_the_server_s_numbers(scripted: Scripted) -> None:
    said = (
        "This model's maximum context length is 4096 tokens. However, you requested 5096 tokens "
        "(3996 in the messages, 1100 in the completion)."
    )
    llm, _ = scripted(reply(400, {"message": said}))
    with pytest.raises(ContextOverflowError, match="discover_model_profile") as caught:
        llm.invoke("Hi")
    assert (caught.value.context_window, caught.value.prompt_tokens) == (4096, 3996)
