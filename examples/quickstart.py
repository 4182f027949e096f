"""Ask through LangChain and through LlamaIndex: answers, streams, tools and structured output.

python examples/quickstart.py

It asks MonsterAPI with the key in MONSTER_API_KEY, or the endpoint that MONSTER_API_BASE names;
where neither is set, a local emulator, which gives scripted replies. MONSTER_MODEL names another
model.
"""

import os
import sys
from contextlib import ExitStack
from typing import Any

from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, ValidationError

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.errors import MonsterError
from monster_emulator import Emulator

MODEL = os.environ.get("MONSTER_MODEL") or "meta-llama/Meta-Llama-3.1-8B-Instruct"
QUESTION = "What is the capital of France?"
REQUEST = "Tell me a joke."
TASK = "What is the weather in Rome?"
FACT = "My friend Ana is 34 years old."
SCRIPT = {  # what the emulator says; it finds the calls and the values in the questions by itself
    QUESTION: "The capital of France is Paris.",
    REQUEST: "Why did the byte feel empty? It had lost a bit.",
}


class Person(BaseModel):
    """Somebody who is spoken of."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def ask_through_langchain() -> None:
    llm = ChatMonster(model=MODEL, temperature=0)
    print(f"LangChain asks {llm.model} at {llm.base_url}")

    answer = llm.invoke(QUESTION)
    print(f"  {QUESTION} {answer.text} ({answer.usage_metadata['total_tokens']} tokens)")

    print(f"  {REQUEST} ", end="")
    streamed = None
    for chunk in llm.stream(REQUEST):
        print(chunk.text, end="", flush=True)
        streamed = chunk if streamed is None else streamed + chunk
    print(f" ({streamed.usage_metadata['total_tokens']} tokens)")

    for call in llm.bind_tools([get_weather]).invoke(TASK).tool_calls:
        print(f"  {TASK} Call {call['name']} with {call['args']}")
    print(f"  {FACT} {llm.with_structured_output(Person).invoke(FACT)!r}")


def ask_through_llama_index() -> None:
    llm = MonsterLLM(model=MODEL, temperature=0)
    print(f"LlamaIndex asks {llm.model} at {llm.api_base}")

    answer = llm.chat([ChatMessage(QUESTION)])
    print(f"  {QUESTION} {answer.message.content} ({answer.raw['usage']['total_tokens']} tokens)")

    print(f"  {REQUEST} ", end="")
    for response in llm.stream_chat([ChatMessage(REQUEST)]):
        print(response.delta, end="", flush=True)
    print(f" ({response.raw['usage']['total_tokens']} tokens)")

    chosen = llm.chat_with_tools([FunctionTool.from_defaults(get_weather)], TASK)
    for call in llm.get_tool_calls_from_response(chosen, error_on_no_tool_call=False):
        print(f"  {TASK} Call {call.tool_name} with {call.tool_kwargs}")
    print(f"  {FACT} {llm.structured_predict(Person, PromptTemplate(FACT))!r}")


def scripted(body: dict[str, Any]) -> str | None:
    return SCRIPT.get(body["messages"][-1]["content"])


def use_the_emulator(emulator: Emulator) -> None:
    print("Neither MONSTER_API_KEY nor MONSTER_API_BASE is set: asking a local emulator.")
    print("It is not a language model: it gives scripted replies, and fills calls by rules.")
    os.environ["MONSTER_API_BASE"] = emulator.base_url
    os.environ["MONSTER_API_KEY"] = emulator.api_key


def in_one_sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):  # pydantic's list of what is wrong with the arguments
        return error.errors()[0]["msg"].removeprefix("Value error, ")
    return str(error)


def main() -> int:
    with ExitStack() as resources:
        if not (os.environ.get("MONSTER_API_KEY") or os.environ.get("MONSTER_API_BASE")):
            use_the_emulator(resources.enter_context(Emulator(replies=scripted)))
        try:
            ask_through_langchain()
            ask_through_llama_index()
        except (MonsterError, ValidationError) as error:
            print(in_one_sentence(error), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
