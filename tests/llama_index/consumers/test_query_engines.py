"""Query engines over a small index, and what chooses among them."""

from __future__ import annotations

import pytest
from llama_index.core import Settings
from llama_index.core.query_engine import (
    RetrieverQueryEngine,
    RouterQueryEngine,
    SubQuestionQueryEngine,
)
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.selectors import (
    LLMMultiSelector,
    LLMSingleSelector,
    PydanticMultiSelector,
    PydanticSingleSelector,
)
from llama_index.core.selectors.utils import get_selector_from_llm
from vcr.cassette import Cassette

from llama_index_monster import MonsterLLM
from tests.cassette_playback import exchanges
from tests.llama_index.consumers.library import (
    CAPITAL,
    bodies,
    chat,
    index,
    library_tools,
    one_of,
)

pytestmark = pytest.mark.vcr

SECOND = '[{"choice": 2, "reason": "it is about sports"}]'
BOTH = '[{"choice": 1, "reason": "a fact"}, {"choice": 2, "reason": "a team"}]'


def test_a_query_engine_answers_from_what_it_retrieves(llm: MonsterLLM, vcr: Cassette) -> None:
    engine = index().as_query_engine(llm=llm, similarity_top_k=1)
    answer = engine.query(CAPITAL)
    assert str(answer) == "Paris."
    assert [node.node.ref_doc_id for node in answer.source_nodes] == ["france"]
    assert "a city on the Seine" in bodies(vcr)[0]["messages"][-1]["content"]


async def test_a_query_engine_answers_in_async_code(llm: MonsterLLM) -> None:
    answer = await index().as_query_engine(llm=llm, similarity_top_k=1).aquery(CAPITAL)
    assert str(answer) == "Paris."


def test_a_query_engine_streams(llm: MonsterLLM) -> None:
    engine = index().as_query_engine(llm=llm, similarity_top_k=1, streaming=True)
    pieces = [piece for piece in engine.query(CAPITAL).response_gen if piece]
    assert pieces == ["P", "a", "r", "i", "s", "."]


async def test_a_query_engine_streams_in_async_code(llm: MonsterLLM) -> None:
    engine = index().as_query_engine(llm=llm, similarity_top_k=1, streaming=True)
    answer = await engine.aquery(CAPITAL)
    pieces = [piece async for piece in answer.async_response_gen()]
    assert "".join(pieces) == "Paris."


def test_the_parts_of_a_query_engine_may_be_put_together_by_hand(llm: MonsterLLM) -> None:
    synthesizer = get_response_synthesizer(llm=llm, response_mode="compact")
    engine = RetrieverQueryEngine(index().as_retriever(similarity_top_k=1), synthesizer)
    assert str(engine.query(CAPITAL)) == "Paris."


def test_the_model_of_the_settings_is_what_is_asked(llm: MonsterLLM, vcr: Cassette) -> None:
    Settings.llm = llm
    assert str(index().as_query_engine(similarity_top_k=1).query(CAPITAL)) == "Paris."
    assert len(exchanges(vcr)) == 1


def test_a_pydantic_selector_chooses_by_a_forced_call(llm: MonsterLLM, vcr: Cassette) -> None:
    selector = PydanticSingleSelector.from_defaults(llm=llm)
    [chosen] = selector.select(["facts about France", "facts about sports"], CAPITAL).selections
    assert chosen.index == 0
    assert chosen.reason
    assert bodies(vcr)[0]["tool_choice"]["function"]["name"] == "SingleSelection"


async def test_a_pydantic_selector_chooses_several(llm: MonsterLLM) -> None:
    selector = PydanticMultiSelector.from_defaults(llm=llm)
    chosen = await selector.aselect(["facts about France", "facts about sports"], CAPITAL)
    assert chosen.inds == [0]


def test_the_selector_that_llama_index_picks_is_the_pydantic_one(llm: MonsterLLM) -> None:
    assert isinstance(get_selector_from_llm(llm), PydanticSingleSelector)
    assert isinstance(get_selector_from_llm(llm, is_multi=True), PydanticMultiSelector)


def test_a_selector_reads_a_choice_from_text() -> None:
    selector = LLMSingleSelector.from_defaults(llm=chat(**one_of(SECOND)))
    [chosen] = selector.select(["France", "sports"], "Who plays baseball?").selections
    assert (chosen.index, chosen.reason) == (1, "it is about sports")


async def test_a_selector_reads_several_choices_from_text() -> None:
    selector = LLMMultiSelector.from_defaults(llm=chat(**one_of(BOTH)))
    chosen = await selector.aselect(["France", "sports"], "Who plays baseball in France?")
    assert chosen.inds == [0, 1]


def test_a_router_asks_the_engine_that_the_model_chose(llm: MonsterLLM) -> None:
    router = RouterQueryEngine.from_defaults(library_tools(llm), llm=llm)
    answer = router.query(CAPITAL)
    assert str(answer) == "Paris."
    assert answer.metadata["selector_result"].ind == 0


async def test_a_router_asks_in_async_code(llm: MonsterLLM) -> None:
    router = RouterQueryEngine.from_defaults(library_tools(llm), llm=llm)
    assert str(await router.aquery(CAPITAL)) == "Paris."


def test_a_router_asks_several_engines_and_sums_up(llm: MonsterLLM) -> None:
    selector = LLMMultiSelector.from_defaults(llm=chat(**one_of(BOTH)))
    router = RouterQueryEngine.from_defaults(library_tools(llm), llm=llm, selector=selector)
    answer = router.query(CAPITAL)
    assert str(answer) == "Paris."
    assert answer.metadata["selector_result"].inds == [0, 1]


@pytest.mark.parametrize("use_async", [False, True], ids=["in-turn", "at-once"])
def test_a_question_is_taken_apart_asked_and_put_together(llm: MonsterLLM, use_async: bool) -> None:
    parts = (
        '{"items": [{"sub_question": "What is the capital of France?", "tool_name": "france"}, '
        '{"sub_question": "Did the Dodgers win the World Series in 2020?", "tool_name": "sports"}]}'
    )
    engine = SubQuestionQueryEngine.from_defaults(
        library_tools(llm),
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=chat(**one_of(parts))),
        use_async=use_async,
        verbose=False,
    )
    answer = engine.query("Tell me a joke.")
    asked = "\n".join(node.text for node in answer.source_nodes)
    assert "Response: Paris." in asked
    assert "Response: The Los Angeles Dodgers won the World Series in 2020." in asked
