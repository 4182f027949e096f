"""What is answered without a script: by fixed rules, and from what clients write into the text."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monster_emulator._conversation import Turn
from monster_emulator._rules import reply

TEXT, INTEGER = {"type": "string"}, {"type": "integer"}
NULL = {"type": "null"}


def members(*required, **properties):
    names = list(required or properties)
    return {"type": "object", "properties": properties, "required": names}


WEATHER = {
    "name": "get_weather",
    "description": "Look up the weather in a city.",
    "parameters": members("city", city=TEXT, unit={"enum": ["celsius", "kelvin"]}),
}
ADD = {"name": "add", "description": "Add.", "parameters": members(a=INTEGER, b=INTEGER)}
DEFINITIONS = "\n\n".join(json.dumps({"type": "function", "function": f}) for f in (WEATHER, ADD))
LLAMA = f'You can call:\n\n{DEFINITIONS}\n\nAnswer with {{"name": name, "parameters": arguments}}.'
HERMES = f"<tools>\n{DEFINITIONS}\n</tools>\n\nAnswer inside <tool_call></tool_call> tags."
MISTRAL = f"{DEFINITIONS}\n\nAnswer with [TOOL_CALLS] and an array."
ROME = '{"city": "Rome"}'


def said(*turns: tuple[str, str]) -> str:
    return reply([Turn(role, content) for role, content in turns])


@pytest.mark.parametrize(
    "text, answer",
    [
        ("count to 4", "1, 2, 3, 4"),
        ("Please count from 3 up to 5.", "3, 4, 5"),
        ("Repeat after me: so be it", "so be it"),
        ("On 2024-05-06 it rained", "You said: On 2024-05-06 it rained"),
        ("", "You said: "),
        ('What is {"a": 1} and {b?', 'You said: What is {"a": 1} and {b?'),
    ],
)
def test_plain_texts(text, answer):
    assert said(("user", text)) == answer


def test_counting_ends_somewhere():
    assert said(("user", "count to 999999999")).endswith(" 1000")


def test_choices_of_one_request_differ():
    turns = [Turn("user", "tea")]
    assert [reply(turns, choice) for choice in range(2)] == ["You said: tea", "You said: tea (2)"]


@given(st.text(st.characters(categories=["Lo", "Nd", "Zs"])))
def test_what_no_rule_knows_is_said_back(text):
    assume(text.strip())
    assert said(("user", text)) == f"You said: {text}"


@pytest.mark.parametrize(
    "instructions, call",
    [
        (LLAMA, f'{{"name": "get_weather", "parameters": {ROME}}}'),
        (
            HERMES,
            f'<tool_call>\n{{"name": "get_weather", "arguments": {ROME}}}\n</tool_call>',
        ),
        (MISTRAL, f'[TOOL_CALLS] [{{"name": "get_weather", "arguments": {ROME}}}]'),
    ],
    ids=["llama", "hermes", "mistral"],
)
def test_a_call_is_written_as_the_conversation_asks(instructions, call):
    question = "What is the weather in Rome?"
    assert said(("system", instructions), ("user", question)) == call
    assert said(("user", f"{instructions}\n\n{question}")) == call


@pytest.mark.parametrize(
    "question, call",
    [
        ("And what is the weather in Oslo?", ("get_weather", {"city": "Oslo"})),
        ("Please add 2 and 3.", ("add", {"a": 2, "b": 3})),
        ("Get me some tea.", None),
        ("What is my name?", None),
        ("Say weather", None),
    ],
)
def test_a_function_whose_name_the_question_mentions_is_called(question, call):
    answer = said(("system", LLAMA), ("user", question))
    if call is None:
        assert answer == said(("user", question)) == said(("user", f"{LLAMA}\n\n{question}"))
    else:
        assert json.loads(answer) == dict(zip(("name", "parameters"), call, strict=True))


@pytest.mark.parametrize(
    "results, answer",
    [
        ([("tool", "22 degrees.")], "The result is 22 degrees."),
        ([("ipython", "say 22")], "The result is say 22."),
        ([("user", f"Result of get_weather({ROME}): 22")], "The result is 22."),
        ([("tool", "Result of an earlier function call: 22")], "The result is 22."),
        (
            [("user", '<tool_response>\n{"name": "f", "content": "22"}\n</tool_response>')],
            "The result is 22.",
        ),
        ([("tool", "22"), ("tool", "18")], "The results are 22 and 18."),
    ],
)
def test_results_are_given_back(results, answer):
    call = ("assistant", f'{{"name": "get_weather", "parameters": {ROME}}}')
    question = ("user", "What is the weather in Rome?")
    assert said(("system", LLAMA), question, call, *results) == answer


@pytest.mark.parametrize(
    "question, schema, instance",
    [
        ("first 4, then -5.5", members(a=INTEGER, b={"type": "number"}), {"a": 4, "b": -5.5}),
        (
            "My friend Ana is in New York.",
            members(a=TEXT, b=TEXT),
            {"a": "Ana", "b": "New York"},
        ),
        ('I love "war and peace".', members(title=TEXT), {"title": "war and peace"}),
        ("the price of tea", members(query=TEXT), {"query": "the price of tea"}),
        ("Is it calm? It is urgent", members(a={"enum": ["urgent", "calm"]}), {"a": "urgent"}),
        ("I am Ana", members("a", a=TEXT, b=INTEGER), {"a": "Ana"}),
        ("I am Ana", members(a={"anyOf": [INTEGER, NULL]}), {"a": None}),
        ("calm", members(a={"anyOf": [{"enum": ["calm"]}, NULL]}), {"a": "calm"}),
        ("well", members(a={"anyOf": [{"enum": ["calm"]}, NULL]}), {"a": None}),
        ("Tea!", {"oneOf": [members(name={"const": c}) for c in ("ale", "tea")]}, {"name": "tea"}),
        ("Add Red, Green", members(a={"type": "array", "items": TEXT}), {"a": ["Red", "Green"]}),
        ("one of 3", members(a={"$ref": "#/$defs/A"}) | {"$defs": {"A": INTEGER}}, {"a": 3}),
        ("today", members(day={"type": "string", "format": "date"}), {"day": "2024-05-17"}),
    ],
)
def test_a_schema_in_the_conversation_is_filled_with_names_and_numbers(question, schema, instance):
    instructions = f"Answer with JSON that satisfies this JSON schema:\n\n{json.dumps(schema)}"
    assert json.loads(said(("system", instructions), ("user", question))) == instance
    assert json.loads(said(("user", f"{instructions}\n\n{question}"))) == instance
    jsonschema.validate(instance, schema)
