"""Let a model call your functions: one turn by hand, then an agent until it can answer.

pip install "monsterapi-integrations[llama-index]"
export MONSTER_API_KEY=...      # and MONSTER_API_BASE, if the model is not served by MonsterAPI
python examples/llama_index_agent.py
"""

import asyncio

from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from llama_index_monster import MonsterLLM


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Forecast(BaseModel):
    """What the weather will be."""

    city: str
    degrees: int


TOOLS = [FunctionTool.from_defaults(function) for function in (get_weather, add)]


def call_by_hand(llm: MonsterLLM) -> None:
    # The model decides whether it needs a tool, and which.
    answer = llm.chat_with_tools(TOOLS, "What is the weather in Paris?")
    for call in llm.get_tool_calls_from_response(answer):
        print("The model calls", call.tool_name, call.tool_kwargs)

    # A choice makes it call one: guided decoding keeps the arguments to their schema.
    forced = llm.chat_with_tools(TOOLS, "I have 3 apples, and 4 pears", tool_choice="add")
    print(llm.get_tool_calls_from_response(forced)[0].tool_kwargs)

    # Call it, and run what it calls.
    print(llm.predict_and_call(TOOLS, "Please add 2 and 3."))


async def run_an_agent(llm: MonsterLLM) -> None:
    agent = FunctionAgent(tools=TOOLS, llm=llm)
    memory = ChatMemoryBuffer.from_defaults(llm=llm)  # the conversation, kept from run to run
    print(await agent.run("What is the weather in Paris?", memory=memory))

    # The same conversation goes on; its tokens are shown as they come.
    handler = agent.run("And what is the weather in Rome?", memory=memory)
    async for event in handler.stream_events():
        if isinstance(event, AgentStream):
            print(event.delta, end="", flush=True)
    await handler
    print()

    # Tools first, then an answer in a shape.
    agent = FunctionAgent(tools=TOOLS, llm=llm, output_cls=Forecast)
    output = await agent.run("What is the weather in Oslo on the 22nd?")
    print(output.structured_response)


async def main() -> None:
    async with MonsterLLM("meta-llama/Meta-Llama-3.1-8B-Instruct", temperature=0) as llm:
        call_by_hand(llm)
        await run_an_agent(llm)


if __name__ == "__main__":
    asyncio.run(main())
