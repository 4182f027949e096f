"""What becomes of each keyword."""

from types import MappingProxyType

import pytest

from monster_core.json_schema import SchemaError, lower
from monster_core.json_schema.emit import emit

from .server_reading import accepts

ANY_TEXT = {"type": "string", "pattern": r'([^\x00-\x1f"\\]|\\[btnfr"\\])*'}


def obj(properties, *required, **more):
    return {"type": "object", "properties": properties, "required": list(required), **more}


def sent(schema):
    """Return what is sent, without the bounds of digits (test_digits.py)."""
    return emit(lower(schema).node)


def relaxed(schema):
    return " ".join(lower(schema).relaxed)


def test_a_string_may_hold_quotation_marks_and_line_breaks():
    assert sent({"type": "string"}) == ANY_TEXT
    assert accepts(ANY_TEXT, 'she said "no"\n\tand left C:\\')


def test_required_and_optional_properties_keep_their_order_and_their_presence():
    schema = obj({"b": {"type": "boolean"}, "a": {"type": "null"}}, "a")
    lowered = sent(schema)
    assert list(lowered["properties"]) == ["b", "a"]
    assert lowered["required"] == ["a"]


def test_an_object_of_optional_properties_gets_required_ones_that_may_be_null():
    lowered = sent(obj({"a": {"type": "integer"}, "b": {"type": ["boolean", "null"]}}))
    assert lowered["required"] == ["a", "b"]
    assert lowered["properties"]["a"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert lowered["properties"]["b"] == {"anyOf": [{"type": "boolean"}, {"type": "null"}]}


def test_names_and_values_are_written_as_json_escapes_them():
    lowered = sent(obj({'say "hi"': {"enum": ['a"b', "c\\d"]}}, 'say "hi"'))
    assert lowered["properties"] == {'say \\"hi\\"': {"enum": ['a\\"b', "c\\\\d"]}}
    assert accepts(lowered, {'say "hi"': 'a"b'})


@pytest.mark.parametrize(
    "schema,expected",
    [
        ({"type": "integer"}, {"type": "integer"}),
        ({"type": "number", "format": "double"}, {"type": "number"}),
        ({"type": "integer", "minimum": 1, "maximum": 3}, {"enum": [1, 2, 3]}),
        ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 4}, {"enum": [2, 3]}),
        (
            {"minimum": 1, "exclusiveMinimum": True, "maximum": 3, "type": "integer"},
            {"enum": [2, 3]},
        ),
        ({"const": 5}, {"enum": [5]}),
        ({"const": None}, {"type": "null"}),
        ({"enum": ["a", None]}, {"anyOf": [{"enum": ["a"]}, {"type": "null"}]}),
        ({"enum": ["a", 1], "type": "string"}, {"enum": ["a"]}),
        ({"enum": [1, 2, 2.5], "type": "integer"}, {"enum": [1, 2]}),
        ({"type": ["integer", "null"]}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ({"type": "integer", "nullable": True}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ({"type": "array", "maxItems": 0}, {"type": "array", "maxItems": 0}),
        ({"type": "array", "items": False}, {"type": "array", "maxItems": 0}),
        ({"type": "object", "additionalProperties": False}, {"type": "object", "maxProperties": 0}),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
            {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
        ),
        (
            {"type": "array", "items": {"type": "null"}, "minItems": 1, "maxItems": 2},
            {"type": "array", "items": {"type": "null"}, "minItems": 1, "maxItems": 2},
        ),
        ({"anyOf": [{"const": "a"}, {"const": "b"}]}, {"enum": ["a", "b"]}),
        ({"anyOf": [{"const": "a"}, {"type": "string"}]}, ANY_TEXT),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}, {"const": 3}]}, {"type": "number"}),
        (
            {"oneOf": [{"type": "null"}, {"type": "boolean"}]},
            {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
        ),
        ({"type": "string", "pattern": "^$"}, {"enum": [""]}),
        (
            {"allOf": [{"type": ["integer", "string"]}, {"type": ["integer", "null"]}]},
            {"type": "integer"},
        ),
        ({"allOf": [{"type": "boolean"}, {"const": True}]}, {"type": "boolean"}),
        ({"allOf": [{"type": "null"}, {"type": "null"}]}, {"type": "null"}),
        (
            {"allOf": [{"enum": [1, 2, 3]}, {"enum": [2, 3, 4]}, {"maximum": 2, "type": "number"}]},
            {"enum": [2]},
        ),
    ],
)
def test_a_keyword_becomes(schema, expected):
    assert sent(schema) == expected


