"""Make a model answer in the shape of a class, whole or while it writes, or from a few choices.

The server keeps the answer to the shape while it writes it, so every answer can be read.

pip install "monsterapi-integrations[llama-index]"
export MONSTER_API_KEY=...      # and MONSTER_API_BASE, if the model is not served by MonsterAPI
python examples/llama_index_structured_output.py
"""

from llama_index.core import PromptTemplate
from llama_index.core.llms import ChatMessage
from pydantic import BaseModel, Field

from llama_index_monster import MonsterLLM


class Person(BaseModel):
    """Somebody who is spoken of."""

    name: str = Field(description="The first name")
    age: int
    city: str


PROMPT = PromptTemplate("Who is spoken of? {text}")


def main() -> None:
    llm = MonsterLLM("meta-llama/Meta-Llama-3.1-8B-Instruct", temperature=0)
    text = "My friend Ana (34) lives in Lisbon."

    # A prompt, and an instance of the class.
    print(llm.structured_predict(Person, PROMPT, text=text))

    # Complete at the end; until then, what is known so far.
    for person in llm.stream_structured_predict(Person, PROMPT, text=text):
        print(person)

    # A model that always answers in the shape, for whatever LlamaIndex asks a model for.
    response = llm.as_structured_llm(Person).chat([ChatMessage(text)])
    print(response.raw.name, "lives in", response.raw.city)

    # Every guided field of the server, on each call: a choice, a pattern, a grammar, a JSON schema.
    review = "Is this review positive or negative? Never again: the soup was cold."
    print(llm.complete(review, guided_choice=["positive", "negative"]))
    print(llm.complete("Count to 5.", guided_regex=r"\d+(, \d+)*"))


if __name__ == "__main__":
    main()
