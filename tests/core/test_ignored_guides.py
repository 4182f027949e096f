"""Where a server ignores what guides an answer, the error says so, and how to find out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, Field, field_validator

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.errors import BadRequestError, StructuredAnswerError, TruncatedAnswerError
from tests.core.scripted_server import Reply, ScriptedServer, answer, reply

ADVICE = r"The server may ignore what guides answers.*server=, or let discover_server\(\) ask"


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


class Bounded(BaseModel):
    """What a server cannot enforce in full."""

    number: float = Field(multiple_of=5)


class Adult(BaseModel):
    """What only its own validator knows."""

    age: int

    @field_validator("age")
    @classmethod
    def _check(cls, value: int) -> int:
        if value < 18:
            raise ValueError("too young")
        return value


def by_langchain(schema: Any, sent: Reply, **arguments: Any) -> Any:
    with ScriptedServer(sent) as server:
        llm = ChatMonster(model="m", base_url=server.base_url, api_key="k")
        with llm:
            return llm.with_structured_output(schema, **arguments).invoke("Ana is 34.")


def by_langchain_streamed(schema: Any, sent: Reply) -> Any:
    with (
        ScriptedServer(sent) as server,
        ChatMonster(
            model="m", base_url=server.base_url, api_key="k", disable_streaming=True
        ) as llm,
    ):
        *_, last = llm.with_structured_output(schema).stream("Ana is 34.")
        return last


def by_llama_index(schema: Any, sent: Reply, **arguments: Any) -> Any:
    with ScriptedServer(sent) as server:
        llm = MonsterLLM(model="m", api_base=server.base_url, api_key="k", **arguments)
        with llm:
            return llm.structured_predict(schema, PromptTemplate("Ana is 34."))


EACH_FRAMEWORK = pytest.mark.parametrize(
    "ask", [by_langchain, by_langchain_streamed, by_llama_index]
)


@EACH_FRAMEWORK
@pytest.mark.parametrize(
    "schema, text",
    [
        (Person, "Ana is 34 years old."),
        (Person, ""),
        (Person, '{"name": "Ana", "age": "thirty-four"}'),
        (Person, "[]"),
        (Literal["yes", "no"], "Perhaps."),
    ],
)
def test_an_answer_that_a_guide_does_not_let_through_says_so(
    ask: Callable[..., Any], schema: Any, text: str
) -> None:
    with pytest.raises(StructuredAnswerError, match=ADVICE):
        ask(schema, answer(text))


@EACH_FRAMEWORK
@pytest.mark.parametrize(
    "schema, text",
    [
        (Bounded, '{"number": 7}'),  # the server was not asked to enforce it
        (Adult, '{"age": 7}'),
        (Person, '{"name": "Ana", "a'),  # a stop text, or the model, has ended it
    ],
)
def test_another_misfit_does_not_blame_the_server(
    ask: Callable[..., Any], schema: Any, text: str
) -> None:
    with pytest.raises(StructuredAnswerError) as raised:
        ask(schema, answer(text))
    assert "may ignore" not in str(raised.value)


@EACH_FRAMEWORK
def test_a_truncated_answer_does_not_blame_the_server(ask: Callable[..., Any]) -> None:
    choice = {"message": {"content": '{"name": "A'}, "finish_reason": "length"}
    with pytest.raises(TruncatedAnswerError) as raised:
        ask(Person, reply(200, {"choices": [choice]}))
    assert "may ignore" not in str(raised.value)


def test_an_answer_that_no_schema_guides_does_not_blame_the_server() -> None:
    with pytest.raises(StructuredAnswerError) as raised:
        by_langchain(Person, answer('{"name": 1}'), method="json_mode")
    assert "may ignore" not in str(raised.value)


def call(arguments: Any) -> Reply:
    function = {"name": "Person", "arguments": json.dumps(arguments)}
    message = {"content": "", "tool_calls": [{"id": "a", "function": function}]}
    return reply(200, {"choices": [{"message": message, "finish_reason": "stop"}]})


@pytest.mark.parametrize("sent", [answer("Ana is 34."), call("adde"), call({"name": 1})])
@pytest.mark.parametrize(
    "ask, arguments",
    [
        (by_langchain, {"method": "function_calling"}),
        (by_llama_index, {"pydantic_program_mode": PydanticProgramMode.FUNCTION}),
    ],
)
def test_a_forced_call_that_breaks_its_schema_says_so(
    ask: Callable[..., Any], arguments: dict[str, Any], sent: Reply
) -> None:
    with pytest.raises(StructuredAnswerError, match=ADVICE):
        ask(Person, sent, **arguments)


def refusal(message: str) -> Reply:
    return reply(400, {"error": {"message": message, "type": "BadRequestError", "code": 400}})


@pytest.mark.parametrize(
    "message, said",
    [
        (
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be '
            "set",
            "Start the server with these arguments, or leave out tool_strategy='native'",
        ),
        (
            "[{'type': 'extra_forbidden', 'msg': 'Extra inputs are not permitted'}]",
            "refuses fields that it does not know.*name the server's release there",
        ),
    ],
)
def test_a_refusal_that_depends_on_the_server_says_what_to_do(message: str, said: str) -> None:
    with ScriptedServer(refusal(message)) as server:
        chat = ChatMonster(model="m", base_url=server.base_url, api_key="k", server="vllm")
        with chat, pytest.raises(BadRequestError, match=said):
            chat.invoke("Hello", tool_strategy="native")
        llm = MonsterLLM(model="m", api_base=server.base_url, api_key="k", server="vllm")
        with llm, pytest.raises(BadRequestError, match=said):
            llm.complete("Hello", tool_strategy="native")
