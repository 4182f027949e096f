"""The model as a part of chains: prompts, parsers, batches, fallbacks."""

from __future__ import annotations

from typing import Literal

import pytest
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    trim_messages,
)
from langchain_core.output_parsers import (
    JsonOutputParser,
    PydanticOutputParser,
    PydanticToolsParser,
    StrOutputParser,
)
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    MessagesPlaceholder,
)
from langchain_core.runnables import ConfigurableField, RunnableParallel
from langchain_core.tools import tool
from vcr.cassette import Cassette

from langchain_monster.errors import NotFoundError
from tests.langchain.agents.toolbox import Forecast, add, bodies, chat, get_weather, said

pytestmark = pytest.mark.vcr

CAPITAL = ChatPromptTemplate([("system", "Be brief."), ("human", "What is the capital of {land}?")])


def test_a_prompt_a_model_and_a_parser_make_a_chain() -> None:
    assert (CAPITAL | chat() | StrOutputParser()).invoke({"land": "France"}) == "Paris."


def test_a_chain_streams() -> None:
    texts = list((CAPITAL | chat() | StrOutputParser()).stream({"land": "France"}))
    assert [text for text in texts if text] == list("Paris.")


async def test_a_chain_streams_in_async_code() -> None:
    async with chat() as llm:
        chain = CAPITAL | llm | StrOutputParser()
        texts = [text async for text in chain.astream({"land": "France"})]
    assert [text for text in texts if text] == list("Paris.")


def test_chains_run_side_by_side() -> None:
    count = ChatPromptTemplate([("human", "Please count to {top}.")])
    both = RunnableParallel(
        capital=CAPITAL | chat() | StrOutputParser(), numbers=count | chat() | StrOutputParser()
    )
    assert both.invoke({"land": "France", "top": 3}) == {"capital": "Paris.", "numbers": "1, 2, 3"}


def test_a_batch_keeps_its_order() -> None:
    questions = [f"Please count to {top}." for top in (2, 4, 3)]
    answers = chat().batch(questions, {"max_concurrency": 2})
    assert [answer.text for answer in answers] == ["1, 2", "1, 2, 3, 4", "1, 2, 3"]


async def test_a_batch_keeps_its_order_in_async_code() -> None:
    questions = [f"Please count to {top}." for top in (2, 4, 3)]
    async with chat() as llm:
        answers = await llm.abatch(questions, {"max_concurrency": 2})
    assert [answer.text for answer in answers] == ["1, 2", "1, 2, 3, 4", "1, 2, 3"]


def test_a_batch_may_hand_back_its_errors() -> None:
    answers = chat(max_retries=0).batch(
        [[HumanMessage("Hello!")], [HumanMessage([{"type": "video", "url": "https://a.b/c"}])]],
        return_exceptions=True,
    )
    assert isinstance(answers[0], AIMessage)
    assert isinstance(answers[1], ValueError)


def test_a_fallback_answers_where_the_first_model_is_not_served() -> None:
    llm = chat(model="no/such-model").with_fallbacks([chat()])
    assert llm.invoke("What is the capital of France?").text == "Paris."


def test_a_fallback_keeps_the_tools() -> None:
    first = chat(model="llama-3.1-none").bind_tools([add])
    answer = first.with_fallbacks([chat().bind_tools([add])]).invoke("Please add 2 and 3.")
    assert said([answer]) == [("ai", "add(a=2, b=3)")]


def test_with_retry_repeats_the_errors_it_is_told_to(vcr: Cassette) -> None:
    llm = chat(model="no/such-model").with_retry(
        retry_if_exception_type=(NotFoundError,),
        stop_after_attempt=2,
        wait_exponential_jitter=False,
    )
    with pytest.raises(NotFoundError, match="no/such-model"):
        llm.invoke("Hello!")
    assert len(bodies(vcr)) == 2


def test_a_bound_stop_ends_the_answer() -> None:
    answer = chat().bind(stop=[", 4"]).invoke("Please count to 9.")
    assert answer.text == "1, 2, 3"
    assert answer.response_metadata["stop_reason"] == ", 4"


def test_a_field_made_configurable_is_sent_as_configured(vcr: Cassette) -> None:
    llm = chat().configurable_fields(max_tokens=ConfigurableField("length"))
    assert llm.with_config({"configurable": {"length": 4}}).invoke("Please count to 9.").text == (
        "1, 2"
    )
    assert bodies(vcr)[0]["max_tokens"] == 4


@pytest.mark.parametrize("counter", ["approximate", "model"])
def test_trimmed_messages_are_what_is_sent(
    counter: Literal["approximate", "model"], vcr: Cassette
) -> None:
    history = [
        SystemMessage("Be brief."),
        HumanMessage("Tell me all about cats, please. " * 50),
        AIMessage("No."),
        HumanMessage("What is the capital of France?"),
    ]
    trim = trim_messages(
        max_tokens=200,
        token_counter=chat() if counter == "model" else counter,
        include_system=True,
        start_on="human",
    )
    assert (trim | chat()).invoke(history).text == "Paris."
    assert [m["content"] for m in bodies(vcr)[0]["messages"]] == [
        "Be brief.",
        "What is the capital of France?",
    ]


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


def test_few_shot_examples_of_text_stand_ahead_of_the_question(vcr: Cassette) -> None:
    turn = ChatPromptTemplate([("human", "{land}?"), ("ai", "{capital}")])
    shots = FewShotChatMessagePromptTemplate(
        example_prompt=turn, examples=[{"land": "Italy", "capital": "Rome."}]
    )
    prompt = ChatPromptTemplate([shots, ("human", "What is the capital of {land}?")])
    assert (prompt | chat()).invoke({"land": "France"}).text == "Paris."
    assert [m["role"] for m in bodies(vcr)[0]["messages"]] == ["user", "assistant", "user"]


def test_tool_calls_are_parsed_into_pydantic_objects() -> None:
    class Add(Forecast):
        """The weather of a city."""

    chain = chat().bind_tools([Add], tool_choice="any") | PydanticToolsParser(tools=[Add])
    assert chain.invoke("They say that in Paris there are 22 degrees.") == [
        Add(city="Paris", degrees=22)
    ]


def test_a_json_parser_streams_what_has_grown_so_far() -> None:
    llm = chat(guided_json=Forecast)
    grown = list((llm | JsonOutputParser()).stream("They say that in Paris there are 22 degrees."))
    assert grown[0] == {}
    assert {"city": "Par"} in grown
    assert grown[-1] == {"city": "Paris", "degrees": 22}


def test_a_pydantic_parser_reads_a_guided_answer() -> None:
    parser: PydanticOutputParser[Forecast] = PydanticOutputParser(pydantic_object=Forecast)
    chain = chat(guided_json=Forecast) | parser
    assert chain.invoke("They say that in Paris there are 22 degrees.") == Forecast(
        city="Paris", degrees=22
    )


def test_a_tool_is_run_with_the_call_of_an_answer() -> None:
    answer = chat().bind_tools([get_weather]).invoke("What is the weather in Paris?")
    result = tool(get_weather).invoke(answer.tool_calls[0])
    assert (result.text, result.tool_call_id) == ("22 degrees in Paris", answer.tool_calls[0]["id"])
