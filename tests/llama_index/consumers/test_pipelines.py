"""Rerankers, extractors, ingestion, and the counting of tokens across all of it."""

from __future__ import annotations

import pickle

import pytest
from llama_index.core import Document, Settings
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.extractors import KeywordExtractor, SummaryExtractor
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.ingestion.pipeline import get_transformation_hash
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.postprocessor import StructuredLLMRerank
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from vcr.cassette import Cassette

from llama_index_monster import MonsterLLM
from tests.cassette_playback import exchanges
from tests.llama_index.consumers.library import CAPITAL, chat, index, told_tokens

PICTURE = [Document(text="The capital of France is Paris.", id_="france")]


def extracting(llm: MonsterLLM) -> IngestionPipeline:
    return IngestionPipeline(
        transformations=[SentenceSplitter(), KeywordExtractor(llm=llm, show_progress=False)]
    )


@pytest.mark.vcr
def test_a_pipeline_extracts_keywords(llm: MonsterLLM) -> None:
    [node] = extracting(llm).run(documents=PICTURE)
    assert node.metadata == {"excerpt_keywords": "Paris."}


@pytest.mark.vcr
async def test_a_pipeline_extracts_in_async_code(llm: MonsterLLM) -> None:
    [node] = await extracting(llm).arun(documents=PICTURE)
    assert node.metadata == {"excerpt_keywords": "Paris."}


@pytest.mark.vcr
def test_a_pipeline_that_was_pickled_extracts(llm: MonsterLLM) -> None:
    llm.complete(CAPITAL)  # its connections are open by now
    extractor = pickle.loads(pickle.dumps(KeywordExtractor(llm=llm, show_progress=False)))
    [found] = extractor.extract([TextNode(text="The capital of France is Paris.")])
    assert found == {"excerpt_keywords": "Paris."}


@pytest.mark.vcr
def test_what_was_extracted_is_not_asked_again(llm: MonsterLLM, vcr: Cassette) -> None:
    pipeline = extracting(llm)
    first = pipeline.run(documents=PICTURE)
    pipeline.transformations[1] = KeywordExtractor(llm=chat(), show_progress=False)
    again = pipeline.run(documents=PICTURE)
    assert [node.metadata for node in again] == [node.metadata for node in first]
    assert len(exchanges(vcr)) == 1


def test_the_cache_knows_a_model_by_its_fields_and_not_by_its_key() -> None:
    def cached(llm: MonsterLLM) -> str:
        return get_transformation_hash([TextNode(text="a", id_="a")], SummaryExtractor(llm=llm))

    assert cached(chat(api_key="one")) == cached(chat(api_key="two"))
    assert cached(chat()) != cached(chat(max_tokens=7))


@pytest.mark.vcr
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_reranker_orders_by_what_the_model_says(llm: MonsterLLM, is_async: bool) -> None:
    reranker = StructuredLLMRerank(llm=llm, top_n=1)
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in ("bread", "France")]
    query = QueryBundle("Which is about bread?")
    if is_async:
        [best] = await reranker.apostprocess_nodes(nodes, query)
    else:
        [best] = reranker.postprocess_nodes(nodes, query)
    assert best.text == "bread"
    assert 1 <= best.score <= 10


@pytest.mark.vcr
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
def test_the_counter_of_a_query_engine_tells_the_server_s_tokens(
    vcr: Cassette, streaming: bool
) -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    Settings.callback_manager = CallbackManager([counter])
    Settings.llm = chat()
    answer = index().as_query_engine(similarity_top_k=1, streaming=streaming).query(CAPITAL)
    assert str(answer) == "Paris."
    assert counter.total_llm_token_count == told_tokens(vcr) > 0


@pytest.mark.vcr
async def test_the_counter_of_a_chat_engine_s_stream_tells_the_server_s_tokens(
    vcr: Cassette,
) -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    Settings.callback_manager = CallbackManager([counter])
    Settings.llm = chat()
    answer = (
        await index().as_chat_engine(chat_mode="context", similarity_top_k=1).astream_chat(CAPITAL)
    )
    assert [piece async for piece in answer.async_response_gen()]
    assert counter.total_llm_token_count == told_tokens(vcr) > 0
