"""References are resolved inside the document, and recursion ends at a bounded depth."""

from time import process_time

import pytest

from monster_core.json_schema import lower
from monster_core.json_schema.lower import lower_for_best

from .corpus import CORPUS
from .server_reading import accepts

NODE = {
    "type": "object",
    "properties": {"v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["v"],
}


def test_a_tree_nests_some_levels_and_ends_in_empty_lists():
    lowered = lower(NODE).schema
    assert accepts(lowered, {"v": 1, "kids": [{"v": 2}, {"v": 3, "kids": [{"v": 4}]}]})
    deepest = lowered
    while deepest["properties"]["kids"].get("items"):
        deepest = deepest["properties"]["kids"]["items"]
    assert deepest["properties"]["kids"] == {"type": "array", "maxItems": 0}


def test_an_optional_recursive_property_is_left_out_at_the_bottom():
    deepest = lower(
        {"type": "object", "properties": {"n": {"type": "null"}, "next": {"$ref": "#"}}}
    ).schema
    while "next" in deepest["properties"]:
        deepest = deepest["properties"]["next"]["anyOf"][0]
    assert deepest["required"] == ["n"]


def test_an_endless_alternative_is_left_out_at_the_bottom():
    lowered = lower(CORPUS["recursive/linked_list"]).schema
    assert accepts(lowered, {"head": 1, "tail": {"head": 2, "tail": None}})


def test_what_contains_itself_without_end_is_an_obstacle_with_its_path():
    lowered = lower({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})
    assert lowered.obstacle is not None
    assert "contains itself without end" in lowered.obstacle
    assert "$.a" in lowered.obstacle


def test_what_only_ends_after_many_definitions_is_found():
    links = {
        f"l{i}": {
            "type": "object",
            "properties": {"n": {"$ref": f"#/$defs/l{i + 1}"}},
            "required": ["n"],
        }
        for i in range(7)
    }
    end = {
        "type": "object",
        "properties": {"again": {"$ref": "#/$defs/l0"}, "end": {"type": "null"}},
    }
    lowered = lower({"$defs": {**links, "l7": {**end, "required": ["end"]}}, "$ref": "#/$defs/l0"})
    assert lowered.guided


def test_recursion_is_unrolled_less_where_it_is_expensive():
    def depth(schema):
        kids = schema["properties"]["kids"].get("items")
        return 1 + depth(kids) if kids else 0

    wide = {
        **NODE,
        "properties": {f"p{i}": {"type": "string"} for i in range(12)} | NODE["properties"],
    }
    assert 0 < depth(lower(wide, limit=25).schema) < depth(lower(NODE, limit=25).schema)


@pytest.mark.parametrize(
    "name", ["relative_id", "pointer_escapes", "pointer_into_properties", "ref_with_siblings"]
)
def test_every_kind_of_local_reference_is_followed(name):
    assert lower(CORPUS[f"keywords/{name}"]).guided


def test_an_anchor_and_a_dynamic_reference_are_followed():
    schema = {"$defs": {"x": {"$anchor": "here", "const": 1}}, "$ref": "#here"}
    assert lower(schema).schema == {"enum": [1]}
    dynamic = {"$defs": {"x": {"$dynamicAnchor": "here", "const": 1}}, "$dynamicRef": "#here"}
    assert lower(dynamic).schema == {"enum": [1]}


def test_a_pointer_may_lead_into_a_list():
    schema = {"anyOf": [{"const": 1}, {"$ref": "#/anyOf/0"}]}
    assert lower(schema).schema == {"enum": [1]}


def test_an_old_identifier_is_not_a_base_for_pointers_into_the_document():
    schema = {
        "definitions": {
            "a": {
                "id": "other",
                "type": "object",
                "properties": {"b": {"$ref": "#/definitions/b"}},
            },
            "b": {"const": 1},
        },
        "$ref": "#/definitions/a",
    }
    assert lower(schema).guided


def test_references_that_double_at_every_step_take_no_time():
    assert not lower(CORPUS["keywords/doubling_refs"]).guided


def test_a_dangling_reference_in_a_definition_nobody_uses_does_no_harm():
    schema = {
        "$defs": {"a": {"items": {"$ref": "#/nowhere"}}, "b": {"const": 1}},
        "$ref": "#/$defs/b",
    }
    assert lower(schema).guided


def refer(names):
    return {name: {"$ref": "#/$defs/node"} for name in names}


NAMES = [f"part{number}" for number in range(10)]
ONE_OF_SIX = [
    {"type": "object", "properties": refer(["left", "right", "other"]) | {f"own{number}": {}}}
    for number in range(6)
]


@pytest.mark.clock
@pytest.mark.parametrize(
    "schema",
    [
        {"properties": refer(NAMES), "$defs": {"node": {"properties": refer(NAMES)}}},
        {
            "allOf": [{"$ref": "#/$defs/node"}, {"properties": refer(NAMES)}],
            "$defs": {"node": {"type": "object", "properties": refer(NAMES)}},
        },
        {"anyOf": ONE_OF_SIX, "$defs": {"node": {"type": "object", "anyOf": ONE_OF_SIX}}},
        {
            "anyOf": ONE_OF_SIX,
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {name: {"anyOf": ONE_OF_SIX[:3]} for name in NAMES[:3]},
                },
            },
        },
    ],
    ids=["plain", "intersected", "joined", "joined beneath"],
)
def test_a_definition_that_many_places_refer_to_is_lowered_once(schema):
    started = process_time()
    assert lower_for_best(schema).guided
    assert process_time() - started < 1
