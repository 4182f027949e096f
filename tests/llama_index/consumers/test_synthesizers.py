"""Response synthesizers, with and without a class for their response."""

from __future__ import annotations

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.response_synthesizers import Refine, TreeSummarize, get_response_synthesizer
from llama_index.core.schema import NodeWithScore, TextNode
from vcr.cassette import Cassette

from llama_index_monster import MonsterLLM
from tests.llama_index.consumers.library import CAPITAL, NEWER_CORE, City, bodies

pytestmark = pytest.mark.vcr

TEXTS = ["The mayor of Paris is old.", "The city of Paris has 2000000 people."]
ASK = PromptTemplate("{context_str} {query_str}")
REFINE = PromptTemplate("{existing_answer}\n\n{context_msg} {query_str}")
MODES = pytest.mark.parametrize("mode", ["refine", "compact", "tree_summarize", "simple_summarize"])


def nodes() -> list[NodeWithScore]:
    return [NodeWithScore(node=TextNode(text=text, id_=str(i))) for i, text in enumerate(TEXTS)]


@MODES
def test_an_answer_is_made_in_every_mode(llm: MonsterLLM, mode: str) -> None:
    synthesizer = get_response_synthesizer(llm=llm, response_mode=mode)
    assert str(synthesizer.synthesize(CAPITAL, nodes())) == "Paris."


@MODES
async def test_an_answer_is_made_in_every_mode_in_async_code(llm: MonsterLLM, mode: str) -> None:
    synthesizer = get_response_synthesizer(llm=llm, response_mode=mode)
    assert str(await synthesizer.asynthesize(CAPITAL, nodes())) == "Paris."


@pytest.mark.parametrize("mode", ["refine", "compact", "tree_summarize"])
def test_a_response_is_of_the_class_in_every_mode(llm: MonsterLLM, mode: str) -> None:
    synthesizer = get_response_synthesizer(
        llm=llm, response_mode=mode, output_cls=City, text_qa_template=ASK, refine_template=REFINE
    )
    answer = synthesizer.synthesize("How many people live there?", nodes())
    assert isinstance(answer.response, City)


def test_a_refined_answer_was_asked_for_once_a_text(llm: MonsterLLM, vcr: Cassette) -> None:
    refine = Refine(llm=llm, output_cls=City, text_qa_template=ASK, refine_template=REFINE)
    answer = refine.get_response("Which city is it?", TEXTS)
    assert answer == City(name="Paris", people=2000000)
    assert ["guided_json" in body for body in bodies(vcr)] == [True, True]


@NEWER_CORE
def test_answers_that_do_not_help_are_left_out(llm: MonsterLLM, vcr: Cassette) -> None:
    refine = Refine(
        llm=llm, structured_answer_filtering=True, text_qa_template=ASK, refine_template=REFINE
    )
    assert refine.get_response('Is it "Paris"?', TEXTS) == "Paris"
    assert all("guided_json" in body or "tool_choice" in body for body in bodies(vcr))


@pytest.mark.parametrize("use_async", [False, True], ids=["in-turn", "at-once"])
def test_a_tree_is_summed_up_in_a_class(llm: MonsterLLM, use_async: bool) -> None:
    tree = TreeSummarize(llm=llm, output_cls=City, summary_template=ASK, use_async=use_async)
    answer = tree.get_response("Which city is it?", TEXTS)
    assert answer == City(name="Paris", people=2000000)


async def test_a_tree_is_summed_up_in_a_class_in_async_code(llm: MonsterLLM) -> None:
    tree = TreeSummarize(llm=llm, output_cls=City, summary_template=ASK)
    answer = await tree.aget_response("Which city is it?", TEXTS)
    assert answer == City(name="Paris", people=2000000)


def test_a_refined_answer_streams(llm: MonsterLLM) -> None:
    refine = Refine(llm=llm, streaming=True)
    assert "".join(refine.get_response(CAPITAL, TEXTS)) == "Paris."
