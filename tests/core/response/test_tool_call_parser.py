"""Calls are separated from the text while a response streams, however it is cut into pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monster_core.model_families import ToolFormat
from monster_core.request.tool_prompts import write_calls
from monster_core.response.tool_call_parser import ToolCallParser
from monster_core.response.types import ToolCallDelta
from tests.core.response.strategies import calls, few, json_objects, many, pieces_of, prose

NAMES = ["weather", "send_mail", "größe"]
FORMATS: list[ToolFormat] = ["llama", "hermes", "mistral"]
Calls = list[tuple[str, str]]


def read(pieces: Iterable[str], names: Sequence[str] = NAMES) -> tuple[str, Calls]:
    """Return the text and the calls, each with its name and its arguments' text."""
    reader = ToolCallParser(names)
    given = [*map(reader.feed, pieces), reader.flush()]
    found: Calls = []
    for delta in (delta for _, deltas in given for delta in deltas):
        if delta.name is not None:
            assert delta.index == len(found)
            found.append((delta.name, ""))
        name, arguments = found[delta.index]
        found[delta.index] = name, arguments + delta.arguments
    return "".join(text for text, _ in given), found


def parsed(found: Calls) -> list[tuple[str, Any]]:
    return [(name, json.loads(arguments)) for name, arguments in found]


WEATHER = '{"name": "weather", "parameters": {"city": "Rome"}}'
ROME = [("weather", '{"city": "Rome"}')]

call_like = st.lists(
    st.sampled_from(
        [
            *"{}[]:,;`<x1\\ \n",
            *(f'"{word}"' for word in ("name", "function", "type", "id", "x", "weather")),
            *('"parameters"', '"arguments"', '"input"', '"wea', '"nam', '"n\\u0061me"'),
            *("```", "```json", "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "<|python_tag|>"),
            *(
                "<|eom_id|>",
                "null",
                "Hello",
                WEATHER,
                '{"name": "weather"}',
                '{"name": "weather", ',
            ),
            '{"type": "function", "function": {"name": "weather", "arguments": {}}}',
        ]
    ),
    max_size=14,
).map("".join)


@many
@given(call_like, st.data())
def test_any_cut_gives_the_same_text_and_calls(text: str, data: st.DataObject) -> None:
    whole = read([text])
    assert read(data.draw(pieces_of(text))) == whole
    assert read(list(text)) == whole


@many
@example(" [TOOL_CALLS]{")
@given(call_like | prose)
def test_text_without_calls_comes_back_character_for_character(text: str) -> None:
    kept, found = read([text])
    if found:
        return
    assert text.endswith(kept)
    left_out = text[: len(text) - len(kept)]
    assert re.fullmatch(r"(\s*\[TOOL_CALLS\])*\s*", left_out)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        '  {"answer": 42}\n',
        '```json\n{"input": 1}\n```',
        '[{"parameters": {}}, {"input": 2}]',
        '<tool_call>{"x": 1}</tool_call>',
        '<tool_call>{""',
        '{"name": "weather"}',
        f"Let me look.\n{WEATHER}\nOne moment.",
        f"Let me look.\n```json\n{WEATHER}\n```\nOne moment.",
        f'{{"answer": {WEATHER}}}',
        f'{{"steps": [{WEATHER}, {WEATHER}]}}',
        "Use `{` and `}`, <b>bold</b> and [links](url).",
        '{"name": "weather", "type": "object", "parameters": {}}',
        '{"name": "weather", "tool": "hammer", "parameters": {}}',
        '{"name": "weather", "price": 3}',
        '{"name": "wea',
        '{"parameters": {"city": "Rome"}, "name": "wea',
    ],
)
def test_what_only_looks_like_a_call_stays_text(text: str) -> None:
    assert read([text]) == read(list(text)) == (text, [])


@pytest.mark.parametrize("tool_format", FORMATS)
@few
@given(calls(NAMES), st.data())
def test_written_calls_are_read_back_exactly(
    tool_format: ToolFormat, made: Any, data: st.DataObject
) -> None:
    written = write_calls(made, tool_format)
    text, found = read(data.draw(pieces_of(written)))
    assert found == [(call.name, call.arguments) for call in made]
    assert text == ""


WRAPPINGS = [
    ("", "; ", ""),
    ("", "\n", ""),
    ("[", ", ", "]"),
    ("```json\n", "\n```\n```json\n", "\n```"),
    ("```json\n[", ",\n ", "]\n```\n"),
    ("<|python_tag|>", "; ", "<|eom_id|>"),
    ("<tool_call>", "</tool_call><tool_call>", "</tool_call>"),
    ("[TOOL_CALLS] [", ", ", "]"),
    ("[TOOL_CALLS][", ",", "]"),
]


