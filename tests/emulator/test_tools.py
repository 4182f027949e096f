"""The emulator's answers to a client that writes tools into the conversation."""

from __future__ import annotations

import json

import pytest

from monster_emulator._brain import reply
from monster_emulator._messages import Turn

WEATHER = {
    "name": "get_weather",
    "description": "Look up the weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}},
        "required": ["city"],
    },
}
ADD = {
    "name": "add",
    "description": "Add two numbers.",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
}
TOLD = "\n\n".join(json.dumps({"type": "function", "function": f}) for f in (WEATHER, ADD))
LLAMA = f'You have access to:\n\n{TOLD}\n\nAnswer with {{"name": name, "parameters": arguments}}.'
HERMES = f"<tools>\n{TOLD}\n</tools>\n\nAnswer inside <tool_call></tool_call> tags."
MISTRAL = f"{TOLD}\n\nAnswer with [TOOL_CALLS] and an array."


def said(*turns):
    return reply([Turn(role, content) for role, content in turns])


@pytest.mark.parametrize(
    "told, call",
    [
        (LLAMA, '{"name": "get_weather", "parameters": {"city": "Rome"}}'),
        (
            HERMES,
            '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>',
        ),
        (MISTRAL, '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Rome"}}]'),
    ],
    ids=["llama", "hermes", "mistral"],
)
def test_a_call_is_written_as_the_conversation_asks(told, call):
    assert said(("system", told), ("user", "What is the weather in Rome?")) == call
    assert said(("user", f"{told}\n\nWhat is the weather in Rome?")) == call


@pytest.mark.parametrize(
    "question, name, arguments",
    [
        ("And what is the weather in Oslo?", "get_weather", {"city": "Oslo"}),
        ("Will it be 20 degrees? weather of Malmö, in kelvin", "get_weather", None),
        ("What is 2 + 3?", "add", {"a": 2, "b": 3}),
        ("What is the sum of 4 and 5?", "add", {"a": 4, "b": 5}),
        ("Add two and three", "add", {"a": 2, "b": 3}),
    ],
)
def test_the_function_that_fits_is_called_with_what_was_said(question, name, arguments):
    call = json.loads(said(("system", LLAMA), ("user", question)))
    expected = arguments or {"city": "Malmö", "unit": "kelvin"}
    assert call == {"name": name, "parameters": expected}


@pytest.mark.parametrize("question", ["Hello!", "Tell me a joke.", "What is my name?"])
def test_a_question_that_needs_no_function_is_answered_as_ever(question):
    assert said(("system", LLAMA), ("user", question)) == said(("user", question))
    assert said(("user", f"{LLAMA}\n\n{question}")) == said(("user", question))


def test_what_is_to_be_repeated_is_repeated_beside_functions_too():
    assert said(("system", LLAMA), ("user", "Say weather")) == "weather"
    assert said(("user", "And?"), ("tool", "say weather")) == "The result is say weather."


def test_a_function_is_called_where_one_must_be():
    must = f"{LLAMA}\nAnswer with a function call now, and with nothing else."
    assert json.loads(said(("system", must), ("user", "Hello!")))["name"] == "get_weather"


@pytest.mark.parametrize(
    "result",
    [
        ("tool", "22 degrees"),
        ("ipython", "22 degrees"),
        ("user", 'Result of get_weather({"city": "Rome"}): 22 degrees'),
        ("tool", "Result of an earlier function call: 22 degrees"),
        ("user", '<tool_response>\n{"name": "f", "content": "22 degrees"}\n</tool_response>'),
    ],
)
def test_a_result_gets_a_sentence(result):
    call = ("assistant", '{"name": "get_weather", "parameters": {"city": "Rome"}}')
    question = ("user", "What is the weather in Rome?")
    assert said(("system", LLAMA), question, call, result) == "The result is 22 degrees."


def test_several_results_get_one_sentence():
    results = [("tool", "22 degrees"), ("tool", "18 degrees")]
    assert said(("user", "And?"), *results) == "The results are 22 degrees and 18 degrees."


def test_a_schema_in_the_conversation_gets_an_instance():
    schema = json.dumps({"type": "object", "properties": ADD["parameters"]["properties"]})
    told = f"Answer with only JSON that satisfies this JSON schema:\n\n{schema}"
    assert said(("system", told), ("user", "first 4, then 5")) == '{"a": 4, "b": 5}'
    assert said(("user", f"{told}\n\nfirst 4, then 5")) == '{"a": 4, "b": 5}'


def test_text_in_braces_is_not_a_function():
    assert said(("user", 'What is {"a": 1} and {b?')) == 'You said: What is {"a": 1} and {b?'
