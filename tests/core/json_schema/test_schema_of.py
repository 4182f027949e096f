"""Whatever a user calls a schema becomes a JSON schema."""

import json
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Literal

import pytest
from pydantic import BaseModel, v1
from typing_extensions import TypedDict

from monster_core.json_schema import SchemaError, schema_of


class Point(BaseModel):
    x: float
    label: str | None = None


class OldPoint(v1.BaseModel):
    x: float


class Place(TypedDict):
    name: str


@dataclass
class Line:
    length: int


class Colour(Enum):
    RED = "red"


class NotASchema:
    pass


@pytest.mark.parametrize("source", [Point, OldPoint, Place, Line])
def test_a_class_becomes_an_object(source):
    schema = schema_of(source)
    assert schema["type"] == "object"
    assert schema["required"]


@pytest.mark.parametrize(
    "source,expected",
    [
        ({"type": "string"}, {"type": "string"}),
        (MappingProxyType({"type": "string"}), {"type": "string"}),
        (json.dumps({"type": "string"}), {"type": "string"}),
        (b'{"type": "string"}', {"type": "string"}),
        (Literal["a", "b"], {"enum": ["a", "b"], "type": "string"}),
        (list[int], {"items": {"type": "integer"}, "type": "array"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (str, {"type": "string"}),
    ],
)
def test_other_forms(source, expected):
    assert schema_of(source) == expected


def test_an_enum_lists_its_values():
    assert schema_of(Colour)["type"] == "string"


@pytest.mark.parametrize("source", ["{", "[]", b"3", NotASchema, None, True, 3, object()])
def test_what_has_no_schema_is_an_error(source):
    with pytest.raises(SchemaError):
        schema_of(source)


def test_a_mapping_is_copied():
    source = {"type": "string"}
    assert schema_of(source) is not source


CITY = {"type": "object", "properties": {"name": {"type": "string"}}}


@pytest.mark.parametrize(
    "wrapper",
    [
        {"name": "City", "schema": CITY, "strict": True},
        {"type": "json_schema", "json_schema": {"name": "City", "schema": CITY}},
        {"type": "json_schema", "name": "City", "schema": CITY},
        {"type": "function", "function": {"name": "City", "parameters": CITY}},
        {"type": "function", "name": "City", "parameters": CITY},
        {"name": "City", "input_schema": CITY},
        {"toolSpec": {"name": "City", "inputSchema": {"json": CITY}}},
    ],
    ids=lambda wrapper: " ".join(wrapper),
)
def test_the_wrappers_of_providers_are_taken_off(wrapper):
    assert schema_of(wrapper) == {"title": "City", **CITY}
    assert schema_of(json.dumps(wrapper)) == {"title": "City", **CITY}


def test_the_description_of_a_wrapper_is_the_schemas():
    wrapper = {"name": "City", "description": "A city.", "input_schema": CITY}
    assert schema_of(wrapper) == {"title": "City", "description": "A city.", **CITY}


def test_properties_named_like_a_wrapper_are_properties():
    schema = {"properties": {"schema": {}}, "schema": {"type": "string"}}
    assert schema_of(schema) == schema


@pytest.mark.parametrize(
    "schema, said",
    [
        ({"type": "object", "propertys": {}}, "did you mean 'properties'"),
        ({"type": "object", "properties": {}, "requierd": []}, "did you mean 'required'"),
        ({"typ": "object"}, "did you mean 'type'"),
        ({"tpye": "object", **CITY}, "did you mean 'type'"),
        ({"name": "City", "shema": CITY}, "did you mean 'schema'"),
        ({"name": "string", "age": "integer"}, "no keyword of JSON schema"),
    ],
)
def test_what_is_not_a_schema_is_refused(schema, said):
    with pytest.raises(SchemaError, match=said):
        schema_of(schema)


@pytest.mark.parametrize(
    "schema", [{}, {"title": "A"}, {"x-order": 1, **CITY}, {"propertyOrdering": [], **CITY}]
)
def test_what_a_schema_may_hold_besides_is_kept(schema):
    assert schema_of(schema) == schema


def test_null_for_a_keyword_is_read_as_absent():
    nulls = {"description": None, "enum": None, "format": None}
    schema = {
        "type": "object",
        "required": None,
        "description": None,
        "properties": {
            "a": {"type": "string", **nulls},
            "b": {"anyOf": [{"type": "integer", **nulls}, {"type": "null"}], "default": None},
            "c": {"enum": [None, 1], "const": None},
            "description": None,
        },
    }
    assert schema_of(schema) == {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "b": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "c": {"enum": [None, 1], "const": None},
            "description": {},
        },
    }
