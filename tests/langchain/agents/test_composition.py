"""The model as a part of chains: prompts, parsers, batches, fallbacks."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticToolsParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.tools import tool
from vcr.cassette import Cassette

from tests.langchain.agents.toolbox import Forecast, add, bodies, chat, get_weather, said
from tests.langchain.answering import Way, asked, collected, every_way

pytestmark = pytest.mark.vcr

CAPITAL = ChatPromptTemplate([("system", "Be brief."), ("human", "What is the capital of {land}?")])
STATEMENT = "They say that in Paris there are 22 degrees."


@every_way
async def test_a_prompt_a_model_and_a_parser_make_a_chain(way: Way) -> None:
    async with chat() as llm:
        chain = CAPITAL | llm | StrOutputParser()
        assert await asked(chain, way, {"land": "France"}) == "Paris."
        texts = await collected(chain, way, {"land": "France"})
    assert [text for text in texts if text] == list("Paris.")


def test_few_shot_examples_may_hold_calls_and_results(vcr: Cassette) -> None:
    call = {"name": "add", "args": {"a": 1, "b": 1}, "id": "1"}
    examples = [
        HumanMessage("Please add 1 and 1."),
        AIMessage("", tool_calls=[call]),
        ToolMessage("2", tool_call_id="1"),
        AIMessage("It is 2."),
    ]
    prompt = ChatPromptTemplate([MessagesPlaceholder("examples"), ("human", "{question}")])
    answer = (prompt | chat().bind_tools([add])).invoke(
        {"examples": examples, "question": "Please add 2 and 3."}
    )
    assert said([answer]) == [("ai", "add(a=2, b=3)")]
    assert bodies(vcr)[0]["messages"][1:5] == [
        {"role": "user", "content": "Please add 1 and 1."},
        {"role": "assistant", "content": '{"name": "add", "parameters": {"a":1,"b":1}}'},
        {"role": "tool", "content": "2"},
        {"role": "assistant", "content": "It is 2."},
    ]


def test_tool_calls_are_parsed_into_pydantic_objects() -> None:
    class Add(Forecast):
        """The weather of a city."""

    chain = chat().bind_tools([Add], tool_choice="any") | PydanticToolsParser(tools=[Add])
    assert chain.invoke(STATEMENT) == [Add(city="Paris", degrees=22)]


def test_a_json_parser_streams_what_has_grown_so_far() -> None:
    grown = list((chat(guided_json=Forecast) | JsonOutputParser()).stream(STATEMENT))
    assert grown[0] == {}
    assert {"city": "Par"} in grown
    assert grown[-1] == {"city": "Paris", "degrees": 22}


def test_a_tool_is_run_with_the_call_of_an_answer() -> None:
    answer = chat().bind_tools([get_weather]).invoke("What is the weather in Paris?")
    result = tool(get_weather).invoke(answer.tool_calls[0])
    assert (result.text, result.tool_call_id) == ("22 degrees in Paris", answer.tool_calls[0]["id"])
