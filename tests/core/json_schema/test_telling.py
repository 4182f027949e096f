"""A schema in a prompt: the same, without what runs in circles or says nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from monster_core.json_schema.schema_for_prompt import told
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


def written_out(schema: Any, definitions: dict[str, Any], inside: tuple[str, ...] = ()) -> int:
    """Count a schema's parts with every reference followed; fail where it runs in circles."""
    if isinstance(schema, list):
        return sum(written_out(part, definitions, inside) for part in schema)
    if not isinstance(schema, dict):
        return 0
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        name = reference.rsplit("/", 1)[1]
        assert name not in inside, f"{name} stands inside itself"
        return written_out(definitions.get(name), definitions, (*inside, name))
    parts = [part for name, part in schema.items() if name not in ("$defs", "definitions")]
    return 1 + sum(written_out(part, definitions, inside) for part in parts)


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
def test_every_schema_of_the_corpus_can_be_written_out(name: str) -> None:
    original = copy.deepcopy(CORPUS[name])
    shown = told(CORPUS[name])
    definitions = {**shown.get("definitions", {}), **shown.get("$defs", {})}
    assert written_out(shown, definitions) < 50_000
    assert CORPUS[name] == original
