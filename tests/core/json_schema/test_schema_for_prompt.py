"""A schema in a prompt: the same, without what runs in circles or says nothing."""

from __future__ import annotations

import copy
from typing import Any

from monster_core.json_schema.schema_for_prompt import schema_for_prompt
from tests.core.json_schema.corpus import CORPUS

TREE = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/Node"}},
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
        },
        "Unused": {"type": "string"},
    },
}


def check_ends(schema: Any, definitions: dict[str, Any], inside: tuple[str, ...] = ()) -> None:
    """Fail where a reference, followed, leads back to itself."""
    if isinstance(schema, list):
        for part in schema:
            check_ends(part, definitions, inside)
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        name = reference.rsplit("/", 1)[1]
        assert name not in inside, f"{name} stands inside itself"
        check_ends(definitions.get(name), definitions, (*inside, name))
    else:
        for keyword, part in schema.items():
            if keyword not in ("$defs", "definitions"):
                check_ends(part, definitions, inside)


def test_a_recursive_reference_is_shown_once_and_named_inside_itself() -> None:
    shown = schema_for_prompt(TREE)
    assert shown["properties"]["root"] == {"$ref": "#/$defs/Node"}
    node = shown["$defs"]["Node"]
    assert node["properties"]["value"] == {"type": "string"}
    assert node["properties"]["children"]["items"] == {
        "type": "object",
        "description": "another Node",
    }


def test_a_reference_to_the_whole_is_not_followed() -> None:
    shown = schema_for_prompt({"type": "object", "properties": {"next": {"$ref": "#"}}})
    assert shown["properties"]["next"] == {"type": "object", "description": "the whole again"}


def test_definitions_that_nothing_refers_to_are_left_out() -> None:
    assert set(schema_for_prompt(TREE)["$defs"]) == {"Node"}


def test_what_nothing_satisfies_is_not_shown_as_anything() -> None:
    shown = schema_for_prompt({"properties": {"never": False}, "items": [False, True]})
    assert shown == {"properties": {"never": {"not": {}}}, "prefixItems": [{"not": {}}, {}]}


def test_boolean_sub_schemas_become_empty_ones_and_flags_stay() -> None:
    shown = schema_for_prompt(
        {
            "properties": {"anything": True, "either": {"anyOf": [True, {"type": "string"}]}},
            "additionalProperties": False,
        }
    )
    assert shown == {
        "properties": {"anything": {}, "either": {"anyOf": [{}, {"type": "string"}]}},
        "additionalProperties": False,
    }


def test_the_positions_of_a_tuple_stand_under_their_present_name() -> None:
    shown = schema_for_prompt(
        {"type": "array", "items": [{"type": "string"}, True], "additionalItems": False}
    )
    assert shown == {
        "type": "array",
        "additionalItems": False,
        "prefixItems": [{"type": "string"}, {}],
    }


DOUBLING = "keywords/doubling_refs"  # ends as well, after fifty million steps


def test_no_schema_of_the_corpus_runs_in_circles() -> None:
    for name, schema in CORPUS.items():
        if not isinstance(schema, dict) or name == DOUBLING:
            continue
        original = copy.deepcopy(schema)
        shown = schema_for_prompt(schema)
        definitions = {**shown.get("definitions", {}), **shown.get("$defs", {})}
        check_ends(shown, definitions)
        assert schema == original, name
