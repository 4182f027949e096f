"""What is built without validation is what validation would have built."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    LogProb,
    MessageRole,
    TextBlock,
)
from pydantic import BaseModel, PrivateAttr

from monster_core.unvalidated import Unvalidated

CHUNK = AIMessageChunk(content="Hi", id="cmpl-1", response_metadata={"a": 1})
SAID = AIMessage(content="Hi")
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
MESSAGE = ChatMessage(role=MessageRole.ASSISTANT, blocks=[TextBlock(text="Hi")])


class Counted(BaseModel):
    """Has a private attribute, which only its own construction sets."""

    name: str
    _count: int = PrivateAttr(default=3)


@pytest.mark.parametrize(
    "kind, values",
    [
        (AIMessageChunk, {"content": "Hi", "id": "cmpl-1", "response_metadata": {"a": 1}}),
        (AIMessageChunk, {"content": "", "chunk_position": "last"}),
        (ChatGenerationChunk, {"message": CHUNK, "text": "Hi"}),
        (AIMessage, {"content": "Hi", "id": None, "usage_metadata": USAGE, "tool_calls": []}),
        (ChatGeneration, {"message": SAID, "text": "Hi", "generation_info": {"a": 1}}),
        (ChatResult, {"generations": [ChatGeneration(message=SAID)], "llm_output": {"a": None}}),
        (TextBlock, {"text": "Hi"}),
        (LogProb, {"token": "a", "logprob": -0.5, "bytes": [97]}),
        (ChatMessage, {"role": MessageRole.ASSISTANT, "blocks": [TextBlock(text="Hi")]}),
        (ChatResponse, {"message": MESSAGE, "delta": "Hi", "raw": {"usage": None}}),
        (Counted, {"name": "a"}),
    ],
)
def test_it_equals_what_is_validated(kind: type[BaseModel], values: dict[str, Any]) -> None:
    built, usual = Unvalidated(kind)(**values), kind(**values)
    assert built == usual
    assert built.model_fields_set == usual.model_fields_set
    assert built.model_dump() == usual.model_dump()
    assert repr(built) == repr(usual)
    assert built.model_copy(deep=True) == usual


def test_defaults_are_not_shared() -> None:
    build = Unvalidated(AIMessageChunk)
    build(content="").additional_kwargs["a"] = 1
    assert build(content="").additional_kwargs == {}
