"""What users write, for type checkers: `make types` checks this file, and nothing runs it.

A line that must be an error carries the ignore comments of both checkers, and a comment that is
not needed is an error as well.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, SecretStr

import langchain_monster
import monster_core
from langchain_monster import ChatMonster
from langchain_monster.errors import RateLimitError
from llama_index_monster import MonsterLLM
from monster_core.errors import MonsterError, StatusError
from monster_emulator import Emulator

MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct"


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def langchain_model(key: str, headers: dict[str, str]) -> ChatMonster:
    ChatMonster()
    ChatMonster(model=MODEL, api_key="k", base_url="https://llm.example/v1")
    ChatMonster(model=MODEL, api_key=SecretStr(key), default_headers={"a": "b"}, max_retries=0)
    ChatMonster(default_headers=headers, timeout=httpx.Timeout(5, connect=1), total_timeout=60)
    ChatMonster(temperature=0, top_p=1, seed=7, stop="\n", max_tokens=10, logit_bias={42: -100})
    ChatMonster(guided_json=Person)
    ChatMonster(guided_json={"type": "object"}, guided_decoding_backend="lm-format-enforcer")
    ChatMonster(guided_regex=re.compile("[a-z]+"), guided_choice=["a"], tool_strategy="guided")
    ChatMonster(http_client=httpx.Client(), http_async_client=httpx.AsyncClient(), streaming=True)
    ChatMonster(tags=["a"], metadata={"a": 1}, cache=False, disable_streaming="tool_calling")
    ChatMonster(tempreture=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ChatMonster(temperature="hot")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ChatMonster(guided_json=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return langchain_monster.ChatMonster(model=MODEL)


def langchain_calls(llm: ChatMonster) -> str:
    answer: AIMessage = llm.invoke("What is the capital of France?")
    llm.invoke("Name a colour.", guided_choice=["red", "green", "blue"])
    for chunk in llm.stream("Tell me a joke."):
        print(chunk.text, end="", flush=True)
    called: AIMessage = llm.bind_tools([get_weather], tool_choice="any").invoke("Rome?")
    print(called.tool_calls, answer.usage_metadata)
    person: Any = llm.with_structured_output(Person).invoke("Ana is 34 years old.")
    llm.temperature = 0.5
    llm.temperature = "hot"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    print(person, [model.id for model in llm.models()], llm.get_num_tokens("text"))
    with llm:
        llm.close()
    return answer.text


async def langchain_calls_async(llm: ChatMonster) -> None:
    answer: AIMessage = await llm.ainvoke("What is the capital of France?")
    chunks: AsyncIterator[Any] = llm.astream("Tell me a joke.")
    print(answer.text, [chunk async for chunk in chunks], await llm.amodels())
    async with llm:
        await llm.aclose()


def llama_index_model(key: str, headers: dict[str, str]) -> MonsterLLM:
    MonsterLLM()
    MonsterLLM(MODEL, 0.5, 100, {"new_field": 1}, 2, "https://llm.example/v1", key)
    MonsterLLM(model=MODEL, api_key=SecretStr(key), default_headers=headers, context_window=8192)
    MonsterLLM(guided_json=Person, http_client=httpx.Client(), timeout=5, stop=["\n"])
    MonsterLLM(async_http_client=httpx.AsyncClient(), system_prompt="Be brief.")
    MonsterLLM(tempreture=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    MonsterLLM(top_k="all")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return MonsterLLM(model=MODEL)


def llama_index_calls(llm: MonsterLLM) -> None:
    response: ChatResponse = llm.chat([ChatMessage("What is the capital of France?")])
    completion: CompletionResponse = llm.complete("Name a colour.", guided_choice=["red"])
    for piece in llm.stream_complete("Tell me a joke."):
        print(piece.delta, end="", flush=True)
    weather = FunctionTool.from_defaults(get_weather)
    called = llm.chat_with_tools([weather], user_msg="What is the weather in Rome?")
    print(llm.get_tool_calls_from_response(called), response.message.content, completion.text)
    person: Person = llm.structured_predict(Person, PromptTemplate("Ana is 34 years old."))
    window: int = llm.discover_context_window()
    print(person.age, window)


def errors(llm: ChatMonster) -> float | None:
    try:
        llm.invoke("Hello")
    except RateLimitError as error:
        return error.retry_after
    except StatusError as error:
        print(error.status_code, error.server_message, error.request_id)
    except MonsterError as error:
        print(error.is_retryable, error.partial_text, monster_core.__version__)
    return None


def emulator() -> str:
    with Emulator() as running:
        running.fail(next=429, retry_after=2)
        llm = ChatMonster(model=MODEL, base_url=running.base_url, api_key=running.api_key)
        return llm.invoke("What is the capital of France?").text
