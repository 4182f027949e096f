"""A schema in a prompt: the same, without what runs in circles or says nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from monster_core.schemas.telling import told
from tests.core.schemas.corpus import CORPUS

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


def deepest(schema: Any, definitions: dict[str, Any], depth: int = 0) -> int:
    """Follow every reference; a schema that runs in circles is deeper than any limit."""
    assert depth < 200, "the schema runs in circles"
    if isinstance(schema, list):
        return max([deepest(part, definitions, depth) for part in schema], default=depth)
    if not isinstance(schema, dict):
        return depth
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        return deepest(definitions.get(reference.rsplit("/", 1)[1]), definitions, depth + 1)
    parts = [part for name, part in schema.items() if name not in ("$defs", "definitions")]
    return max([deepest(part, definitions, depth + 1) for part in parts], default=depth)


def test_a_recursive_reference_is_told_once_and_named_inside_itself() -> None:
    shown = told(TREE)
    assert shown["properties"]["root"] == {"$ref": "#/$defs/Node"}
    node = shown["$defs"]["Node"]
    assert node["properties"]["value"] == {"type": "string"}
    assert node["properties"]["children"]["items"] == {
        "type": "object",
        "description": "another Node",
    }


def test_a_reference_to_the_whole_is_not_followed() -> None:
    shown = told({"type": "object", "properties": {"next": {"$ref": "#"}}})
    assert shown["properties"]["next"] == {"type": "object", "description": "the whole again"}


def test_definitions_that_nothing_refers_to_are_left_out() -> None:
    assert set(told(TREE)["$defs"]) == {"Node"}


def test_boolean_sub_schemas_become_empty_ones_and_flags_stay() -> None:
    shown = told(
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
    shown = told({"type": "array", "items": [{"type": "string"}, True], "additionalItems": False})
    assert shown == {
        "type": "array",
        "additionalItems": False,
        "prefixItems": [{"type": "string"}, {}],
    }


@pytest.mark.parametrize("name", [name for name in CORPUS if isinstance(CORPUS[name], dict)])
def test_every_schema_of_the_corpus_ends(name: str) -> None:
    original = copy.deepcopy(CORPUS[name])
    shown = told(CORPUS[name])
    definitions = {**shown.get("definitions", {}), **shown.get("$defs", {})}
    assert deepest(shown, definitions) < 200
    assert CORPUS[name] == original
