"""A small model that writes digits without end is stopped, where that compiles cheaply."""

import re

import pytest

from monster_core.json_schema import lower
from monster_core.json_schema.engines import LM_FORMAT_ENFORCER, XGRAMMAR
from monster_core.json_schema.lower import CHEAP_SECONDS
from monster_core.json_schema.tool_call_schema import lower_calls

from .server_reading import expression

INTEGER = {"type": "integer", "maxDigits": 20}
NUMBER = {
    "type": "number",
    "maxDigitsInteger": 20,
    "maxDigitsFraction": 20,
    "maxDigitsExponent": 3,
}


def obj(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


def test_digits_are_bounded_where_the_whole_compiles_cheaply():
    lowered = lower(obj(a={"type": "integer"}, b={"type": "number"}))
    assert lowered.schema["properties"] == {"a": INTEGER, "b": NUMBER}
    assert lowered.seconds <= CHEAP_SECONDS


def test_digits_are_left_alone_where_their_bounds_would_be_felt():
    lowered = lower(obj(**{f"n{place}": {"type": "number"} for place in range(6)}))
    assert lowered.schema["properties"]["n0"] == {"type": "number"}
    assert lowered.seconds <= CHEAP_SECONDS


@pytest.mark.parametrize("bounds", [{"minimum": 10**25}, {"maximum": -(10**25)}])
def test_digits_that_a_bound_needs_are_allowed(bounds):
    lowered = lower(obj(a={"type": "integer", **bounds}))
    assert lowered.schema["properties"]["a"] == {"type": "integer"}
    assert "bound" in lowered.relaxed[0]


def test_bounded_digits_are_not_said_to_be_given_up():
    assert lower(obj(a={"type": "integer"})).relaxed == ()


@pytest.mark.parametrize("engine", [LM_FORMAT_ENFORCER, XGRAMMAR])
def test_engines_that_compile_nothing_are_not_asked_for_it(engine):
    lowered = lower(obj(a={"type": "integer"}), engine=engine)
    assert lowered.schema["properties"]["a"] == {"type": "integer"}


def test_the_arguments_of_a_call_are_bounded_as_well():
    calls = lower_calls({"add": obj(a={"type": "integer"})}, "parameters", is_list=False)
    assert calls.schema["properties"]["parameters"]["properties"]["a"] == INTEGER


def test_listed_numbers_are_not_changed():
    listed = {"enum": [10**18, 1]}
    assert lower(obj(a=listed)).schema["properties"]["a"] == listed


@pytest.mark.parametrize(
    "schema, written, is_accepted",
    [
        (INTEGER, "9" * 20, True),
        (INTEGER, "9" * 21, False),
        (INTEGER, "-7", True),
        (NUMBER, "3." + "1" * 20 + "e+308", True),
        (NUMBER, "3." + "1" * 21, False),
        (NUMBER, "1" * 21, False),
    ],
)
def test_the_server_reads_the_bounds_so(schema, written, is_accepted):
    assert bool(re.fullmatch(expression(schema), written)) == is_accepted