@pytest.mark.parametrize(
    "schema,why",
    [
        ({"type": "number", "minimum": 0}, "the lower bound 0"),
        ({"type": "integer", "minimum": 1}, "the lower bound 1"),
        ({"type": "integer", "multipleOf": 5}, "'multipleOf'"),
        ({"type": "string", "maxLength": 4096}, "maxLength 4096"),
        ({"type": "string", "minLength": 100}, "minLength 100"),
        ({"type": "string", "format": "email"}, "format 'email'"),
        ({"type": "string", "format": "json-pointer"}, "format 'json-pointer'"),
        ({"type": "string", "pattern": "^a", "minLength": 3}, "minLength 3"),
        ({"type": "string", "pattern": r"(.)\1"}, "pattern"),
        ({"type": "string", "pattern": "foo"}, "may stand anywhere"),
        ({"allOf": [{"pattern": "^a", "type": "string"}, {"pattern": "b$"}]}, "pattern 'b$'"),
        ({"allOf": [{"pattern": "^a", "type": "string"}, {"pattern": "^b"}]}, "beside another"),
        ({"not": {"type": "null"}, "type": ["null", "string"]}, "'not'"),
        ({"type": "array", "uniqueItems": True}, "'uniqueItems'"),
        ({"type": "array", "contains": {"const": 1}}, "'contains'"),
        ({"type": "object", "propertyNames": {"pattern": "^a"}}, "'propertyNames'"),
        ({"type": "object", "patternProperties": {"^a": {"type": "null"}}}, "'patternProperties'"),
        ({"type": "object", "minProperties": 3}, "minProperties 3"),
        (obj({"a": {"type": "null"}}, minProperties=1), "minProperties 1"),
        (obj({"a": {"type": "null"}}, additionalProperties={"type": "null"}), "only named"),
        ({"prefixItems": [{"type": "null"}]}, "items after the first 1"),
        ({"const": True}, "the value true"),
        ({"enum": list(map(str, range(700)))}, "700 listed values"),
        ({"enum": [*map(str, range(700)), 1, 2.5]}, "702 listed values"),
        (obj({"a": {}}, "a", **{"if": {"required": ["b"]}, "then": {"required": ["c"]}}), "'if'"),
    ],
)
def test_what_is_not_enforced_is_said_with_its_path(schema, why):
    lowered = lower(obj({"field": schema}, "field"))
    assert lowered.guided
    notes = [note for note in lowered.relaxed if why in note]
    assert notes
    assert notes[0].startswith("$.field")
    assert notes[0].endswith("; checked afterwards")


def test_nothing_is_said_where_everything_is_enforced():
    schema = obj(
        {"a": {"type": "string"}, "b": {"enum": ["x"]}, "c": {"format": "uuid", "type": "string"}},
        "a",
    )
    assert lower(schema).relaxed == ()


def test_a_tuple_has_all_its_positions():
    lowered = sent({"prefixItems": [{"type": "integer"}, {"type": "null"}], "minItems": 1})
    assert accepts(lowered, [1, None])
    assert not accepts(lowered, [1])
    longer = sent({"prefixItems": [{"type": "integer"}], "items": {"type": "null"}, "minItems": 3})
    assert accepts(longer, [1, None, None])
    assert not accepts(longer, [1, None])
    shorter = sent({"items": [{"type": "integer"}, {"type": "null"}], "maxItems": 1})
    assert accepts(shorter, [1])
    closed = sent({"prefixItems": [{"type": "integer"}, False, {"type": "null"}]})
    assert accepts(closed, [1])


def test_a_structured_value_is_spelled_out():
    lowered = sent({"enum": [{"a": 1, "b": None}, [1, "x"], []]})
    assert accepts(lowered, {"a": 1, "b": None})
    assert accepts(lowered, [1, "x"])
    assert accepts(lowered, [])
    assert not accepts(lowered, {"a": 2, "b": None})


