"""Objects of every kind of class are predicted, whole and streamed, in each mode."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.v1 import BaseModel as OldModel
from typing_extensions import NotRequired, TypedDict

from monster_core.errors import InvalidRequestError, StructuredAnswerError
from tests.llama_index.conftest import Calls
from tests.llama_index.songs import PROMPT, grow, predict, sent_by, song_llm
from tests.llama_index.toolbox import answered, streamed

SYNC, ASYNC = Calls(is_async=False), Calls(is_async=True)
T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class OldBox(OldModel):
    width: int


SCHEMA = {"type": "object", "properties": {"width": {"type": "integer"}}, "required": ["width"]}


class Car(BaseModel):
    """A car."""

    colour: Colour
    level: Level
    kind: Literal["van", "bus"]
    owners: list[str] | None = None


class Folder(BaseModel):
    """A folder with folders in it."""

    name: str
    folders: list[Folder] = []


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    colour: Colour
    day: date
    price: Decimal
    parts: tuple[int, str]
    tags: set[str]


class Boxed(BaseModel, Generic[T]):
    content: T


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str = "nobody"
    more: dict[str, Any] = Field(default_factory=dict)


class Names(RootModel[list[str]]):
    """Names."""


class Ages(RootModel[dict[str, int]]):
    """Ages by name."""


class Route(TypedDict):
    start: str
    end: NotRequired[str]


@dataclass
class Point:
    x: int
    y: int


MODELS = {
    "enums": (Car, '{"colour":"red","level":2,"kind":"van","owners":["Ana"]}'),
    "recursive": (Folder, '{"name":"a","folders":[{"name":"b","folders":[]}]}'),
    "strict": (
        Strict,
        '{"colour":"red","day":"2024-02-29","price":"1.50","parts":[1,"a"],"tags":["x"]}',
    ),
    "generic": (Boxed[Car], '{"content":{"colour":"blue","level":1,"kind":"bus"}}'),
    "generic-of-int": (Boxed[int], '{"content":3}'),
    "all-optional": (Loose, '{"name":"Ana","more":{"a":[1]}}'),
}
ROOTS = {
    "list": (Names, '["Ana","Bo"]'),
    "dict": (Ages, '{"Ana":34}'),
    "integer": (RootModel[int], "3"),
    "of-a-model": (RootModel[Car], '{"colour":"red","level":1,"kind":"bus"}'),
    "of-models": (RootModel[list[Car]], '[{"colour":"red","level":1,"kind":"bus"}]'),
}
OTHERS = {
    "typed-dict": (Route, '{"start":"Rome"}', {"start": "Rome"}),
    "dataclass": (Point, '{"x":1,"y":2}', Point(1, 2)),
    "integer": (int, "3", 3),
    "number": (float, "0.5", 0.5),
    "list": (list[int], "[1,2]", [1, 2]),
    "list-of-models": (list[Boxed[int]], '[{"content":1}]', [Boxed[int](content=1)]),
    "enum": (Colour, "red", Colour.RED),
    "literal": (Literal["a", "b"], "a", "a"),
    "union": (Car | Boxed[int], '{"content":3}', Boxed[int](content=3)),
    "pydantic-1": (OldBox, '{"width":3}', OldBox(width=3)),
    "json-schema": (SCHEMA, '{"width":3}', {"width": 3}),
    "openai-schema": (
        {"type": "json_schema", "json_schema": {"name": "box", "schema": SCHEMA}},
        '{"width":3}',
        {"width": 3},
    ),
    "anthropic-schema": ({"name": "box", "input_schema": SCHEMA}, '{"width":3}', {"width": 3}),
}

each_model = pytest.mark.parametrize("kind, text", MODELS.values(), ids=MODELS)
each_root = pytest.mark.parametrize("kind, text", ROOTS.values(), ids=ROOTS)
each_other = pytest.mark.parametrize("kind, text, expected", OTHERS.values(), ids=OTHERS)


@each_model
def test_a_model_is_predicted_and_grows(kind, text):
    expected = kind.model_validate_json(text)
    assert predict(SYNC, song_llm(text=text), kind) == expected
    items = grow(ASYNC, song_llm(text=text), kind)
    assert items[-1] == expected
    assert all(isinstance(item, (kind, FlexibleModel)) for item in items)


@each_model
def test_a_model_is_the_argument_of_a_function(kind, text):
    llm = song_llm(PydanticProgramMode.FUNCTION, text)
    expected = kind.model_validate_json(text)
    assert predict(ASYNC, llm, kind) == expected
    assert grow(SYNC, llm, kind)[-1] == expected


@each_root
@pytest.mark.parametrize("mode", [PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION])
def test_a_root_model_is_guided_in_each_mode_since_a_function_takes_objects(mode, kind, text):
    llm = song_llm(text=text)
    llm.pydantic_program_mode = mode
    bodies = sent_by(llm)
    expected = kind.model_validate_json(text)
    assert predict(SYNC, llm, kind) == expected
    assert grow(ASYNC, llm, kind)[-1] == expected
    assert not any("tools" in body for body in bodies)


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
@pytest.mark.parametrize(
    "kind, text", [*MODELS.values(), *ROOTS.values()], ids=[*MODELS, *(f"root-{r}" for r in ROOTS)]
)
def test_a_structured_llm_answers_with_it(kind, text):
    expected = kind.model_validate_json(text)
    structured = song_llm(text=text).as_structured_llm(kind)
    messages = [ChatMessage("Tell me.")]
    assert answered(True, structured, "chat", messages).raw == expected
    assert answered(False, structured, "complete", "Tell me.").raw == expected
    for is_async in (False, True):
        assert streamed(is_async, structured, "stream_chat", messages)[-1].raw == expected


@each_other
def test_other_types_are_predicted_too(kind, text, expected):
    assert predict(ASYNC, song_llm(text=text), kind) == expected
    if isinstance(expected, list):
        with pytest.raises(InvalidRequestError, match="RootModel"):
            grow(SYNC, song_llm(text=text), kind)
    else:
        assert grow(SYNC, song_llm(text=text), kind)[-1] == expected


@each_other
def test_a_structured_llm_says_what_takes_other_types(kind, text, expected):
    with pytest.raises(InvalidRequestError, match="structured_predict takes") as raised:
        song_llm().as_structured_llm(kind)
    assert "RootModel" in str(raised.value)


@pytest.mark.parametrize("kind", [SCHEMA, OldBox], ids=["json-schema", "pydantic-1"])
def test_an_answer_that_does_not_fit_is_refused(calls, kind):
    for ask in (predict, grow):
        with pytest.raises(StructuredAnswerError, match="does not satisfy its schema"):
            ask(calls, song_llm(text='{"width":"wide"}'), kind)


def test_what_is_not_a_type_is_refused(calls):
    with pytest.raises(InvalidRequestError, match="schema cannot be used"):
        predict(calls, song_llm(), object())


@pytest.mark.parametrize("mode", [PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION])
@pytest.mark.parametrize("finish_reason", ["stop", "length"])
@pytest.mark.parametrize(
    "kind, text",
    [
        (Folder, '{"name": "a", "folders": [{"name": "b'),
        (Loose, '{"name": "Ana", "more": {"a": 1'),
        (Car, '{"colour": "red", "level": 1, "kind": "van"'),
    ],
)
def test_half_an_object_is_never_the_result(mode, finish_reason, kind, text):
    for call, calls in ((predict, SYNC), (grow, ASYNC)):
        with pytest.raises(StructuredAnswerError):
            call(calls, song_llm(mode, text, finish_reason), kind)


@pytest.mark.parametrize("mode", [PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION])
def test_a_cut_stream_gives_what_it_had_and_raises(mode):
    llm = song_llm(mode, '{"name": "Ana", "more": {"a": 1')
    seen: list[Any] = []
    with pytest.raises(StructuredAnswerError):
        seen.extend(llm.stream_structured_predict(Loose, PROMPT, title="x"))
    assert seen[-1].name == "Ana"


@pytest.mark.parametrize("name", ["temperature", "temprature"])
def test_an_argument_that_a_structured_llm_would_drop_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"{name}.*arguments of the model, or of a call"):
        song_llm().as_structured_llm(Car, **{name: 0})
