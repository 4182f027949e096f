"""Shapes beyond a class of their own: containers, unions, what a call may add to them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Optional, Union

import pytest
from pydantic import BaseModel

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError, TruncatedAnswerError
from tests.recorded_endpoint import MODEL


class Person(BaseModel):
    name: str
    age: int


class Colour(BaseModel):
    colour: str


class Letter(enum.Enum):
    A = "a"
    B = "b"


@dataclass
class Point:
    x: int
    label: str


def ask(shape: Any, **given: Any) -> Any:
    llm = ChatMonster(model=MODEL, temperature=0, max_tokens=300)
    return llm.with_structured_output(shape, **given).invoke("Ana is 34 years old.")


@pytest.mark.vcr
@pytest.mark.parametrize(
    "shape, kinds",
    [
        (Optional[Person], (Person, type(None))),  # noqa: UP045, another type at run time
        (Union[Person, Colour], (Person, Colour)),  # noqa: UP007, another type at run time
        (Person | Colour, (Person, Colour)),
        (Point, (Point,)),
        (int, (int,)),
    ],
    ids=["optional", "union", "bar", "dataclass", "integer"],
)
def test_an_answer_is_built_as_the_shape_that_was_given(
    shape: Any, kinds: tuple[type, ...]
) -> None:
    assert isinstance(ask(shape), kinds)


@pytest.mark.vcr
@pytest.mark.parametrize(
    "shape, kind", [(list[Person], Person), (list[Letter], Letter)], ids=["models", "members"]
)
def test_the_items_of_a_list_are_built_as_well(shape: Any, kind: type) -> None:
    answer = ask(shape)
    assert answer
    assert all(isinstance(item, kind) for item in answer)


@pytest.mark.vcr
def test_arguments_of_the_call_reach_the_model_with_include_raw() -> None:
    llm = ChatMonster(model=MODEL, temperature=0).with_structured_output(Person, include_raw=True)
    answer = llm.invoke("Ana is 34 years old.", max_tokens=3)
    assert answer["raw"].response_metadata["finish_reason"] == "length"
    assert isinstance(answer["parsing_error"], TruncatedAnswerError)
    assert answer["parsed"] is None


def test_a_misspelt_argument_is_refused_where_it_is_bound() -> None:
    llm = ChatMonster(model=MODEL)
    with pytest.raises(InvalidRequestError, match="did you mean 'parallel_tool_calls'"):
        llm.bind_tools([Person], parallel=False)
    with pytest.raises(InvalidRequestError, match="Unknown argument 'temprature'"):
        llm.with_structured_output(Person, temprature=0)


def test_function_calling_refuses_a_schema_that_is_not_an_object() -> None:
    with pytest.raises(InvalidRequestError, match="method='guided_json'"):
        ChatMonster(model=MODEL).with_structured_output(Person | None, method="function_calling")


def test_the_error_for_a_text_that_is_not_a_schema_says_what_a_text_can_be() -> None:
    with pytest.raises(InvalidRequestError, match="a Lark grammar with a start rule"):
        ChatMonster(model=MODEL).with_structured_output("abc")
