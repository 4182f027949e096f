"""Make a model answer in a shape: a class, a dict, a choice, a pattern, a grammar.

The server keeps the answer to the shape while it writes it, so every answer can be read.

pip install "monsterapi-integrations[langchain]"
export MONSTER_API_KEY=...      # and MONSTER_API_BASE, if the model is not served by MonsterAPI
python examples/langchain_structured_output.py
"""

import re
from enum import Enum
from typing import Literal

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from langchain_monster import ChatMonster


class Person(BaseModel):
    """Somebody who is spoken of."""

    name: str = Field(description="The first name")
    age: int
    city: str


class Book(TypedDict):
    """A book that is spoken of."""

    title: str
    author: str


ORDER = {
    "title": "Order",
    "type": "object",
    "properties": {
        "customer": {"type": "string"},
        "pieces": {"type": "integer"},
        "total": {"type": "number"},
    },
    "required": ["customer", "pieces", "total"],
}


class Priority(Enum):
    """How urgent a ticket is."""

    LOW = "low"
    HIGH = "high"


NUMBERS = re.compile(r"\d+(, \d+)*")

PRODUCT = """
start: number " * " number " = " number "."
number: /[0-9]+/
"""


def main() -> None:
    llm = ChatMonster(model="meta-llama/Meta-Llama-3.1-8B-Instruct", temperature=0)

    # A pydantic class, and an instance of it.
    print(llm.with_structured_output(Person).invoke("My friend Ana (34) lives in Lisbon."))

    # A TypedDict or a JSON schema, and a dict.
    print(llm.with_structured_output(Book).invoke('I love "Dune" by Frank Herbert.'))
    bill = "Please bill Miller for 3 chairs, 240 euros in all."
    print(llm.with_structured_output(ORDER).invoke(bill))

    # A Literal and one of its values, an Enum and one of its members.
    review = "Is this review positive or negative? Never again: the soup was cold."
    print(llm.with_structured_output(Literal["positive", "negative"]).invoke(review))
    print(llm.with_structured_output(Priority).invoke("How urgent is this? The site is down!"))

    # A compiled pattern or a Lark grammar, and a text that matches.
    print(llm.with_structured_output(NUMBERS).invoke("Count to 5."))
    print(llm.with_structured_output(PRODUCT).invoke("What is 17 * 3?"))

    # With include_raw, the whole message as well: for its token usage, or to see what went wrong.
    both = llm.with_structured_output(Person, include_raw=True)
    result = both.invoke("My friend Ana (34) lives in Lisbon.")
    print(result["parsed"].name, result["raw"].usage_metadata["output_tokens"], "tokens")


if __name__ == "__main__":
    main()