def test_siblings_and_all_of_are_merged():
    lowered = sent(
        {
            "$defs": {"base": obj({"id": {"type": "integer"}}, "id")},
            "$ref": "#/$defs/base",
            **obj({"name": {"type": "string"}}),
            "allOf": [obj({"name": {"minLength": 1}}, "name")],
        }
    )
    assert lowered["required"] == ["name", "id"]
    assert not accepts(lowered, {"name": "", "id": 1})
    assert accepts(lowered, {"name": "x", "id": 1})


def test_a_required_property_without_a_schema_may_be_anything():
    lowered = sent(obj({}, "extra"))
    assert accepts(lowered, {"extra": [1, {"a": None}]}) is False  # nesting is bounded
    assert accepts(lowered, {"extra": {"a": None}})


def test_a_condition_becomes_alternatives():
    schema = obj(
        {"kind": {"enum": ["a", "b"]}},
        "kind",
        **{
            "if": {"properties": {"kind": {"const": "a"}}},
            "then": {"properties": {"x": {"type": "integer"}}, "required": ["x"]},
            "else": {"properties": {"y": {"type": "integer"}}, "required": ["y"]},
        },
    )
    lowered = sent(schema)
    assert accepts(lowered, {"kind": "a", "x": 1})
    assert accepts(lowered, {"kind": "b", "y": 1})
    assert not accepts(lowered, {"kind": "a", "y": 1})
    assert not accepts(lowered, {"kind": "b", "x": 1})


def test_a_condition_that_leaves_no_value_leaves_no_alternative():
    schema = obj(
        {"kind": {"const": "a"}, "n": {"type": "integer"}},
        "kind",
        **{"if": {"properties": {"kind": {"const": "a"}}}, "then": {"required": ["n"]}},
    )
    assert sent(schema)["required"] == ["kind", "n"]


@pytest.mark.parametrize(
    "keyword,demand",
    [
        ("dependentRequired", ["b"]),
        ("dependencies", ["b"]),
        ("dependentSchemas", {"required": ["b"]}),
        ("dependencies", {"required": ["b"]}),
    ],
)
def test_a_dependency_becomes_alternatives(keyword, demand):
    fields = {"id": {"type": "null"}, "a": {"type": "null"}, "b": {"type": "null"}}
    lowered = sent(obj(fields, "id", **{keyword: {"a": demand}}))
    assert accepts(lowered, {"id": None})
    assert accepts(lowered, {"id": None, "b": None})
    assert accepts(lowered, {"id": None, "a": None, "b": None})
    assert not accepts(lowered, {"id": None, "a": None})


def test_alternatives_are_multiplied_with_their_siblings_only_so_far():
    many = [{"required": [name]} for name in "abcdefgh"]
    fields = {name: {"type": "null"} for name in "abcdefgh"}
    schema = obj(fields, "a", allOf=[{"anyOf": many}, {"oneOf": many}])
    assert "some combinations of alternatives" in relaxed(schema)
    first = {"anyOf": [{"const": value} for value in range(30)]}
    unlike = {"anyOf": [obj({f"p{i}": {"type": "null"}}, f"p{i}") for i in range(30)]}
    schema = {"$defs": {"a": unlike}, "allOf": [unlike, {"$ref": "#/$defs/a"}, first]}
    assert "some combinations of alternatives" in " ".join(lower(schema, limit=100).relaxed) or (
        not lower(schema).guided
    )


def test_arrays_are_merged_position_by_position():
    lowered = sent(
        {
            "allOf": [
                {"prefixItems": [{"type": ["integer", "null"]}], "items": {"type": "boolean"}},
                {"prefixItems": [{"type": ["integer", "string"]}, {}], "minItems": 2},
                {"type": "array", "maxItems": 2},
            ]
        }
    )
    assert accepts(lowered, [1, True])
    assert not accepts(lowered, [None, True])
    assert not accepts(lowered, [1, 2])


