"""A refusal, which some servers tell apart from the text, is not lost."""

from __future__ import annotations

import pytest
from llama_index.core.llms import ChatMessage

from monster_core.errors import StructuredAnswerError
from tests.llama_index.songs import MODES, grow, predict
from tests.llama_index.toolbox import answered, scripted, streamed

REFUSAL = "I cannot help with that."
SAID = {"content": None, "refusal": REFUSAL}
PIECES = [{"refusal": REFUSAL[:9]}, {"refusal": REFUSAL[9:]}]

each_way = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@each_way
def test_it_stands_in_the_message(is_async: bool) -> None:
    llm = scripted(SAID, PIECES)
    responses = streamed(is_async, llm, "stream_chat", [ChatMessage("Hi")])
    for response in (answered(is_async, llm, "chat", [ChatMessage("Hi")]), responses[-1]):
        assert not response.message.content
        assert response.message.additional_kwargs == {"refusal": REFUSAL}


@pytest.mark.parametrize("mode", MODES)
def test_it_is_the_reason_why_there_is_no_object(calls, mode) -> None:
    llm = scripted(SAID, PIECES, pydantic_program_mode=mode)
    with pytest.raises(StructuredAnswerError, match="refused to answer: 'I cannot help"):
        predict(calls, llm)
    with pytest.raises(StructuredAnswerError, match="refused to answer: 'I cannot help"):
        grow(calls, llm)
