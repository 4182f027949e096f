"""An agent's run and answers from documents, with both frameworks' own parts."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document as LangChainDocument
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from llama_index.core import Document, SummaryIndex
from llama_index.core.agent.workflow import FunctionAgent

from tests.real_weights.models import LLAMA, chat_monster, monster_llm

pytestmark = pytest.mark.vcr

TIDES = "The tide in Oslo is 20 centimetres high. The tide in Brest is six metres high."
QUESTION = "How high is the tide in Brest?"


def get_tide(city: str) -> str:
    """Look up how high the tide is in a city.

    Args:
        city: The name of the city.
    """
    return f"The tide in {city} is six metres high."


def test_an_agent_of_langchain_comes_to_an_end() -> None:
    agent = create_agent(chat_monster(LLAMA), [get_tide])
    state = agent.invoke({"messages": [("user", QUESTION)]}, {"recursion_limit": 8})  # type: ignore[call-overload]
    messages = state["messages"]
    calls = [call["id"] for message in messages for call in getattr(message, "tool_calls", [])]
    results = [message.tool_call_id for message in messages if message.type == "tool"]
    assert results == calls
    assert messages[-1].type == "ai"
    assert messages[-1].text


async def test_an_agent_of_llama_index_comes_to_an_end() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agent = FunctionAgent(tools=[get_tide], llm=monster_llm(LLAMA), streaming=True)
        result: Any = await agent.run(QUESTION, max_iterations=5)
    assert result.response.content


def test_langchain_answers_from_documents() -> None:
    documents = [LangChainDocument(line) for line in TIDES.split(". ")]
    prompt = ChatPromptTemplate.from_template("Answer from this text only:\n{text}\n\n{question}")
    chain = prompt | chat_monster() | StrOutputParser()
    given = {"text": "\n".join(one.page_content for one in documents), "question": QUESTION}
    answer = chain.invoke(given)
    assert "Brest" in answer
    assert "".join(chain.stream(given)) == answer


def test_llama_index_answers_from_documents() -> None:
    index = SummaryIndex.from_documents([Document(text=TIDES)])
    answer = index.as_query_engine(llm=monster_llm()).query(QUESTION)
    assert str(answer) == "The tide in Brest is 6 metres high."
    streamed: Any = index.as_query_engine(llm=monster_llm(), streaming=True).query(QUESTION)
    assert "".join(streamed.response_gen) == str(answer)
