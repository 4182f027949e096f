"""An answer is asked for in a type, and read back as it, or refused in one sentence."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pytest
from pydantic import BaseModel, RootModel
from typing_extensions import NotRequired, Required, TypedDict

from monster_core.errors import (
    InvalidRequestError,
    MonsterError,
    StructuredAnswerError,
    TruncatedAnswerError,
)
from monster_core.request.structured import METHODS, output_spec_of, schema_part
from monster_core.response.json import parse_json_text
from monster_core.response.structured import check_value


class City(BaseModel):
    name: str
    people: int | None = None


class CityDict(TypedDict):
    name: str


@dataclass
class CityData:
    name: str


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    ONE = 1
    TEXT = "1"


class Tagged(TypedDict):
    name: str
    tag: NotRequired[str]


class Partial(TypedDict, total=False):
    name: Required[str]
    tag: str


class Pair(NamedTuple):
    name: str
    count: int


class Numbers(RootModel[list[int]]):
    pass


class Node(BaseModel):
    name: str
    following: Node | None = None


class Branch(TypedDict):
    name: str
    branches: list[Branch]


SCHEMA = City.model_json_schema()
GRAMMAR = 'start: "yes" | "no"'


@pytest.mark.parametrize(
    "output_type", [City, CityDict, CityData, SCHEMA, json.dumps(SCHEMA), list[int]]
)
@pytest.mark.parametrize("method", [None, "guided_json", "json_schema"])
def test_a_schema_becomes_a_guide(output_type: Any, method: str | None) -> None:
    spec = output_spec_of(output_type, method)
    assert spec.method == "guided_json"
    asked = spec.fields["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"]["schema"] == spec.schema
    assert asked["json_schema"]["name"]


TYPES: list[tuple[Any, str, Any]] = [
    (int, "3", 3),
    (float, "0.5", 0.5),
    (bool, "true", True),
    (str, '"Rome"', "Rome"),
    (list[str], '["a"]', ["a"]),
    (dict, '{"a": 1}', {"a": 1}),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (int | None, "null", None),
    (City | list[int], "[1]", [1]),
    (Literal["red", 1] | None, "null", None),
    (Tagged, '{"name": "Rome"}', {"name": "Rome"}),
    (Partial, '{"name": "Rome"}', {"name": "Rome"}),
    (CityData, '{"name": "Rome"}', {"name": "Rome"}),
    (Pair, '["a", 1]', ["a", 1]),
    (Numbers, "[1, 2]", [1, 2]),
    (Node, '{"name": "a", "following": {"name": "b"}}', None),
    (Branch, '{"name": "a", "branches": [{"name": "b", "branches": []}]}', None),
]


@pytest.mark.parametrize("output_type, text, value", TYPES, ids=str)
@pytest.mark.parametrize("method", [None, "guided_json", "json_mode", "function_calling"])
def test_every_type_has_a_schema_that_guides_and_reads(
    output_type: Any, text: str, value: Any, method: str | None
) -> None:
    spec = output_spec_of(output_type, method)
    assert spec.schema is not None
    part = schema_part(spec.schema, in_prompt=True)
    assert "guided_json" in part.fields
    read = spec.read(text, "stop")
    assert read == (json.loads(text) if value is None else value)
    check_value(read, spec.schema)


def test_only_required_keys_of_a_typed_dict_are_required() -> None:
    for kind in (Tagged, Partial):
        schema = output_spec_of(kind).schema
        assert schema is not None
        assert schema["required"] == ["name"]
        assert schema["properties"].keys() == {"name", "tag"}


WRAPPED: list[dict[str, Any]] = [
    {"name": "city", "schema": SCHEMA, "strict": True},
    {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}},
    {"type": "json_schema", "name": "city", "schema": SCHEMA},
    {"name": "city", "input_schema": SCHEMA},
    {"name": "city", "inputSchema": SCHEMA},
    {"type": "function", "function": {"name": "city", "parameters": SCHEMA}},
    {"type": "function", "name": "city", "parameters": SCHEMA},
    {"toolSpec": {"name": "city", "inputSchema": {"json": SCHEMA}}},
]


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_a_schema_is_found_in_the_wrapper_of_any_provider(wrapped: dict[str, Any]) -> None:
    schema = output_spec_of(wrapped).schema
    assert schema is not None
    assert schema["properties"] == SCHEMA["properties"]


def test_a_literal_of_a_member_is_asked_for_by_its_value() -> None:
    spec = output_spec_of(Literal[Color.RED])
    assert spec.fields == {"guided_choice": ["red"]}
    assert spec.read("red", "stop") is Color.RED


def test_one_value_may_be_offered_twice() -> None:
    assert output_spec_of(["a", "b", "a"], "guided_choice").fields == {"guided_choice": ["a", "b"]}


def test_json_mode_guides_nothing_but_json() -> None:
    spec = output_spec_of(City, "json_mode")
    assert spec.fields == {"response_format": {"type": "json_object"}}
    assert spec.schema == SCHEMA


@pytest.mark.parametrize(
    "output_type, method, choices, text, value",
    [
        (Literal["red", "blue"], None, ["red", "blue"], "red", "red"),
        (Literal[1, True, None], None, ["1", "True", "None"], "1", 1),
        (Color, None, ["red", "blue"], "blue", Color.BLUE),
        (Level, None, ["1", "2"], "2", Level.HIGH),
        (["red", "blue"], "guided_choice", ["red", "blue"], " red\n", "red"),
        ((1, 2), "guided_choice", ["1", "2"], "2", 2),
    ],
)
def test_choices_are_guided_and_read_back(
    output_type: Any, method: str | None, choices: list[str], text: str, value: Any
) -> None:
    spec = output_spec_of(output_type, method)
    assert (spec.method, spec.fields) == ("guided_choice", {"guided_choice": choices})
    read = spec.read(text, "stop")
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "output_type, method", [(re.compile(r"^\d+$"), None), (r"^\d+$", "guided_regex")]
)
def test_patterns_are_guided_and_read_back(output_type: Any, method: str | None) -> None:
    spec = output_spec_of(output_type, method)
    assert (spec.method, spec.fields) == ("guided_regex", {"guided_regex": r"\d+"})
    assert spec.read("42", "stop") == "42"


@pytest.mark.parametrize("method", [None, "guided_grammar"])
def test_grammars_are_guided_and_read_back(method: str | None) -> None:
    spec = output_spec_of(GRAMMAR, method)
    assert (spec.method, spec.fields) == ("guided_grammar", {"guided_grammar": GRAMMAR})
    assert spec.read("yes", "stop") == "yes"


@pytest.mark.parametrize(
    "output_type, method, said",
    [
        (City, "json_shema", "did you mean 'json_schema'.* Use one of guided_json, json_schema"),
        ("no schema", None, "The schema cannot be used: "),
        ({"type": {1, 2}}, "guided_choice", "guided_choice takes a Literal, an Enum or a list"),
        ([], "guided_choice", "guided_choice takes a Literal, an Enum or a list of texts"),
        ("(", "guided_regex", "guided_regex takes a regular expression: "),
        (City, "guided_regex", "guided_regex takes a regular expression: "),
        (re.compile(b"a"), None, "guided_regex takes a regular expression of text"),
        ("a: b", "guided_grammar", "guided_grammar takes a Lark grammar with a start rule"),
        (City, "guided_grammar", "guided_grammar takes a Lark grammar with a start rule"),
        (3, None, "The schema cannot be used: .* Give a type that pydantic can validate"),
        (None, None, "The schema cannot be used: None is not a schema. Give a type"),
        (["red", "blue"], None, r"A list of texts takes method='guided_choice'\.$"),
        (City(name="Rome"), None, r"Give the class City, not an object of it\.$"),
        (re.compile("a"), "guided_json", "takes method='guided_regex', not 'guided_json'"),
        ({"name": "city", "shema": SCHEMA}, None, r"'shema' .*: did you mean 'schema'\? Give"),
        (
            Literal[1, "1"],
            None,
            "cannot tell 1 from '1', .* make the type a field of a pydantic model",
        ),
        (Mixed, None, "cannot tell <Mixed.ONE: 1> from <Mixed.TEXT: '1'>"),
        (["a", "", "b"], "guided_choice", "cannot offer an empty text"),
        (re.compile("a", re.IGNORECASE), None, "guided_regex takes no flags"),
        (re.compile("(?i)a"), None, "guided_regex takes no flags"),
    ],
)
def test_a_type_that_cannot_be_asked_for_is_refused(
    output_type: Any, method: str | None, said: str
) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        output_spec_of(output_type, method)


ENDLESS = '{"name": ' + " " * 500
DIGITS = re.compile(r"\d\d")


@pytest.mark.parametrize(
    "output_type, text, finish_reason, error, said",
    [
        (City, '{"name": "Ro', "length", TruncatedAnswerError, "max_tokens cut the answer"),
        (City, "", "length", TruncatedAnswerError, "max_tokens cut the answer"),
        (City, ENDLESS, "length", TruncatedAnswerError, "wrote white space until max_tokens"),
        (City, " " * 500, "length", TruncatedAnswerError, "wrote white space until max_tokens"),
        (
            City,
            '{"name": "Ro',
            "stop",
            StructuredAnswerError,
            "is not JSON: .* before it is complete",
        ),
        (City, "Rome it is.", "stop", StructuredAnswerError, "The answer is not JSON: "),
        (City, "", "stop", StructuredAnswerError, "The answer is not JSON: it is empty"),
        (City, "NaN", "stop", StructuredAnswerError, "The answer is not JSON: "),
        (Color, "green", "stop", StructuredAnswerError, "'green' is none of red, blue. The server"),
        (Color, "re", "length", TruncatedAnswerError, "max_tokens cut the answer"),
        (
            DIGITS,
            "4x",
            "stop",
            StructuredAnswerError,
            r"'4x' is not a match of .*. The server may ignore",
        ),
        (DIGITS, "42\n", "stop", StructuredAnswerError, "is not a match of"),
        (DIGITS, "4", "length", TruncatedAnswerError, "max_tokens cut the answer"),
        (GRAMMAR, "", "stop", StructuredAnswerError, "The answer is empty: the server cannot read"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_says_why(
    output_type: Any, text: str, finish_reason: str, error: type[MonsterError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        output_spec_of(output_type).read(text, finish_reason)
    assert type(caught.value) is error
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ['{"name": "Rome"}', '```json\n{"name": "Rome"}\n```', ' {"name":"Rome"} ']
)
@pytest.mark.parametrize("finish_reason", ["stop", "length", None])
def test_a_whole_json_answer_is_read(text: str, finish_reason: str | None) -> None:
    assert output_spec_of(City).read(text, finish_reason) == {"name": "Rome"}
    assert parse_json_text(text, finish_reason) == {"name": "Rome"}


def test_nulls_of_absent_properties_are_dropped() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    assert output_spec_of(schema).read('{"a": null, "b": 1}', "stop") == {"b": 1}


def test_a_value_that_does_not_satisfy_its_schema_is_refused_with_its_place() -> None:
    with pytest.raises(StructuredAnswerError, match=r"does not satisfy its schema: .*name"):
        check_value({"name": 3}, SCHEMA)
    assert check_value({"name": "Rome", "people": None}, SCHEMA)["name"] == "Rome"


def test_every_method_serves_some_type() -> None:
    types: dict[str, Any] = {
        "guided_choice": Color,
        "guided_regex": DIGITS,
        "guided_grammar": GRAMMAR,
    }
    for method in METHODS:
        assert output_spec_of(types.get(method, City), method).fields
