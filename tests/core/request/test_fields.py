"""The request fields: every one of the server's is there, in its type and range."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from monster_core.errors import InvalidRequestError
from monster_core.request.fields import REQUEST_FIELDS, RequestParameters
from monster_core.request.validation import merge_parameters, validate_parameters

# fmt: off
SERVER_FIELDS = {
    "messages", "model", "user", "temperature", "top_p", "top_k", "min_p", "seed",
    "frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias", "max_tokens",
    "min_tokens", "stop", "stop_token_ids", "include_stop_str_in_output", "ignore_eos", "n",
    "best_of", "use_beam_search", "length_penalty", "early_stopping", "logprobs", "top_logprobs",
    "echo", "add_generation_prompt", "add_special_tokens", "skip_special_tokens",
    "spaces_between_special_tokens", "stream", "stream_options", "tools", "tool_choice",
    "response_format", "guided_json", "guided_regex", "guided_choice", "guided_grammar",
    "guided_decoding_backend", "guided_whitespace_pattern"
}
# fmt: on

NAMED = {"type": "function", "function": {"name": "f"}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

ACCEPTED: dict[str, list[Any]] = {
    "model": ["m"],
    "user": ["u"],
    "temperature": [0, 0.0, 0.7, 2, 10],
    "top_p": [0.001, 1, 1.0],
    "top_k": [-1, 1, 1000],
    "min_p": [0, 0.5, 1],
    "seed": [0, -(2**63), 2**63 - 1],
    "frequency_penalty": [-2, 0, 2],
    "presence_penalty": [-2, 0, 2.0],
    "repetition_penalty": [0.01, 1, 2],
    "logit_bias": [{}, {"5": -100}, {"5": 100.0}],
    "max_tokens": [1, 8192],
    "min_tokens": [0, 5],
    "stop": ["", "x", [], ["x", "y"]],
    "stop_token_ids": [[], [0, 7]],
    "include_stop_str_in_output": [True, False],
    "ignore_eos": [True, False],
    "n": [1, 8],
    "best_of": [1, 8],
    "use_beam_search": [True, False],
    "length_penalty": [-1, 0.5, 2],
    "early_stopping": [True, False],
    "logprobs": [True, False],
    "top_logprobs": [0, 5],
    "echo": [True, False],
    "add_generation_prompt": [True, False],
    "add_special_tokens": [True, False],
    "skip_special_tokens": [True, False],
    "spaces_between_special_tokens": [True, False],
    "stream_options": [{"include_usage": True}, {"include_usage": False}],
    "tools": [[], [{"type": "function", "function": {"name": "f"}}]],
    "tool_choice": ["none", "auto", "f", True, NAMED],
    "response_format": [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
    ],
    "guided_json": [{}, SCHEMA],
    "guided_regex": ["", "a|b"],
    "guided_choice": [["a"], ["a", "b"]],
    "guided_grammar": ['start: "a"'],
    "guided_decoding_backend": ["outlines", "lm-format-enforcer"],
    "guided_whitespace_pattern": [" ?"],
}

REFUSED: dict[str, list[Any]] = {
    "model": [1],
    "user": [1],
    "temperature": [-0.1, "1", True, float("nan"), float("inf")],
    "top_p": [0, 1.1, -1],
    "top_k": [0, -2, 1.5, True],
    "min_p": [-0.1, 1.1],
    "seed": [2**63, -(2**63) - 1, 1.5],
    "frequency_penalty": [-2.1, 2.1],
    "presence_penalty": [-2.1, 2.1],
    "repetition_penalty": [0, 2.1],
    "logit_bias": [
        {"the": 1},
        {"-1": 1},
        {"1.0": 1},
        {"": 1},
        {" 1": 1},
        {"\u0661": 1},  # a digit of another script, which int() would read
        {True: 1},
        {"12345678901": 1},
        {"1": 101},
        {"1": "1"},
        [1],
    ],
    "max_tokens": [0, -1, 1.5, "1"],
    "min_tokens": [-1],
    "stop": [1, [1], {"a": 1}],
    "stop_token_ids": [[-1], ["1"], [1.5], 7],
    "include_stop_str_in_output": [1, "yes"],
    "ignore_eos": [1],
    "n": [0, 1.5],
    "best_of": [0],
    "use_beam_search": [1],
    "length_penalty": ["1", float("nan")],
    "early_stopping": ["never"],
    "logprobs": [5],
    "top_logprobs": [-1],
    "echo": [1],
    "add_generation_prompt": [1],
    "add_special_tokens": [1],
    "skip_special_tokens": [1],
    "spaces_between_special_tokens": [1],
    "stream_options": [{"include_usage": 1}, {"continuous_usage_stats": True}, True],
    "tools": [{"type": "function"}, ["f"]],
    "tool_choice": [1.5, ["f"]],
    "response_format": [
        {},
        "json_object",
        {"type": "yaml"},
        {"type": "json_object", "schema": {}},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"name": "a"}},
    ],
    "guided_json": ["{", "[]", 1, {"propertys": {}}, {"city": "text"}],
    "guided_regex": ["(", "[", 1],
    "guided_choice": [[], "a", [1]],
    "guided_grammar": [1],
    "guided_decoding_backend": ["xgrammar"],
    "guided_whitespace_pattern": [1],
}


def cases(table: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}={value!r:.40}")
        for name, values in table.items()
        for value in values
    ]


def test_the_fields_are_those_of_the_server() -> None:
    assert len(SERVER_FIELDS) == 41
    assert REQUEST_FIELDS == SERVER_FIELDS


def test_every_field_has_cases_here() -> None:
    fields = set(RequestParameters.model_fields)
    assert ACCEPTED.keys() == fields
    assert REFUSED.keys() == fields


@pytest.mark.parametrize("name, value", cases(ACCEPTED))
def test_what_the_server_takes_is_sent_as_given(name: str, value: Any) -> None:
    assert validate_parameters({name: value}) == {name: value}


@pytest.mark.parametrize("name, value", cases(REFUSED))
def test_what_the_server_refuses_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequestError, match=f"The argument '{name}' is not usable: "):
        validate_parameters({name: value})


@pytest.mark.parametrize("name", sorted(RequestParameters.model_fields))
def test_none_is_never_sent(name: str) -> None:
    assert validate_parameters({name: None}) == {}


@pytest.mark.parametrize("name", sorted(RequestParameters.model_fields))
def test_every_field_says_what_it_is(name: str) -> None:
    field = RequestParameters.model_fields[name]
    assert field.default is None
    assert field.description
    assert field.description.endswith(".")


@pytest.mark.parametrize(
    "unknown, near",
    [("temprature", "temperature"), ("maxtokens", "max_tokens"), ("guidedjson", "guided_json")],
)
def test_the_error_for_an_unknown_name_suggests_the_nearest_one(unknown: str, near: str) -> None:
    with pytest.raises(InvalidRequestError, match=re.escape(f"did you mean '{near}'?")):
        validate_parameters({unknown: 1})


@pytest.mark.parametrize("name", ["messages", "stream"])
def test_what_the_framework_decides_is_not_an_argument(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        validate_parameters({name: []})


def test_token_ids_may_be_numbers() -> None:
    assert validate_parameters({"logit_bias": {5: 1}}) == {"logit_bias": {"5": 1}}


class Person(BaseModel):
    """Somebody."""

    name: str


@pytest.mark.parametrize(
    "given", [Person, orjson.dumps(Person.model_json_schema()).decode(), Person.model_json_schema()]
)
def test_a_schema_may_be_a_class_or_text(given: Any) -> None:
    assert validate_parameters({"guided_json": given}) == {
        "guided_json": Person.model_json_schema()
    }


def test_a_pattern_may_be_compiled() -> None:
    assert validate_parameters({"guided_regex": re.compile("a+")}) == {"guided_regex": "a+"}


def test_what_the_caller_passed_is_not_changed() -> None:
    given = {"logit_bias": {5: 1}, "stop": ["x"], "guided_json": SCHEMA}
    before = orjson.dumps(given, option=orjson.OPT_NON_STR_KEYS)
    validate_parameters(given)
    assert orjson.dumps(given, option=orjson.OPT_NON_STR_KEYS) == before


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_parameters({"user": ["open-sesame"]})
    assert "open-sesame" not in str(caught.value)


def test_a_call_wins_over_the_instance() -> None:
    instance = {"temperature": 0.5, "seed": 7}
    assert merge_parameters(instance, {"temperature": 1.0}) == {"seed": 7, "temperature": 1.0}
    assert merge_parameters(instance, {"temperature": None}) == {"seed": 7}
    assert merge_parameters(instance, {}) == instance
    assert instance == {"temperature": 0.5, "seed": 7}


def test_a_pattern_is_sent_as_the_server_compiles_it() -> None:
    assert validate_parameters({"guided_regex": r"^\d{2}$"}) == {"guided_regex": r"\d{2}"}
    with pytest.raises(InvalidRequestError, match="look-around"):
        validate_parameters({"guided_regex": r"(?=a)b"})