@pytest.mark.parametrize(
    "condition",
    [
        {"required": ["x", "y"]},
        {"properties": {"kind": {"pattern": "^a"}}},
        {"type": "string"},
        {"properties": {"other": {"const": "a"}}},
    ],
)
def test_a_condition_that_tells_nothing_apart_leaves_both_alternatives(condition):
    fields = {"kind": {"type": "string"}, "x": {"type": "null"}, "y": {"type": "null"}}
    schema = obj(fields, "kind", **{"if": condition, "then": {}, "else": {"required": ["y"]}})
    assert accepts(sent(schema), {"kind": "b", "y": None})


def test_mappings_that_are_not_dictionaries_are_read_too():
    assert sent(MappingProxyType({"items": MappingProxyType({"const": 1})}))["items"] == {
        "enum": [1]
    }


@pytest.mark.parametrize(
    "schema,why",
    [
        (False, "false"),
        (obj({"a": False}, "a"), "'a'"),
        ({"type": "string", "minLength": 2, "maxLength": 1}, "at least 2"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "at least 2"),
        ({"type": "array", "minItems": 2, "maxItems": 1}, "at least 2 items"),
        ({"type": "array", "items": False, "minItems": 1}, "at least 1 items"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "both"),
        ({"allOf": [{"type": "boolean"}, {"const": True}, {"const": False}]}, "exclude each other"),
        ({"allOf": [{"enum": [1]}, {"enum": [2]}]}, "listed values"),
        ({"allOf": [{"enum": ["a"]}, {"type": "number"}]}, "listed values"),
        ({"allOf": [{"minLength": 5}, {"maxLength": 4}]}, "at most 4"),
        ({"allOf": [{"minimum": 5}, {"maximum": 4}]}, "at most 4"),
        ({"anyOf": []}, "alternatives"),
        ({"type": "object", "additionalProperties": False, "minProperties": 1}, "none is allowed"),
    ],
)
def test_what_nothing_satisfies_is_an_obstacle(schema, why):
    lowered = lower(schema)
    assert not lowered.guided
    assert lowered.obstacle is not None
    assert why in lowered.obstacle


@pytest.mark.parametrize(
    "schema,why",
    [
        ({"type": "text"}, "'text' is not a JSON schema type"),
        ({"type": 3}, "'type' is 3"),
        ({"anyOf": {}}, "'anyOf' is not a list"),
        ({"properties": []}, "'properties' is not an object"),
        ({"properties": {"a": 3}}, "$.a: int"),
        ({"$ref": "https://example.com/x.json"}, "another document"),
        ({"$ref": "#/$defs/missing"}, "nothing in the schema"),
        ({"$ref": "#missing"}, "nothing in the schema"),
        ({"default": object()}, "not JSON"),
        ({1: 2, "x": float}, "not JSON"),
    ],
)
def test_what_is_not_a_schema_is_an_error_that_names_the_part(schema, why):
    with pytest.raises(SchemaError) as caught:
        lower(schema)
    assert why in str(caught.value)


@pytest.mark.parametrize("levels", [400, 5000])
def test_a_schema_nested_beyond_reason_is_an_error(levels):
    schema = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    with pytest.raises(SchemaError, match="nested too deeply"):
        lower(schema)


def test_a_schema_nested_as_deeply_as_that_is_an_obstacle():
    schema = {"type": "string"}
    for _ in range(100):
        schema = {"type": "array", "items": schema}
    assert "too large" in str(lower(schema).obstacle)


def test_whole_numbers_beyond_64_bits_are_not_an_obstacle():
    assert lower({"type": "integer", "maximum": 2**70}).guided


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", []]},
        {"type": "object", "required": [["a"]]},
        {"properties": {"a": {}}, "required": [None]},
        {"prefixItems": None},
        {"enum": [2**70]},
        {"const": "\ud800"},
        {"properties": {"\ud800": {}}},
    ],
)
def test_a_malformed_schema_is_refused(schema):
    with pytest.raises(SchemaError):
        lower(schema)


def test_a_reference_in_a_malformed_document_is_refused() -> None:
    malformed = {"properties": {"if": "object"}, "required": {"type": None}}
    with pytest.raises(SchemaError):
        lower({"properties": {"a": {"$ref": "object"}, "b": malformed}})
