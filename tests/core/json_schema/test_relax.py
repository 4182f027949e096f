"""What is too large is relaxed where that loses least."""

import pytest

from monster_core.json_schema import lower

from .server_reading import accepts


def obj(properties, required=None):
    return {"type": "object", "properties": properties, "required": required or list(properties)}


TEXTS = obj({f"text_{i}": {"type": "string"} for i in range(8)})


def test_a_small_schema_is_left_alone():
    assert lower(TEXTS).relaxed == ()


def test_the_number_of_items_goes_before_what_they_are():
    schema = obj({"rows": {"type": "array", "items": TEXTS, "minItems": 2, "maxItems": 40}})
    lowered = lower(schema, limit=10)
    assert lowered.guided
    assert "highest number of items" in " ".join(lowered.relaxed)
    assert "maxItems" not in lowered.schema["properties"]["rows"]
    assert "properties" in lowered.schema["properties"]["rows"]["items"]


def test_the_least_number_of_items_goes_next():
    lowered = lower(obj({"rows": {"type": "array", "items": TEXTS, "minItems": 30}}), limit=10)
    assert lowered.schema["properties"]["rows"]["minItems"] == 1


def test_a_detail_is_relaxed_before_the_outline():
    detail = obj({f"detail_number_{i}": {"type": "boolean"} for i in range(40)})
    lowered = lower(obj({"name": {"type": "string"}, "detail": detail}), limit=5)
    assert lowered.guided
    assert list(lowered.schema["properties"]) == ["name", "detail"]
    assert "properties" not in lowered.schema["properties"]["detail"]
    assert lowered.relaxed[0].startswith("$.detail: the object is too large")


@pytest.mark.parametrize(
    "part,word,limit",
    [
        ({"type": "string", "pattern": "^([a-z]{3}-[0-9]{3}){8}$"}, "pattern", 1),
        ({"enum": [f"value {i * 37}" for i in range(200)]}, "listed values", 1),
        ({"enum": list(range(0, 2000, 7))}, "listed values", 0.5),
        ({"enum": ["a", *range(0, 200_000, 371)]}, "listed values", 1),
        ({}, "without nesting", 1),
        (
            {"prefixItems": [{"type": "number"}] * 40, "minItems": 40, "items": False},
            "positions",
            5,
        ),
        (
            {"additionalProperties": {"pattern": "^([a-z]{3}-){9}$", "type": "string"}},
            "$.part: the values",
            1.1,
        ),
    ],
)
def test_other_details_are_relaxed_too(part, word, limit):
    lowered = lower(obj({"part": part}), limit=limit)
    assert word in " ".join(lowered.relaxed)


def test_an_object_that_nests_too_deeply_is_never_sent_as_a_flat_one():
    deep = TEXTS
    for level in range(4):
        deep = obj({f"level_{level}": deep, f"list_{level}": {"type": "array", "items": deep}})
    lowered = lower(deep, limit=1)
    assert not lowered.guided


def test_an_object_of_flat_objects_may_be_sent_as_one_of_any_values():
    inner = obj({f"a rather long name {i}": {"type": "boolean"} for i in range(30)})
    outer = obj({f"another long name {i}": inner for i in range(12)})
    lowered = lower(obj({"id": {"type": "null"}, "big": outer}), limit=20)
    assert lowered.guided
    example = {
        f"another long name {i}": {f"a rather long name {j}": True for j in range(30)}
        for i in range(12)
    }
    assert accepts(lowered.schema, {"id": None, "big": example})


def test_a_higher_limit_keeps_more():
    schema = obj({f"part_{i}": TEXTS for i in range(12)})
    assert len(lower(schema, limit=20).relaxed) > len(lower(schema, limit=40).relaxed)


def test_alternatives_that_become_the_same_do_not_displace_those_after_them():
    options = [
        obj({f"{size}_{i}": {"type": "boolean"} for i in range(size)}) for size in (30, 20, 9)
    ]
    rows = {"type": "array", "items": TEXTS, "minItems": 5}
    lowered = lower(obj({"part": {"anyOf": [*options, rows]}}), limit=3)
    assert lowered.guided
    instance = {"part": [dict.fromkeys(TEXTS["properties"], "x")] * 5}
    assert accepts(lowered.schema, instance)
    assert accepts(lowered.schema, {"part": dict.fromkeys(options[1]["properties"], True)})
