"""Values of ten types, guided by their schemas, with the tokens of a real vocabulary."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any, Literal

import pytest
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel, Field

from tests.real_weights.models import chat_monster, monster_llm

pytestmark = pytest.mark.vcr


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


class Colour(str, Enum):
    """A colour."""

    RED = "red"
    GREEN = "green"


class Shirt(BaseModel):
    """A shirt."""

    colour: Colour
    size: Literal["S", "M", "L"]


class Flags(BaseModel):
    """Switches."""

    loud: bool
    bright: bool


class Point(BaseModel):
    """A place."""

    x: float
    y: float


class Numbers(BaseModel):
    """A few numbers."""

    numbers: list[int] = Field(min_length=1, max_length=3)


class Maybe(BaseModel):
    """A name that may be missing."""

    first: str
    middle: str | None = None


class Inner(BaseModel):
    """A part."""

    word: str


class Outer(BaseModel):
    """A whole with a part."""

    inner: Inner
    count: int


class Booking(BaseModel):
    """A booking."""

    day: date
    guests: int = Field(ge=0)


class Answer(BaseModel):
    """Either a person or a place."""

    value: Person | Point


class Ticket(BaseModel):
    """A ticket with a code of a pattern."""

    code: str = Field(pattern=r"^[A-Z]{2}-\d{3}$")


MODELS = [Person, Shirt, Flags, Point, Numbers, Maybe, Outer, Booking, Answer, Ticket]
QUESTION = "My friend Ana is 34 years old. She booked table AB-123 for two on 2024-05-06."


# without a penalty, so small a model repeats a word until max_tokens
SETTINGS: dict[str, Any] = {"max_tokens": 150, "repetition_penalty": 1.15}


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_a_value_fits_its_class_whole_and_streamed(kind: type[BaseModel]) -> None:
    structured = chat_monster(**SETTINGS).with_structured_output(kind)
    value = structured.invoke(QUESTION)
    assert isinstance(value, kind)
    assert list(structured.stream(QUESTION))[-1] == value
    llm = monster_llm(**SETTINGS)
    assert isinstance(llm.structured_predict(kind, PromptTemplate(QUESTION)), kind)
    pieces = list(llm.stream_structured_predict(kind, PromptTemplate(QUESTION)))
    assert isinstance(pieces[-1], kind)
