"""Build an agent: it calls tools until it can answer, and remembers the conversation.

pip install "monsterapi-integrations[langchain]" langchain
export MONSTER_API_KEY=...      # and MONSTER_API_BASE, if the model is not served by MonsterAPI
python examples/langchain_agent.py
"""

from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from langchain_monster import ChatMonster


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


class Forecast(BaseModel):
    """What the weather will be."""

    city: str
    degrees: int


def main() -> None:
    llm = ChatMonster(model="meta-llama/Meta-Llama-3.1-8B-Instruct", temperature=0)

    # Every thread_id is a conversation of its own.
    agent = create_agent(llm, [get_weather], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    state = agent.invoke({"messages": [("user", "What is the weather in Paris?")]}, thread)
    print(state["messages"][-1].text)

    # The same conversation goes on; its tokens are shown as they come.
    question = {"messages": [("user", "And what is the weather in Rome?")]}
    for chunk, where in agent.stream(question, thread, stream_mode="messages"):
        if where["langgraph_node"] == "model":
            print(chunk.text, end="", flush=True)
    print()

    # Tools first, then an answer in a shape.
    agent = create_agent(llm, [get_weather], response_format=ProviderStrategy(Forecast))
    question = {"messages": [("user", "What is the weather in Oslo on the 22nd?")]}
    print(agent.invoke(question)["structured_response"])


if __name__ == "__main__":
    main()
