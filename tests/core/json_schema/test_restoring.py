"""Nulls that stand for absent properties disappear; those that mean null stay."""

import pytest

from monster_core.json_schema import lower, validate

OPTIONAL = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": ["string", "null"]}},
}


@pytest.mark.parametrize(
    "answer,expected",
    [
        ({"a": None, "b": None}, {"b": None}),
        ({"a": 1, "b": "x"}, {"a": 1, "b": "x"}),
        ({"a": None, "c": None}, {"c": None}),
        ("text", "text"),
        (None, None),
    ],
)
def test_an_object_of_optional_properties(answer, expected):
    assert lower(OPTIONAL).restore(answer) == expected


@pytest.mark.parametrize(
    "schema,wrap",
    [
        ({"type": "array", "items": OPTIONAL}, lambda x: [x]),
        ({"type": "object", "additionalProperties": OPTIONAL}, lambda x: {"k": x}),
        ({"prefixItems": [OPTIONAL], "items": False, "minItems": 1}, lambda x: [x]),
        ({"type": "object", "properties": {"o": OPTIONAL}, "required": ["o"]}, lambda x: {"o": x}),
        (
            {"anyOf": [{"type": "null"}, {"type": "array", "items": OPTIONAL}, OPTIONAL]},
            lambda x: x,
        ),
    ],
)
def test_it_reaches_everywhere(schema, wrap):
    restored = lower(schema).restore(wrap({"a": None, "b": None}))
    assert restored == wrap({"b": None})
    validate(restored, schema)


def test_a_null_for_an_optional_property_beside_required_ones_goes_too():
    schema = {**OPTIONAL, "required": ["b"]}
    assert lower(schema).restore({"a": None, "b": None}) == {"b": None}


def test_the_alternative_that_fits_decides():
    one = {"type": "object", "properties": {"kind": {"const": "one"}, "x": {"type": "integer"}}}
    two = {"type": "object", "properties": {"kind": {"const": "two"}, "x": {"type": "null"}}}
    schema = {"anyOf": [{**one, "required": ["kind"]}, {**two, "required": ["kind"]}]}
    assert lower(schema).restore({"kind": "one", "x": None}) == {"kind": "one"}
    assert lower(schema).restore({"kind": "two", "x": None}) == {"kind": "two", "x": None}
    assert lower(schema).restore({"kind": "three", "x": None}) == {"kind": "three", "x": None}


@pytest.mark.parametrize(
    "value",
    [1, 1.5, "a", True, None, [1], [[1]], {"k": True}, {"z": 3, "o": None}, [{"m": [None]}]],
)
def test_values_of_every_kind_find_their_alternative(value):
    inner = {"type": "object", "properties": {"o": {"type": "integer"}, "z": {"const": 3}}}
    options = [
        {"prefixItems": [{"type": "integer"}], "items": False, "minItems": 1},
        {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        {"type": "object", "additionalProperties": {"type": "boolean"}},
        inner,
        {"type": "array", "items": {"type": "object", "properties": {"m": {}}, "required": ["m"]}},
        {"type": ["number", "string", "boolean", "null"]},
    ]
    expected = {"z": 3} if isinstance(value, dict) and "z" in value else value
    assert lower({"anyOf": options}).restore(value) == expected


def test_the_answer_itself_is_not_changed():
    answer = {"a": None, "b": None}
    lower(OPTIONAL).restore(answer)
    assert answer == {"a": None, "b": None}
