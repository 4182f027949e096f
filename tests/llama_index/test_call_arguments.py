"""Arguments of a call that the class which MonsterLLM replaces takes, too."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import ChatMessage

from monster_core.errors import InvalidRequestError
from tests.llama_index.songs import HEY_JUDE, predict, sent_by, song_llm
from tests.llama_index.toolbox import MULTIPLY, Turn, answered, scripted_turns, streamed

EXTRA_BODY = {"top_k": 5, "added_later": {"a": 1}}


@pytest.mark.parametrize("name, given", [("chat", [ChatMessage("Hi")]), ("complete", "Hi")])
def test_extra_body_is_taken_as_it_is_by_openai_s_classes(calls, name, given):
    llm, bodies = scripted_turns(Turn("Hello"), Turn("Hello"), additional_kwargs={"kept": 2})
    answered(calls.is_async, llm, name, given, extra_body=EXTRA_BODY)
    streamed(calls.is_async, llm, f"stream_{name}", given, extra_body=EXTRA_BODY)
    for body in bodies:
        assert (body["top_k"], body["added_later"], body["kept"]) == (5, {"a": 1}, 2)
        assert "extra_body" not in body
    assert EXTRA_BODY == {"top_k": 5, "added_later": {"a": 1}}


def test_a_known_field_in_extra_body_is_checked_and_wins(calls):
    llm, bodies = scripted_turns(Turn("Hello"), top_k=3)
    answered(calls.is_async, llm, "complete", "Hi", top_k=4, extra_body={"top_k": 5})
    assert bodies[0]["top_k"] == 5
    with pytest.raises(InvalidRequestError, match="top_k"):
        answered(calls.is_async, llm, "complete", "Hi", extra_body={"top_k": "many"})
    with pytest.raises(InvalidRequestError, match="extra_body is a dict"):
        answered(calls.is_async, llm, "complete", "Hi", extra_body="top_k=5")


def test_structured_output_and_tools_pass_it_on(calls):
    llm = song_llm()
    bodies = sent_by(llm)
    assert predict(calls, llm, llm_kwargs={"extra_body": EXTRA_BODY}) == HEY_JUDE
    assert bodies[0]["added_later"] == {"a": 1}
    llm, bodies = scripted_turns(Turn(calls=[("multiply", '{"a": 6, "b": 7}')]))
    kwargs = {"extra_body": EXTRA_BODY}
    assert str(answered(calls.is_async, llm, "predict_and_call", [MULTIPLY], "6x7", **kwargs))
    assert bodies[0]["added_later"] == {"a": 1}
