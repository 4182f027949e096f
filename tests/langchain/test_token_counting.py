"""Tokens are counted without a server, a download or a tokenizer library."""

from __future__ import annotations

import time
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    trim_messages,
)
from langchain_core.tools import tool

from langchain_monster import ChatMonster
from langchain_monster.errors import ConfigurationError, InvalidRequestError
from tests.langchain.answering import TOOLS
from tests.recorded_endpoint import MODEL

TRUE_COUNTS = {
    "english": (
        "All human beings are born free and equal in dignity and rights. They are endowed with "
        "reason and conscience and should act towards one another in a spirit of brotherhood.",
        33,
    ),
    "german": (
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft "
        "und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
        44,
    ),
    "finnish": (
        "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on "
        "annettu järki ja omatunto.",
        44,
    ),
    "chinese": (
        "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",  # noqa: RUF001
        36,
    ),
    "russian": ("Все люди рождаются свободными и равными в своем достоинстве и правах.", 22),  # noqa: RUF001
    "arabic": ("يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.", 19),
    "code": (
        "def add(numbers: list[int]) -> int:\n    total = 0\n    for number in numbers:\n"
        "        total += number\n    return total\n",
        31,
    ),
    "json": (
        '{"name": "get_weather", "parameters": {"city": "San Francisco, CA", "days": 3, '
        '"units": ["celsius", "mm"]}}',
        36,
    ),
    "numbers": ("3.14159, 2.71828, 1.41421, 1.73205, 299792458", 27),
    "emoji": ("Done! 🎉🚀 See you 😀", 11),
}
"""Texts, and how many tokens Llama 3's own tokenizer cuts them into."""


def chat(**given: Any) -> ChatMonster:
    return ChatMonster(**{"model": MODEL, "api_key": "k", **given})


def test_the_estimate_is_rather_too_high() -> None:
    for name, (text, true) in TRUE_COUNTS.items():
        assert 0.8 * true <= chat().get_num_tokens(text) <= 2.5 * true, name
    assert chat().get_num_tokens("") == 0
    assert chat().get_num_tokens_from_messages([]) == 0


@pytest.mark.clock
@pytest.mark.parametrize(
    "text", ["a" * 200_000, " " * 200_000, "\n " * 100_000, "\r" * 200_000, "é{" * 50_000]
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    started = time.perf_counter()
    assert chat().get_num_tokens(text) >= 1
    assert time.perf_counter() - started < 2


class Encoding:
    def __init__(self) -> None:
        self.ids = [1, 2, 3]


class Tokenizer:
    def encode(self, text: str) -> Any:
        return Encoding() if text == "encoding" else [ord(sign) for sign in text]


@pytest.mark.parametrize("tokenizer", [Tokenizer(), Tokenizer().encode], ids=["object", "callable"])
def test_a_tokenizer_counts_exactly(tokenizer: Any) -> None:
    llm = chat(tokenizer=tokenizer)
    assert llm.get_token_ids("abc") == [97, 98, 99]
    assert llm.get_num_tokens("abc") == 3
    assert llm.get_token_ids("encoding") == [1, 2, 3]
    fewer = llm.get_num_tokens_from_messages([HumanMessage("abc")])
    assert llm.get_num_tokens_from_messages([HumanMessage("abc" * 11)]) == fewer + 30
    llm = chat(tokenizer=tokenizer, custom_get_token_ids=lambda text: [7])  # LangChain's own wins
    assert llm.get_token_ids("abc") == [7]
    assert llm.get_num_tokens("abc") == 1


def test_ids_need_a_tokenizer() -> None:
    with pytest.raises(ConfigurationError, match="tokenizer"):
        chat().get_token_ids("abc")


def test_calls_results_and_tools_of_every_kind_count() -> None:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    llm = chat()
    asked: list[BaseMessage] = [HumanMessage("What is 1 + 2?")]
    call = {"id": "c1", "name": "add", "args": {"a": 1, "b": 2}}
    called = [*asked, AIMessage("", tool_calls=[call])]
    answered = [*called, ToolMessage("3", tool_call_id="c1")]
    counts = [llm.get_num_tokens_from_messages(told) for told in (asked, called, answered)]
    assert counts == sorted(set(counts))
    for given in (TOOLS[0], add, tool(add), tool(add).args_schema):
        assert llm.get_num_tokens_from_messages(answered, tools=[given]) > counts[-1] + 20


def test_an_image_counts_by_itself_not_by_its_letters() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    text = {"type": "text", "text": "What is it?"}
    llm = chat()
    plain = llm.get_num_tokens_from_messages([HumanMessage([text])])
    told = [HumanMessage([text, image]), AIMessage("A cat."), HumanMessage([image])]
    assert plain + 2000 < llm.get_num_tokens_from_messages(told) < plain + 2100
    with pytest.raises(InvalidRequestError, match="'audio'"):
        llm.get_num_tokens_from_messages([HumanMessage([{"type": "audio"}])])


def test_conversations_are_counted_as_their_family_and_format_write_them() -> None:
    told = [SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Hello"), HumanMessage("Bye")]

    def count(**given: Any) -> int:
        return chat(**given).get_num_tokens_from_messages(told, tools=TOOLS)

    counts = [count(model=name) for name in (MODEL, "google/gemma-2-9b-it", "mistral-7b", "own")]
    assert all(30 < one < 400 for one in counts)
    assert len(set(counts)) > 1
    assert count(model="own", family="mistral") == count(model="mistral-7b") != count(model="own")
    assert count(tool_format="hermes") != count()


def test_messages_are_trimmed_to_the_context_window() -> None:
    llm = chat()
    told = [SystemMessage("Be brief."), *(HumanMessage(f"Line {n} " * 20) for n in range(50))]
    kept = trim_messages(told, max_tokens=500, token_counter=llm, include_system=True)
    assert kept[0] == told[0]
    assert kept[-1] == told[-1]
    assert 3 < len(kept) < 20
    assert llm.get_num_tokens_from_messages(kept) <= 500
