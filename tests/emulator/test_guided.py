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


def test_members_come_in_the_order_of_the_schema(endpoint):
    schema = members(z=INTEGER, a=INTEGER, m=INTEGER)
    assert list(json.loads(endpoint.content(guided_json=schema))) == ["z", "a", "m"]


def test_a_schema_may_be_a_text(endpoint):
    assert endpoint.content(ANA, guided_json=json.dumps(PERSON)) == endpoint.content(
        ANA, guided_json=PERSON
    )


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


@pytest.mark.parametrize(
    "said, fields, answer",
    [
        ("Is it red or blue? Blue!", {"guided_choice": ["red", "blue"]}, "Blue".lower()),
        ("No idea", {"guided_choice": ["red", "blue"]}, "red"),
        ("Count to 4.", {"guided_regex": r"\d+(, \d+)*"}, "1, 2, 3, 4"),
        ("Call 555.", {"guided_regex": "[0-9]{3}"}, "555"),
        ("My friend Ana", {"guided_regex": "[A-Z][a-z]+"}, "Ana"),
        ("Repeat: 6 * 7 = 42", {"guided_grammar": 'start: /[0-9 *]+/ "= " /[0-9]+/'}, "6 * 7 = 42"),
        ("Say it", {"guided_grammar": '?start: yes | "no"\nyes: "yes" "!"+ -> sure\n'}, "no"),
        (
            "JSON with `name`: I am Ana",
            {"response_format": {"type": "json_object"}},
            '{"name": "Ana"}',
        ),
    ],
)
def test_choices_patterns_and_grammars(endpoint, said, fields, answer):
    assert endpoint.content(said, **fields) == answer


def test_a_json_object_without_more_holds_the_plain_answer(endpoint):
    answer = endpoint.content("Repeat: so be it", response_format={"type": "json_object"})
    assert json.loads(answer) == {"answer": "so be it"}


@pytest.mark.parametrize(
    "fields",
    [{"guided_grammar": 'start: "yes" /!+/'}, {"response_format": {"type": "json_object"}}],
    ids=["grammar", "json object"],
)
def test_several_choices_of_a_grammar_break_each_other_off(endpoint, fields):
    choices = endpoint.answer("Repeat: yes!", n=2, **fields)["choices"]
    assert [choice["finish_reason"] for choice in choices] == ["stop", "stop"]
    assert [len(choice["message"]["content"]) for choice in choices] == [3, 2]


def test_white_space_is_the_pattern_that_is_asked_for(endpoint):
    answer = endpoint.content(ANA, guided_json=PERSON, guided_whitespace_pattern="")
    assert answer == '{"name":"Ana","age":34,"city":"Lisbon"}'


def test_an_answer_may_be_cut_anywhere(endpoint):
    choice = endpoint.choice(ANA, guided_json=PERSON, max_tokens=9)
    assert (choice["message"]["content"], choice["finish_reason"]) == ('{"name": ', "length")


def test_a_bias_against_a_wanted_token_leads_another_way(endpoint):
    fields = {"guided_choice": ["red", "blue"]}
    assert endpoint.content("red", **fields) == "red"
    assert endpoint.content("red", **fields, logit_bias={str(ord("r")): -100}) == "blue"


def test_a_constraint_is_stronger_than_min_tokens(endpoint):
    choice = endpoint.choice(guided_choice=["red"], min_tokens=10)
    assert (choice["message"]["content"], choice["finish_reason"]) == ("red", "stop")


def test_no_bias_leads_out_of_a_constraint(endpoint):
    assert endpoint.content(guided_choice=["red"], logit_bias={str(ord("x")): 100}) == "red"


def test_log_probabilities_tell_what_a_constraint_forbids(endpoint):
    choice = endpoint.choice(guided_choice=["a"], logprobs=True, top_logprobs=2)
    top = choice["logprobs"]["content"][0]["top_logprobs"]
    assert [token["logprob"] for token in top] == [0.0, -9999.0]


TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "parameters": members(city=TEXT)}},
    {"type": "function", "function": {"name": "add", "parameters": members(a=INTEGER, b=INTEGER)}},
]


def named(name):
    return {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": name}}}


def test_a_named_tool_is_called(endpoint):
    choice = endpoint.choice("What is the weather in Rome?", **named("get_weather"))
    assert choice["message"]["content"] == ""
    (call,) = choice["message"]["tool_calls"]
    assert call["id"].startswith("chatcmpl-tool-")
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Rome"}'}
    assert choice["finish_reason"] == "stop"


def test_a_named_tool_is_streamed_with_its_name_in_every_token(endpoint):
    first, *chunks = endpoint.chunks("add 2 and 3", **named("add"))
    assert first["choices"][0]["delta"] == {"role": "assistant"}
    functions = [chunk["choices"][0]["delta"]["tool_calls"][0] for chunk in chunks]
    assert {frozenset(function) for function in functions} == {frozenset({"function"})}
    assert {function["function"]["name"] for function in functions} == {"add"}
    arguments = "".join(function["function"]["arguments"] for function in functions)
    assert arguments == '{"a": 2, "b": 3}'


def test_a_tool_that_has_no_parameters_guides_nothing(endpoint):
    tools = [{"type": "function", "function": {"name": "now"}}]
    fields = {"tools": tools, "tool_choice": {"type": "function", "function": {"name": "now"}}}
    (call,) = endpoint.choice(**fields)["message"]["tool_calls"]
    assert call["function"]["arguments"] == endpoint.content()


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
        "import sys, json, urllib.request\n"
        "from monster_emulator import Emulator\n"
        "def ask(emulator, **fields):\n"
        "    messages = [{'role': 'user', 'content': 'hello'}]\n"
        "    body = {'model': emulator.model, 'messages': messages, **fields}\n"
        "    headers = {'Authorization': 'Bearer ' + emulator.api_key}\n"
        "    headers['Content-Type'] = 'application/json'\n"
        "    url = emulator.base_url + '/chat/completions'\n"
        "    request = urllib.request.Request(url, json.dumps(body).encode(), headers)\n"
        "    urllib.request.urlopen(request).read()\n"
        "    return 'llguidance' in sys.modules\n"
        "with Emulator() as emulator:\n"
        "    print(ask(emulator), ask(emulator, guided_choice=['a']))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "False True", run.stderr
