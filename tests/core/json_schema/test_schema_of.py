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
