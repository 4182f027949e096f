"""``ask_again=True`` reaches the core, of a model, of one call and of structured output."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from tests.langchain.answering import delta, streamed, whole
from tests.langchain.conftest import Scripted


class City(BaseModel):
    """A city."""

    name: str


GOOD = '{"name": "Oslo"}'
OSLO = City(name="Oslo")


@pytest.mark.parametrize("method", ["guided_json", "function_calling"])
def test_structured_output_is_asked_for_again(scripted: Scripted, method: str) -> None:
    call = f'{{"name": "City", "parameters": {GOOD}}}'
    good = GOOD if method == "guided_json" else call
    llm, server = scripted(whole({"content": "I will not."}), whole({"content": good}))
    asking = llm.with_structured_output(City, method=method, ask_again=True)
    assert asking.invoke("Where?") == OSLO
    assert len(server.received) == 2


def test_a_stream_is_asked_for_again(scripted: Scripted) -> None:
    prose = streamed(delta("I will not."), delta(finish="stop"))
    llm, server = scripted(prose, streamed(delta(GOOD), delta(finish="stop")), ask_again=True)
    assert list(llm.with_structured_output(City).stream("Where?"))[-1] == OSLO
    assert len(server.received) == 2


def test_one_call_can_ask_again(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": "No."}), whole({"content": GOOD}))
    assert llm.invoke("Where?", guided_json=City, ask_again=True).text == GOOD
    assert len(server.received) == 2
