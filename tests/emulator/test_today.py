"""The emulator speaks the dialect of today's vLLM as well, and both classes understand it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from llama_index.core.tools import FunctionTool

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.errors import BadRequestError
from monster_emulator import Emulator, Reply, ToolCall

QUESTION = "What is the weather in Rome?"


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look up the weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
        "strict": True,
    },
}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(server="vllm") as emulator:
        yield emulator


@pytest.fixture
def chat(emulator: Emulator) -> ChatMonster:
    return ChatMonster(**settings(emulator))


@pytest.fixture
def llm(emulator: Emulator) -> MonsterLLM:
    given = settings(emulator)
    return MonsterLLM(api_base=given.pop("base_url"), **given)


def settings(emulator: Emulator) -> dict[str, Any]:
    return {
        "model": emulator.model,
        "base_url": emulator.base_url,
        "api_key": emulator.api_key,
        "server": "vllm",
        "tool_strategy": "native",
    }


def post(emulator: Emulator, **body: Any) -> httpx.Response:
    question = {"model": emulator.model, "messages": [{"role": "user", "content": QUESTION}]}
    headers = {"authorization": f"Bearer {emulator.api_key}"}
    url = f"{emulator.base_url}/chat/completions"
    return httpx.post(url, json={**question, **body}, headers=headers)


def test_a_server_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match=r"speaks 'vllm-0\.5' or 'vllm'"):
        Emulator(server="vllm-0.9")


@pytest.mark.parametrize("server", ["vllm-0.5", "vllm"])
def test_it_tells_its_release_without_a_key(server: str) -> None:
    with Emulator(server=server) as emulator:
        chat = ChatMonster(model=emulator.model, base_url=emulator.base_url, api_key="another")
        assert chat.discover_server().name == server


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"guided_choice": ["red"], "nothing_of_the_kind": 1}, f"You said: {QUESTION}"),
        ({"structured_outputs": {"choice": ["red", "blue"]}}, "red"),
        ({"structured_outputs": {"regex": "^[0-9]{3}$"}}, "000"),
        ({"structured_outputs": {"grammar": 'start: "yes"'}}, "yes"),
        ({"structured_outputs": {"grammar": 'root ::= "yes"'}}, "yes"),
        ({"structured_outputs": {"json": {"enum": ["a"]}}}, '"a"'),
    ],
)
def test_todays_constraints_are_kept_and_those_of_the_past_ignored(
    emulator: Emulator, fields: dict[str, Any], said: str
) -> None:
    answer = post(emulator, **fields).json()
    assert answer["choices"][0]["message"]["content"] == said


def test_an_injected_error_is_nested_too(emulator: Emulator) -> None:
    emulator.fail(next=503)
    assert post(emulator).json()["error"]["code"] == 503


def test_a_call_that_the_model_chooses_is_the_servers_own(emulator: Emulator) -> None:
    (choice,) = post(emulator, tools=[WEATHER]).json()["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Rome"}'}
    assert choice["finish_reason"] == "tool_calls"


def test_a_cut_call_arrives_as_text_or_streamed_with_arguments_made_up(emulator: Emulator) -> None:
    forced: dict[str, Any] = {"tools": [WEATHER], "tool_choice": "required"}
    answer = post(emulator, **forced, max_tokens=15).json()
    assert answer["choices"][0]["message"]["content"] == '<tool_call>\n{"n'
    written = '<tool_call>\n{"name": "get_weather"'
    streamed = post(emulator, **forced, max_tokens=len(written), stream=True).text
    assert re.findall(r'"(?:name|arguments)":"(.*?)"', streamed) == ["get_weather", "{}"]


def test_arguments_of_a_forced_call_are_any_json_unless_strict(emulator: Emulator) -> None:
    loose = {"type": "function", "function": {**WEATHER["function"], "strict": None}}  # type: ignore[dict-item]
    emulator.replies = [ToolCall("get_weather", {"town": 5})] * 2
    said = []
    for tool in (loose, WEATHER):
        answer = post(emulator, tools=[tool], tool_choice="required").json()
        (call,) = answer["choices"][0]["message"]["tool_calls"]
        said.append(json.loads(call["function"]["arguments"]).keys())
    assert said == [{"town"}, {"city"}]


def test_langchain_calls_natively_and_reads_the_result(
    emulator: Emulator, chat: ChatMonster
) -> None:
    asked = chat.bind_tools([get_weather])
    answer = asked.invoke(QUESTION)
    (call,) = answer.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Rome"})
    result = ToolMessage("22 degrees", tool_call_id=str(call["id"]))
    said = asked.invoke([HumanMessage(QUESTION), answer, result])
    assert said.text == "The result is 22 degrees."
    assert emulator.requests[-1].body["messages"][-1]["role"] == "tool"


def test_langchain_streams_a_native_call(chat: ChatMonster) -> None:
    chunks = list(chat.bind_tools([get_weather]).stream(QUESTION))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert isinstance(whole, AIMessage)
    assert [call["args"] for call in whole.tool_calls] == [{"city": "Rome"}]


def test_langchain_tells_what_a_model_thinks(emulator: Emulator, chat: ChatMonster) -> None:
    emulator.replies = [Reply("Four.", reasoning="2 + 2 is 4.")]
    blocks = chat.invoke("What is 2 + 2?").content_blocks
    assert [block["type"] for block in blocks] == ["reasoning", "text"]


def test_a_refusal_is_told(chat: ChatMonster) -> None:
    asked = chat.model_copy(update={"model_kwargs": {"structured_outputs": {"regex": "("}}})
    with pytest.raises(BadRequestError, match="Grammar error"):
        asked.invoke("Hello")


def test_llama_index_calls_natively(llm: MonsterLLM) -> None:
    tool = FunctionTool.from_defaults(get_weather)
    response = llm.chat_with_tools([tool], user_msg=QUESTION)
    (call,) = llm.get_tool_calls_from_response(response)
    assert (call.tool_name, call.tool_kwargs) == ("get_weather", {"city": "Rome"})