@many
@given(st.sampled_from(WRAPPINGS), st.lists(json_objects, min_size=1, max_size=3), st.data())
def test_calls_are_found_in_every_wrapping(
    wrapping: tuple[str, str, str], arguments: list[Any], data: st.DataObject
) -> None:
    before, between, after = wrapping
    key = data.draw(st.sampled_from(["parameters", "arguments", "args", "input"]))
    objects = [json.dumps({"name": "größe", key: value}) for value in arguments]
    text = f"{before}{between.join(objects)}{after}"
    kept, found = read(data.draw(pieces_of(text)))
    assert parsed(found) == [("größe", value) for value in arguments]
    assert kept == ""


@pytest.mark.parametrize(
    "call",
    [
        '{"name": "weather", "arguments": {"city": "Rome"}}',
        '{"parameters": {"city": "Rome"}, "name": "weather"}',
        '{"name": "weather", "parameters": "{\\"city\\": \\"Rome\\"}"}',
        '{"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}',
        '{"type": "function", "function": "weather", "parameters": {"city": "Rome"}}',
        '{"id": "call_1", "type": "function", "name": "weather", "input": {"city": "Rome"}}',
        '{"tool": "weather", "args": {"city": "Rome"}, "id": "1"}',
        '{"n\\u0061me": "we\\u0061ther", "parameters": {"city": "Rome"}}',
    ],
)
def test_every_shape_of_a_call_is_read(call: str) -> None:
    for pieces in ([call], list(call)):
        text, found = read(pieces)
        assert (text, parsed(found)) == ("", [("weather", {"city": "Rome"})])


@pytest.mark.parametrize("wrapped", [WEATHER, f"```json\n{WEATHER}\n```", f"<tool_call>{WEATHER}"])
def test_text_before_or_after_a_call_is_kept(wrapped: str) -> None:
    assert read([f"Let me look.\n{wrapped}\n"]) == ("Let me look.\n", [*ROME])
    assert read([f"{wrapped}\nOne moment."]) == ("One moment.", ROME)


def test_text_around_a_marked_call_is_kept() -> None:
    text = f"Let me look.\n<tool_call>{WEATHER}</tool_call>\nOne moment."
    assert read([text]) == ("Let me look.\nOne moment.", ROME)


def test_a_mark_before_text_is_dropped() -> None:
    assert read(["[TOOL_CALLS] I call nothing"]) == ("I call nothing", [])
    assert read(["[TOOL_CALLS]"]) == ("[TOOL_CALLS]", [])


def test_space_before_a_call_is_not_text() -> None:
    assert read(["\n\n", WEATHER]) == ("", ROME)


def test_a_name_alone_calls_a_tool_that_needs_no_arguments() -> None:
    parser = ToolCallParser(["clock"], {"clock": {"type": "object", "properties": {}}})
    assert parser.feed('{"name": "clock"}') == ("", [ToolCallDelta(0, None, "clock", "{}")])
    assert read(['<tool_call>{"name": "weather"}']) == ("", [("weather", "{}")])


def test_an_unknown_name_is_a_call_where_it_stands_alone_or_behind_a_mark() -> None:
    hammer = '{"name": "hammer", "parameters": {}}'
    assert read([hammer]) == ("", [("hammer", "{}")])
    for text in (f"Here: {hammer}", f"{hammer}\nis a call."):
        assert read([text]) == (text, [])
    for mark in ("<tool_call>", "[TOOL_CALLS] [", "<|python_tag|>", "<tool_call>\n```json\n"):
        assert read([mark, hammer]) == ("", [("hammer", "{}")])


@pytest.mark.parametrize("end", range(len('{"name": "weather"'), len(WEATHER) - 2))
def test_a_call_that_is_cut_short_never_has_usable_arguments(end: int) -> None:
    _, found = read([WEATHER[:end]])
    assert [name for name, _ in found] == ["weather"]
    with pytest.raises(ValueError, match=r".*"):
        json.loads(found[0][1])


@pytest.mark.parametrize("first", ['"Rome"', '"add", "name": "weather"', "null", "[1]"])
def test_arguments_that_come_twice_are_the_last_ones(first: str) -> None:
    call = f'{{"name": "weather", "parameters": {first}, "parameters": {{"city": "Rome"}}}}'
    for pieces in ([call], [*call]):
        assert parsed(read(pieces)[1]) == [("weather", {"city": "Rome"})]


