"""An answer is judged by the original schema and its draft."""

import pickle
import sys
from contextlib import suppress

import pytest

from monster_core.json_schema import SchemaError, SchemaMismatch, validate

from .corpus import CORPUS

ANY_JSON = {"keywords/empty_schema", "pydantic/type_json_value", "recursive/json_value"}


@pytest.mark.parametrize(
    "instance,schema,path",
    [
        ({"a": "x"}, {"properties": {"a": {"type": "integer"}}}, "$.a"),
        ([1, "x"], {"type": "array", "items": {"type": "integer"}}, "$[1]"),
        ({}, {"required": ["a"]}, "$"),
        ("x", {"format": "email"}, "$"),
        ("x", {"format": "uri"}, "$"),
        ("x", {"format": "uuid"}, "$"),
        ("2024-02-30", {"format": "date"}, "$"),
        ("2024-02-29 x", {"format": "date-time"}, "$"),
        ("25:00:00", {"format": "time"}, "$"),
        ("ab", {"pattern": "^a$"}, "$"),
        (None, {"type": "string"}, "$"),
        ([1, "x"], {"items": [{"type": "integer"}, {"type": "integer"}]}, "$[1]"),
        (3, {"minimum": 3, "exclusiveMinimum": True}, "$"),
        (3, {"maximum": 3, "exclusiveMaximum": True}, "$"),
        (1, False, "$"),
    ],
)
def test_a_mismatch_names_the_path(instance, schema, path):
    with pytest.raises(SchemaMismatch) as caught:
        validate(instance, schema)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    "instance,schema",
    [
        ({"a": 1}, {"properties": {"a": {"type": "integer"}}}),
        (None, {"type": "string", "nullable": True}),
        (None, {"const": "a", "nullable": True}),
        (None, {"enum": ["a"], "type": "string", "nullable": True}),
        ("x", {"pattern": r"^\p{L}$"}),
        ("2024-02-29T12:00:00Z", {"format": "date-time"}),
        ("2024-02-29t12:00:00.123456789+01:00", {"format": "date-time"}),
        ("2024-02-29T12:00:00.5", {"format": "date-time"}),
        ("12:00:00.5Z", {"format": "time"}),
        (3, {"format": "uri"}),
        (3, {"format": "time"}),
        ("urn:x", {"format": "uri"}),
        ("anything", {"format": "of our own"}),
        (1, {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1}),
        (1, True),
        ({"a": 1}, {"$ref": "#/definitions/x", "definitions": {"x": {"required": ["a"]}}}),
    ],
)
def test_what_satisfies_passes(instance, schema):
    validate(instance, schema)


def test_a_long_value_is_shortened():
    with pytest.raises(SchemaMismatch) as caught:
        validate("x" * 5000, {"type": "integer"})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "schema,why",
    [
        ({"$ref": "https://example.com/never-fetched.json"}, "never-fetched"),
        ({"$ref": "#/$defs/missing"}, "missing"),
        ({"type": "text"}, "'text' is not a JSON schema type"),
        ({"$ref": "#"}, "without end"),
        ({"properties": 3}, "malformed"),
    ],
)
def test_an_unusable_schema_is_an_error_of_its_own(schema, why):
    with pytest.raises(SchemaError, match=why) as caught:
        validate({"a": 1}, schema)
    assert not isinstance(caught.value, SchemaMismatch)


def test_every_schema_of_the_corpus_can_judge():
    for name in CORPUS.keys() - ANY_JSON:
        failures = []
        for instance in ({}, [], "x", 1, None):
            with suppress(SchemaMismatch):
                validate(instance, CORPUS[name])
                continue
            failures.append(instance)
        assert failures, name


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(SchemaMismatch("3 is too large", "$.a")))
    assert (error.reason, error.path, str(error)) == (
        "3 is too large",
        "$.a",
        "$.a: 3 is too large",
    )


def test_jsonschema_is_imported_only_when_needed():
    import subprocess

    code = (
        "import sys, monster_core.json_schema as s; s.lower({}); print('jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
