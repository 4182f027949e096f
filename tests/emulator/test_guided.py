"""Answers within a constraint: they satisfy it, they end, and they say what the user spoke of."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ANA = "My friend Ana (34) lives in Lisbon."


def members(*required, **properties):
    return {"type": "object", "properties": properties, "required": list(required or properties)}


TEXT, INTEGER, NUMBER, TRUTH = ({"type": t} for t in ("string", "integer", "number", "boolean"))
PERSON = members(name=TEXT, age=INTEGER, city=TEXT)


SCALARS = st.sampled_from([TEXT, INTEGER, NUMBER, TRUTH, {"type": "null"}, {"enum": ["a", 1]}])
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(lambda p: members(**p)),
        st.builds(
            lambda s, n: {"type": "array", "items": s, "minItems": n}, inner, st.integers(0, 3)
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda several: {"anyOf": several}),
    ),
    max_leaves=6,
)


@given(SCHEMAS, st.text(st.characters(codec="utf-8"), max_size=60))
@settings(max_examples=60)
def test_every_answer_satisfies_its_schema_whatever_was_said(endpoint, schema, said):
    choice = endpoint.choice(said, guided_json=schema)
    assert choice["finish_reason"] == "stop"
    jsonschema.validate(json.loads(choice["message"]["content"]), schema)


@given(
    st.recursive(
        st.sampled_from(["a", "[0-9]", "x{2,5}", r"\d", r"\.", "(y|zz)"]),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map("".join),
            inner.map(lambda pattern: f"({pattern})*w"),
            inner.map(lambda pattern: f"({pattern})+"),
        ),
        max_leaves=6,
    )
)
@settings(max_examples=60)
def test_every_answer_matches_its_pattern_and_ends(endpoint, pattern):
    choice = endpoint.choice(guided_regex=pattern)
    assert choice["finish_reason"] == "stop"
    assert re.fullmatch(pattern, choice["message"]["content"])


JSON_OBJECT = {"response_format": {"type": "json_object"}}
RED = {"guided_choice": ["red", "blue"]}


@pytest.mark.parametrize(
    "said, fields, answer",
    [
        ("Is it red or blue? Blue!", RED, "blue"),
        ("No idea", RED, "red"),
        ("red", {**RED, "logit_bias": {str(ord("r")): -100}}, "blue"),
        ("red", {**RED, "logit_bias": {str(ord("x")): 100}}, "red"),
        ("red", {**RED, "min_tokens": 10}, "red"),
        ("Count to 4.", {"guided_regex": r"\d+(, \d+)*"}, "1, 2, 3, 4"),
        ("Call 555.", {"guided_regex": "[0-9]{3}"}, "555"),
        ("My friend Ana", {"guided_regex": "[A-Z][a-z]+"}, "Ana"),
        ("Repeat: 6 * 7 = 42", {"guided_grammar": 'start: /[0-9 *]+/ "= " /[0-9]+/'}, "6 * 7 = 42"),
        ("Say it", {"guided_grammar": '?start: yes | "no"\nyes: "yes" "!"+ -> sure\n'}, "no"),
        (ANA, {"guided_json": PERSON}, '{"name": "Ana", "age": 34, "city": "Lisbon"}'),
        (ANA, {"guided_json": json.dumps(members(b=TEXT, a=TEXT))}, '{"b": "Ana", "a": "Lisbon"}'),
        (
            ANA,
            {"guided_json": PERSON, "guided_whitespace_pattern": ""},
            '{"name":"Ana","age":34,"city":"Lisbon"}',
        ),
        (ANA, {"guided_json": PERSON, "max_tokens": 9}, '{"name": '),
        ("JSON with `name`: I am Ana", JSON_OBJECT, '{"name": "Ana"}'),
        ("Repeat: so be it", JSON_OBJECT, '{"answer": "so be it"}'),
    ],
)
def test_an_answer_says_what_it_can_within_a_constraint(endpoint, said, fields, answer):
    assert endpoint.content(said, **fields) == answer


@pytest.mark.parametrize("fields", [{"guided_grammar": 'start: "yes" /!+/'}, JSON_OBJECT])
def test_several_choices_of_a_grammar_break_each_other_off(endpoint, fields):
    choices = endpoint.answer("Repeat: yes!", n=2, **fields)["choices"]
    assert [choice["finish_reason"] for choice in choices] == ["stop", "stop"]
    assert [len(choice["message"]["content"]) for choice in choices] == [3, 2]


def test_log_probabilities_tell_what_a_constraint_forbids(endpoint):
    choice = endpoint.choice(guided_choice=["a"], logprobs=True, top_logprobs=2)
    top = choice["logprobs"]["content"][0]["top_logprobs"]
    assert [token["logprob"] for token in top] == [0.0, -9999.0]


def named(name, **parameters):
    function = {"name": name, **({"parameters": members(**parameters)} if parameters else {})}
    return {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": name}},
    }


@pytest.mark.parametrize(
    "said, fields, arguments",
    [
        ("What is the weather in Rome?", named("get_weather", city=TEXT), '{"city": "Rome"}'),
        ("add 2 and 3", named("add", a=INTEGER, b=INTEGER), '{"a": 2, "b": 3}'),
        ("Repeat: 5 o'clock", named("now"), "5 o'clock"),  # no parameters guide nothing
    ],
)
def test_a_named_tool_is_called(endpoint, said, fields, arguments):
    choice = endpoint.choice(said, **fields)
    (call,) = choice["message"]["tool_calls"]
    function = {"name": fields["tool_choice"]["function"]["name"], "arguments": arguments}
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "stop")
    assert call["id"].startswith("chatcmpl-tool-")
    assert call["function"] == function
    _, *chunks = endpoint.chunks(said, **fields)
    streamed = [chunk["choices"][0]["delta"]["tool_calls"][0]["function"] for chunk in chunks]
    assert {one["name"] for one in streamed} == {function["name"]}
    assert "".join(one["arguments"] for one in streamed) == arguments


@pytest.mark.parametrize(
    "schema, words",
    [
        ({"type": "object", "properties": {f"p{n}": TEXT for n in range(10)}}, "10 members"),
        (members(text={"type": "string", "maxLength": 4096}), "4096 characters"),
        ({"type": "object", "additionalProperties": {}}, "members of any kind"),
    ],
)
def test_a_schema_that_would_stop_the_server_is_refused_at_once(endpoint, schema, words):
    response = endpoint.ask(guided_json=schema)
    assert response.status_code == 501
    error = response.json()
    assert error["type"] == "NotImplementedError"
    assert "stand still for minutes" in error["message"]
    assert words in error["message"]


def test_nobody_else_waits_for_the_compiler():
    program = (
        "import sys, httpx\n"
        "from monster_emulator import Emulator\n"
        "with Emulator(api_key='') as emulator:\n"
        "    for fields in ({}, {'guided_choice': ['a']}):\n"
        "        messages = [{'role': 'user', 'content': 'hello'}]\n"
        "        body = {'model': emulator.model, 'messages': messages, **fields}\n"
        "        response = httpx.post(emulator.base_url + '/chat/completions', json=body)\n"
        "        print(response.status_code, 'llguidance' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.split() == ["200", "False", "200", "True"], run.stderr
