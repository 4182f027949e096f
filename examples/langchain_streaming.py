"""Show what a model writes while it writes it: text, structured answers, tool calls.

pip install "monsterapi-integrations[langchain]"
export MONSTER_API_KEY=...      # and MONSTER_API_BASE, if the model is not served by MonsterAPI
python examples/langchain_streaming.py
"""

import asyncio

from typing_extensions import TypedDict

from langchain_monster import ChatMonster

MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct"


class Person(TypedDict):
    """Somebody who is spoken of."""

    name: str
    city: str


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def stream_text(llm: ChatMonster) -> None:
    answer = None
    for chunk in llm.stream("Tell me a joke."):
        print(chunk.text, end="", flush=True)
        answer = chunk if answer is None else answer + chunk
    print(f"\n({answer.usage_metadata['output_tokens']} tokens)")  # the whole message, added up


def stream_a_structured_answer(llm: ChatMonster) -> None:
    people = llm.with_structured_output(Person)
    for person in people.stream("My friend Ana lives in Lisbon."):
        print(person)  # complete at the end; until then, what is known so far


async def stream_a_tool_call(llm: ChatMonster) -> None:
    async with llm:  # closes the connections of this event loop
        async for chunk in llm.bind_tools([get_weather]).astream("What is the weather in Rome?"):
            for piece in chunk.tool_call_chunks:
                if piece["name"]:
                    print(piece["name"], end=" ")
                print(piece["args"], end="", flush=True)
    print()


def main() -> None:
    llm = ChatMonster(model=MODEL, temperature=0)
    stream_text(llm)
    stream_a_structured_answer(llm)
    asyncio.run(stream_a_tool_call(llm))


if __name__ == "__main__":
    main()
