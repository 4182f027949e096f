"""Answer from your own documents: an index, a query engine, a chat engine, and what they cost.

MonsterAPI's chat endpoint embeds nothing, so any embedding of LlamaIndex's goes with it. The one
here counts words: enough for three sentences, and there is nothing to download.

pip install "monsterapi-integrations[llama-index]"
export MONSTER_API_KEY=...      # and MONSTER_API_BASE, if the model is not served by MonsterAPI
python examples/llama_index_rag.py
"""

import zlib

from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.embeddings import BaseEmbedding

from llama_index_monster import MonsterLLM

DOCUMENTS = [
    Document(text="The capital of France is Paris, a city on the Seine."),
    Document(text="The Los Angeles Dodgers play baseball."),
    Document(text="A loaf of bread is baked from flour and water."),
]


class WordCounts(BaseEmbedding):
    """Embeds a text by counting its longer words."""

    def _get_text_embedding(self, text: str) -> list[float]:
        counts = [0.0] * 256
        for word in text.lower().split():
            if len(word) > 4:
                counts[zlib.crc32(word.strip(".,?").encode()) % len(counts)] += 1
        return counts

    _get_query_embedding = _get_text_embedding

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def main() -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    Settings.callback_manager = CallbackManager([counter])
    Settings.tokenizer = str.split  # LlamaIndex's own default is OpenAI's
    Settings.embed_model = WordCounts()
    Settings.llm = MonsterLLM("meta-llama/Meta-Llama-3.1-8B-Instruct", temperature=0)

    index = VectorStoreIndex.from_documents(DOCUMENTS)
    answer = index.as_query_engine(similarity_top_k=1).query("What is the capital of France?")
    print(answer, "|", answer.source_nodes[0].text)

    conversation = index.as_chat_engine(chat_mode="context", similarity_top_k=1)
    for token in conversation.stream_chat("Tell me a joke about bread.").response_gen:
        print(token, end="", flush=True)
    print()

    # The server's own counts, of streams too.
    print(counter.prompt_llm_token_count, "tokens read")
    print(counter.completion_llm_token_count, "tokens written")


if __name__ == "__main__":
    main()
