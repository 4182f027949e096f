"""The estimated seconds are those that were measured, within a factor of two."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from statistics import median

import orjson
import pytest

from monster_core.json_schema import lower
from monster_core.json_schema.cost import Costs
from monster_core.json_schema.emit import emit
from monster_core.json_schema.lower import lower_for_best

from .corpus import CORPUS

HERE = Path(__file__).parent


def entries(file):
    return [json.loads(line) for line in (HERE / file).read_text(encoding="utf-8").splitlines()]


SCHEMAS = CORPUS | {
    f"{folder}/{entry['name']}": entry["schema"]
    for folder in ("documented", "measured_shapes")
    for entry in entries(f"{folder}.jsonl")
}
"""Our own, those of docs/schemas.md, and the shapes of JSONSchemaBench's (shapes.py)."""

MEASURED = {entry["name"]: entry for entry in entries("measured_costs.jsonl")}
"""From benchmarks/schema_costs/measure.py, which says how to measure again."""

LIMIT = 25.0  # of what was measured


def digest(schema):
    return hashlib.sha256(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def seconds(entry):
    return 0.0165 * entry["states"] + 0.105 * entry["wide"] + entry["build_seconds"]


@cache
def measured_names(*folders):
    """List the schemas whose lowered form is the one that was measured, digits without a bound."""
    return [
        name
        for name, entry in MEASURED.items()
        if name.startswith(folders) and digest(emit(lowered(name))) == entry["digest"]
    ]


@cache
def lowered(name):
    return lower(SCHEMAS[name], limit=LIMIT).node


def estimate_of(name):
    return Costs().seconds(lowered(name))


def test_what_was_measured_is_what_is_still_sent():
    assert len(measured_names("measured_shapes")) >= 75
    assert len(measured_names("pydantic")) >= 30
    assert len(measured_names("")) >= 270


def test_the_estimate_is_within_a_factor_of_two():
    for name in measured_names(""):
        assert 0.5 < estimate_of(name) / seconds(MEASURED[name]) < 2, name


@pytest.mark.parametrize("folder", ["", "measured_shapes"])
def test_half_of_the_estimates_are_within_a_tenth(folder):
    names = measured_names(folder)
    assert median(abs(estimate_of(name) / seconds(MEASURED[name]) - 1) for name in names) < 0.1


def test_the_estimate_is_within_a_factor_of_two_of_a_whole_compilation():
    compiled = [name for name in measured_names("") if "index_seconds" in MEASURED[name]]
    assert len(compiled) >= 15
    for name in compiled:
        whole = MEASURED[name]["index_seconds"] + MEASURED[name]["build_seconds"]
        assert 0.5 < estimate_of(name) / whole < 2, name


DOCUMENTED = re.findall(
    r"^\| (.+) \| ([\d.]+) \| ([\d.]+) \| ([a-z-]+) \|$",
    (HERE.parents[2] / "docs" / "schemas.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


@pytest.mark.parametrize("name, estimated, measured, engine", DOCUMENTED)
def test_the_table_of_the_documentation_holds_what_was_measured(name, estimated, measured, engine):
    entry = MEASURED[f"documented/{name}"]
    assert f"{entry['index_seconds'] + entry['build_seconds']:.1f}" == measured
    assert f"{estimate_of(entry['name']):.1f}" == estimated
    assert lower_for_best(SCHEMAS[entry["name"]]).engine.name == engine


def test_every_schema_that_was_documented_is_in_the_table():
    assert len(DOCUMENTED) == len(entries("documented.jsonl"))


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
