"""Let a model call your functions, one turn at a time.

pip install "monsterapi-integrations[langchain]"
export MONSTER_API_KEY=...      # and MONSTER_API_BASE, if the model is not served by MonsterAPI
python examples/langchain_tools.py
"""

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from langchain_monster import ChatMonster


@tool
def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees and sunny in {city}"


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


TOOLS = {"get_weather": get_weather, "add": add}


def main() -> None:
    llm = ChatMonster(model="meta-llama/Meta-Llama-3.1-8B-Instruct", temperature=0)

    # The model decides whether it needs a tool, and which.
    with_tools = llm.bind_tools(list(TOOLS.values()))
    messages = [HumanMessage("What is the weather in Paris?")]
    answer = with_tools.invoke(messages)
    messages.append(answer)
    for call in answer.tool_calls:
        print("The model calls", call["name"], call["args"])
        messages.append(TOOLS[call["name"]].invoke(call))
    print(with_tools.invoke(messages).text)

    # A choice makes it call one: guided decoding keeps the arguments to their schema.
    forced = llm.bind_tools([get_weather, add], tool_choice="add")
    print(forced.invoke("I have 3 apples, and 4 pears").tool_calls[0]["args"])


if __name__ == "__main__":
    main()
