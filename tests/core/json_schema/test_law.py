"""Lowering only ever loosens: what satisfies a schema, the server can write."""

import copy

import pytest
from hypothesis import HealthCheck, assume, given, settings

from monster_core.json_schema import SchemaMismatch, lower, validate

from .generated import schemas_with_instances
from .server_reading import accepts, as_written

thorough = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def satisfies(instance, schema):
    try:
        validate(instance, schema)
    except SchemaMismatch:
        return False
    return True


@thorough
@given(schemas_with_instances())
def test_every_instance_of_a_schema_can_be_written_by_the_server(pair):
    schema, instance = pair
    assume(satisfies(instance, schema))  # two demands of one object may exclude each other
    lowered = lower(schema, limit=1000)
    assert lowered.guided
    written = as_written(instance, lowered.schema)
    assert accepts(lowered.schema, written)


@thorough
@given(schemas_with_instances())
def test_a_restored_instance_satisfies_the_schema_it_came_from(pair):
    schema, instance = pair
    assume(satisfies(instance, schema))
    lowered = lower(schema, limit=1000)
    validate(lowered.restore(as_written(instance, lowered.schema)), schema)


@thorough
@given(schemas_with_instances())
def test_lowering_neither_changes_its_input_nor_its_mind(pair):
    schema, _ = pair
    before = copy.deepcopy(schema)
    assert lower(schema) == lower(copy.deepcopy(schema))
    assert schema == before


@thorough
@given(schemas_with_instances())
def test_what_is_lowered_to_fit_a_small_limit_still_accepts_every_instance(pair):
    schema, instance = pair
    assume(satisfies(instance, schema))
    lowered = lower(schema, limit=0.02)
    if lowered.guided:
        assert accepts(lowered.schema, as_written(instance, lowered.schema))


def test_the_schema_that_is_returned_can_be_changed_without_changing_the_next():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    lower(schema).schema["properties"].clear()
    assert "a" in lower(schema).schema["properties"]


@pytest.mark.parametrize("schema", [True, {}, {"type": "object"}])
@pytest.mark.parametrize("value", [{"a": 1}, {"a": "x", "b": None}])
def test_what_has_no_demands_accepts_objects(schema, value):
    assert accepts(lower(schema).schema, value)
