"""Each schema goes to the engine that serves it best, written as that engine takes it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from monster_core.json_schema import lower
from monster_core.json_schema.emit import KEYWORDS
from monster_core.json_schema.engines import LM_FORMAT_ENFORCER, OUTLINES
from monster_core.json_schema.lower import lower_for_best
from monster_core.json_schema.mend_stream import JsonMender, mended

from .corpus import CORPUS
from .generated import schemas_with_instances

TEXT = {"type": "string"}


def obj(properties, required=None):
    required = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": required}


OPTIONAL = obj({f"field_{i}": TEXT for i in range(12)}, [])
ORDERS = obj({f"field_{i}": TEXT for i in range(20)})
SLUG = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
TREE = {
    "$defs": {"tree": obj({"name": TEXT, "kids": {"items": {"$ref": "#/$defs/tree"}}})},
    "$ref": "#/$defs/tree",
}


@pytest.mark.parametrize(
    "schema, engine",
    [
        (obj({"name": TEXT, "age": {"type": "integer"}}), OUTLINES),
        (obj({"code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"}}), OUTLINES),
        (OPTIONAL, LM_FORMAT_ENFORCER),
        (ORDERS, LM_FORMAT_ENFORCER),
        (obj({"name": {"type": "string", "maxLength": 500}}), LM_FORMAT_ENFORCER),
        (obj({"extra": {}}), LM_FORMAT_ENFORCER),
        (
            obj({f"slug_{i}": SLUG for i in range(8)}),
            OUTLINES,
        ),  # it alone enforces them, within 5 s
        (obj({f"slug_{i}": SLUG for i in range(80)}), LM_FORMAT_ENFORCER),
        (obj({"grid": {"items": {"items": {"type": "integer"}, "type": "array"}}}), OUTLINES),
        (obj({'say "hello"': TEXT}), OUTLINES),
    ],
)
def test_the_engine_follows_from_cost_and_from_what_is_enforced(schema, engine):
    assert lower_for_best(schema).engine is engine


def test_a_limit_of_nothing_has_nothing_compiled():
    assert lower_for_best(obj({"name": TEXT}), limit=0).engine is LM_FORMAT_ENFORCER


def test_a_higher_limit_leaves_more_to_the_engine_that_alone_enforces_it():
    schema = obj({f"slug_{i}": SLUG for i in range(30)})
    assert lower_for_best(schema).engine is LM_FORMAT_ENFORCER
    assert lower_for_best(schema, limit=100).engine is OUTLINES


def test_no_schema_of_the_corpus_is_refused_or_loses_a_demand_for_its_cost():
    refused = [name for name, schema in CORPUS.items() if not lower_for_best(schema).guided]
    assert refused == ["keywords/deep_arrays", "keywords/doubling_refs"]


def parts_of(schema):
    yield schema
    for part in schema.get("properties", {}).values():
        yield from parts_of(part)
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from parts_of(schema[key])
    for part in schema.get("anyOf", ()):
        yield from parts_of(part)


def test_nothing_is_sent_at_which_lm_format_enforcer_ends_an_answer():
    for name, schema in CORPUS.items():
        lowered = lower(schema, engine=LM_FORMAT_ENFORCER)
        if not lowered.guided:
            assert re.search("array of arrays|too large", lowered.obstacle), name
            continue
        for part in parts_of(lowered.schema):
            assert part.keys() <= KEYWORDS, name
            assert isinstance(part.get("type", ""), str), name
            assert part.keys() & {"type", "anyOf", "enum"}, name
            assert "prefixItems" not in part, name
            assert not ("pattern" in part and "maxLength" in part), name
            assert "minLength" not in part, name  # below it, only ASCII characters are taken
            assert len({isinstance(value, str) for value in part.get("enum", ())}) <= 1, name
            assert all(map(LM_FORMAT_ENFORCER.can_write, part.get("properties", ()))), name
        assert len(json.dumps(lowered.schema)) < 100_000, name


@given(schemas_with_instances())
def test_what_satisfies_a_schema_satisfies_what_lm_format_enforcer_is_given(pair):
    schema, instance = pair
    if not Draft202012Validator(schema).is_valid(instance):
        return
    lowered = lower(schema, engine=LM_FORMAT_ENFORCER)
    if not lowered.guided or "not generated" in " ".join(lowered.relaxed):
        return
    read = json.loads(json.dumps(lowered.schema))
    for part in parts_of(read):
        if "pattern" in part:
            part["pattern"] = f"^(?:{part['pattern']})$"
    assert Draft202012Validator(read).is_valid(instance)
    assert json.loads(lowered.restored_text(json.dumps(instance))) == lowered.restore(instance)


@pytest.mark.parametrize(
    "items, is_enforced",
    [
        (TEXT, True),
        ({"type": "number"}, True),
        ({"enum": ["red", "green"]}, True),
        ({"type": "boolean"}, False),
        ({"enum": [1, 2, 3]}, False),
        ({"type": ["integer", "null"]}, False),
    ],
)
def test_a_least_number_of_items_is_enforced_only_where_the_engine_counts_them(items, is_enforced):
    schema = obj({"rows": {"type": "array", "items": items, "minItems": 2}})
    lowered = lower(schema, engine=LM_FORMAT_ENFORCER)
    assert ("minItems" in lowered.schema["properties"]["rows"]) is is_enforced
    assert ("minItems 2 is not enforced" in " ".join(lowered.relaxed)) is not is_enforced
    assert lower(schema).schema["properties"]["rows"]["minItems"] == 2


def test_a_least_length_is_enforced_by_outlines_alone():
    schema = obj({"name": {"type": "string", "minLength": 1}})
    assert lower_for_best(schema).engine is OUTLINES
    lowered = lower(schema, engine=LM_FORMAT_ENFORCER)
    assert lowered.schema["properties"]["name"] == {"type": "string"}
    assert lowered.relaxed == (
        "$.name: minLength 1 is not enforced by the server; checked afterwards",
    )


def test_objects_that_begin_alike_are_one_for_lm_format_enforcer():
    number = {"type": "integer"}
    one, other = obj({"a": TEXT, "b": TEXT}, ["a"]), obj({"a": number, "c": TEXT})
    schema = obj({"part": {"anyOf": [one, other, TEXT]}})
    lowered = lower(schema, engine=LM_FORMAT_ENFORCER)
    together = obj({"a": {"anyOf": [TEXT, number]}, "b": TEXT, "c": TEXT}, ["a"])
    assert lowered.schema["properties"]["part"] == {"anyOf": [together, TEXT]}
    assert "which properties go together is not enforced" in " ".join(lowered.relaxed)
    assert "go together" not in " ".join(lower(schema).relaxed)


def test_objects_that_their_first_property_tells_apart_stay_alternatives():
    kinds = [obj({"kind": {"const": kind}, "name": TEXT}) for kind in ("cat", "dog")]
    lowered = lower(obj({"pet": {"anyOf": kinds}}), engine=LM_FORMAT_ENFORCER)
    assert len(lowered.schema["properties"]["pet"]["anyOf"]) == 2
    assert lowered.relaxed == ()


def test_recursion_ends_in_an_array_without_items():
    lowered = lower(TREE, engine=LM_FORMAT_ENFORCER)
    depth = json.dumps(lowered.schema).count('"kids": {')
    text = '{"name": "a", "kids": [' * depth + " null " + "]}" * depth
    value = json.loads(lowered.restored_text(text))
    restorer = lowered.stream_restorer()
    streamed = "".join(map(restorer.feed, text)) + restorer.flush()
    assert json.loads(streamed) == value
    for _ in range(depth):
        [value] = value["kids"] or [{}]
    assert value == {}


@pytest.mark.parametrize(
    "text, value",
    [
        (
            '{"b": 1,\n\n "a" : [ .5, -.5, 007, -00, 0.10 ] , }\n\n\n',
            {"b": 1, "a": [0.5, -0.5, 7, 0, 0.1]},
        ),
        (' [, {"a": "x\ty\\"z\\\\" } ]\n', [{"a": 'x\ty"z\\'}]),
        ("\n 12 \n", 12),
        ('"a  b"\n', "a  b"),
        ("[ ]", []),
    ],
)
def test_near_misses_are_mended_wherever_they_are_cut(text, value):
    assert json.loads(mended(text)) == value
    for size in (1, 2, 3):
        mender = JsonMender()
        pieces = [mender.feed(text[at : at + size]) for at in range(0, len(text), size)]
        assert "".join(pieces) + mender.flush() == mended(text)


@pytest.mark.parametrize(
    "text", ["Sorry, I cannot.\n\n", '{"p', "1 2", '{"a" 1}', '{"a":1,,"b":2}', "Answer: 5\n", ""]
)
def test_what_is_not_nearly_json_stays_as_it_is(text):
    assert mended(text) == text


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from([None, 1, 4]), st.booleans())
def test_json_means_the_same_after_mending(value, indent, is_ascii):
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    assert json.loads(mended(text)) == value
