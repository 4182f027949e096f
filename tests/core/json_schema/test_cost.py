"""The estimated seconds are those that were measured, within a factor of two."""

import hashlib
import json
from pathlib import Path
from statistics import median

import orjson
import pytest

from monster_core.json_schema import lower

from .corpus import CORPUS

MEASURED = {
    entry["name"]: entry
    for entry in map(
        json.loads, (Path(__file__).parent / "measured_costs.jsonl").read_text().splitlines()
    )
}
"""From benchmarks/schema_costs/measure.py, which says how to measure again."""

LIMIT = 25.0  # of what was measured


def digest(schema):
    return hashlib.sha256(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def seconds(entry):
    return 0.0165 * entry["states"] + 0.105 * entry["wide"] + entry["build_seconds"]


LOWERED = {name: lower(CORPUS[name], limit=LIMIT) for name in MEASURED}
UNCHANGED = sorted(
    name for name in MEASURED if digest(LOWERED[name].schema) == MEASURED[name]["digest"]
)


def test_what_was_measured_is_what_is_still_sent():
    assert len(UNCHANGED) > 150


def test_the_estimate_is_within_a_factor_of_two():
    for name in UNCHANGED:
        assert 0.5 < LOWERED[name].seconds / seconds(MEASURED[name]) < 2, name


def test_half_of_the_estimates_are_within_a_fifth():
    errors = [abs(LOWERED[name].seconds / seconds(MEASURED[name]) - 1) for name in UNCHANGED]
    assert median(errors) < 0.2


@pytest.mark.parametrize(
    "schema,measured",
    [
        ({"type": "string", "maxLength": 24}, 4.7),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 24}, 6.0),
        ({"type": "array", "items": {"enum": ["red", "green", "blue"]}, "maxItems": 20}, 5.0),
    ],
)
def test_each_character_and_each_item_that_is_counted_has_a_price(schema, measured):
    whole = {"type": "object", "properties": {"part": schema}, "required": ["part"]}
    assert lower(whole, limit=100).seconds == pytest.approx(measured, rel=0.3)