@pytest.mark.parametrize("behind", ["\n</tool_call>", "\nOne moment.", "; ", "]"])
def test_a_forgotten_closing_brace_swallows_nothing(behind: str) -> None:
    text, found = read(list(f"<tool_call>{WEATHER[:-1]}{behind}{WEATHER}"))
    assert parsed(found) == parsed(ROME * 2)
    assert text == ("One moment." if "One" in behind else "")


@many
@given(st.text("ab <{[`\n", max_size=60))
def test_text_flows_at_once(text: str) -> None:
    reader = ToolCallParser(NAMES)
    given, fed = "", ""
    for character in text:
        given += reader.feed(character)[0]
        fed += character
        # held back: leading space, and from an opener on only openers and space; the word that
        # is a fence's language or the name of a key
        held = fed[len(given) :].lstrip()
        is_key = given.rstrip().endswith("{") and held.strip().isalpha()
        assert is_key or re.fullmatch(r"[<{[`\s]*(?:(?<=```)[ab]+)?\s*", held)


def test_no_more_than_a_long_header_is_held_back() -> None:
    for start in ('{"id": "', "{", "<tool_call>", "[", '<tool_call>{"'):
        reader = ToolCallParser(NAMES)
        fed = start + ("x" if start.endswith('"') else " ") * 1500
        given = "".join(reader.feed(character)[0] for character in fed)
        assert len(fed) - len(given) <= 1000


def test_arguments_flow_at_once() -> None:
    reader = ToolCallParser(NAMES)
    reader.feed('{"name": "weather", "parameters": ')
    for piece in ('{"city":', ' "Ro', "me", '"}'):
        assert "".join(delta.arguments for delta in reader.feed(piece)[1]) == piece


HOSTILE = [
    *("{", "}", "[", "`", "<", '"', "\\", " ", "[{", "{}", '{"', '\\"', "```json\n{"),
    *("<tool_call>", "[TOOL_CALLS] [{", '{"name": "weather", ', '{"id": "', '{"input": '),
    *("[a", ">>>", "{{", "functools[", "<think>", "<function=", "<function=weather>", "<t"),
    *(
        "<parameter=x>",
        "\nAction: weather",
        "[weather(",
        "weather.call(",
        "// ",
        "'",
        "</tool_call>",
    ),
    *('{"function": ', '{"name": "weather"}', WEATHER, '{"parameters": "'),
]


def test_hostile_text_is_not_an_error() -> None:
    for unit in HOSTILE:
        text = unit * (1500 // len(unit))
        whole = read([text])
        assert read(list(text)) == whole, unit
        assert whole[1] or whole[0] in (text, text.removeprefix("[TOOL_CALLS] ")), unit


@pytest.mark.clock
def test_a_megabyte_is_read_in_linear_time() -> None:
    began = process_time()
    quotes = '{"name": "weather", "parameters": ' + '"' * 2**18
    assert [name for name, _ in read([quotes])[1]] == ["weather"]
    for text in ('{"input": ' + "{" * 2**20, '<tool_call>{"' + '\\"' * 2**19, " " * 2**20):
        assert read([text]) == (text, [])
    assert process_time() - began < 3, "it takes about 0.3 s"


@pytest.mark.clock
@pytest.mark.parametrize("start", ["{", "[", "<tool_call>", '{"id": "a', '<tool_call>{"a', "```"])
def test_an_endless_beginning_is_read_in_linear_time(start: str) -> None:
    filling = "a" if start.endswith("a") else " "
    began = process_time()
    text, found = read([start, *[filling] * 20_000])
    assert process_time() - began < 1.5, "it takes about 0.2 s; it took four when it was quadratic"
    assert (text, found) == (start + filling * 20_000, [])


@pytest.mark.parametrize("depth", [300, 2000])
def test_deeply_nested_arguments_are_not_an_error(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    held = f'{{"parameters": {{"x": {nested}}}, "name": "weather"}}'
    assert read([held]) == (held, [])
    streamed = f'{{"name": "weather", "parameters": {{"x": {nested}}}}}'
    assert read([streamed]) == ("", [("weather", f'{{"x": {nested}}}')])


def test_an_answer_may_end_twice() -> None:
    reader = ToolCallParser(NAMES)
    reader.feed("  ")
    assert reader.flush() == ("  ", [])
    assert reader.flush() == ("", [])
