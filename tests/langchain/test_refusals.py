"""A refusal, which some servers tell apart from the text, is not lost."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from tests.langchain.answering import WAYS, Way, collected, streamed, summed, whole
from tests.langchain.conftest import Scripted

REFUSAL = "I cannot help with that."
WHOLE = whole({"content": None, "refusal": REFUSAL})


def piece(**said: Any) -> dict[str, Any]:
    """Return an event of a stream."""
    return {"id": "cmpl-7", "model": "served", "choices": [{"index": 0, **said}]}


STREAM = streamed(
    piece(delta={"refusal": REFUSAL[:9]}),
    piece(delta={"refusal": REFUSAL[9:]}),
    piece(delta={}, finish_reason="stop"),
)


class Answer(BaseModel):
    """An answer."""

    text: str


def check(answer: AIMessage) -> None:
    assert answer.text == ""
    assert answer.additional_kwargs == {"refusal": REFUSAL}


async def test_of_a_whole_answer(scripted: Scripted) -> None:
    llm, _ = scripted(WHOLE)
    check(llm.invoke("Hi"))
    check(await llm.ainvoke("Hi"))


@pytest.mark.parametrize("way", WAYS)
async def test_of_a_stream(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(STREAM)
    check(summed(await collected(llm, way)))


@pytest.mark.parametrize("method", ["guided_json", "function_calling"])
def test_it_is_the_reason_why_there_is_no_structured_answer(
    scripted: Scripted, method: str
) -> None:
    llm, _ = scripted(WHOLE, STREAM)
    structured = llm.with_structured_output(Answer, method=method)
    with pytest.raises(OutputParserException, match="refused to answer: 'I cannot help"):
        structured.invoke("Hi")
    with pytest.raises(OutputParserException, match="refused to answer: 'I cannot help"):
        list(structured.stream("Hi"))
