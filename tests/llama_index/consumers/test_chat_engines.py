"""Chat engines, whole and streamed, and the memories they keep."""

from __future__ import annotations

import pytest
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer, ChatSummaryMemoryBuffer
from vcr.cassette import Cassette

from llama_index_monster import MonsterLLM
from tests.cassette_playback import exchanges
from tests.llama_index.consumers.library import CAPITAL, bodies, chat, index

pytestmark = pytest.mark.vcr

MODES = pytest.mark.parametrize(
    "mode", ["simple", "context", "condense_question", "condense_plus_context"]
)


def engine(mode: str, llm: MonsterLLM) -> BaseChatEngine:
    return index().as_chat_engine(chat_mode=mode, llm=llm, similarity_top_k=1)


@MODES
def test_a_chat_engine_answers_and_remembers(llm: MonsterLLM, mode: str) -> None:
    conversation = engine(mode, llm)
    assert str(conversation.chat(CAPITAL)) == "Paris."
    assert str(conversation.chat("Which is the capital of France?")) == "Paris."
    assert [message.content for message in conversation.chat_history] == [
        *(CAPITAL, "Paris."),
        *("Which is the capital of France?", "Paris."),
    ]


@MODES
async def test_a_chat_engine_answers_in_async_code(llm: MonsterLLM, mode: str) -> None:
    assert str(await engine(mode, llm).achat(CAPITAL)) == "Paris."


@MODES
def test_a_chat_engine_streams_and_remembers(llm: MonsterLLM, mode: str) -> None:
    conversation = engine(mode, llm)
    answer = conversation.stream_chat(CAPITAL)
    assert [piece for piece in answer.response_gen if piece] == ["P", "a", "r", "i", "s", "."]
    assert [message.content for message in conversation.chat_history] == [CAPITAL, "Paris."]


@MODES
async def test_a_chat_engine_streams_in_async_code(llm: MonsterLLM, mode: str) -> None:
    conversation = engine(mode, llm)
    answer = await conversation.astream_chat(CAPITAL)
    pieces = [piece async for piece in answer.async_response_gen()]
    assert "".join(pieces) == "Paris."
    assert [message.content for message in conversation.chat_history] == [CAPITAL, "Paris."]


def test_a_context_engine_answers_from_what_it_retrieves(llm: MonsterLLM, vcr: Cassette) -> None:
    answer = engine("context", llm).chat(CAPITAL)
    assert [node.node.ref_doc_id for node in answer.source_nodes] == ["france"]
    system, user = bodies(vcr)[0]["messages"]
    assert "a city on the Seine" in system["content"]
    assert user == {"role": "user", "content": CAPITAL}


def test_a_long_conversation_is_summed_up(llm: MonsterLLM, vcr: Cassette) -> None:
    turns = [ChatMessage("Tell me a joke. " * 5), ChatMessage("Ha. " * 20, role="assistant")]
    memory = ChatSummaryMemoryBuffer.from_defaults(turns * 3, llm=llm, token_limit=60)
    system, *last = memory.get()
    assert system.role == "system"
    assert "To keep an eye on the mouse." in system.content
    assert len(last) < 6
    assert len(exchanges(vcr)) == 1


def test_a_buffer_takes_its_limit_from_the_context_window() -> None:
    small = ChatMemoryBuffer.from_defaults(llm=chat(context_window=1000))
    assert small.token_limit == 750
