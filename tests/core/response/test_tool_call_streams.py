"""The calls of a stream are those of the full answer, whatever dialect the server speaks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.json_schema import lower
from monster_core.request.tools import ToolChoice, ToolDefinition, tools_part
from monster_core.response.pipeline import ResponseStream, parse_response
from monster_core.response.types import Chunk, ResponseSpec, ToolCall
from tests.core.response.strategies import few, json_objects, pieces_of

NAMES = frozenset({"weather", "send_mail"})
SPEC = ResponseSpec(NAMES)
OPTIONAL = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "additionalProperties": False,
}

GUIDED = ResponseSpec(schema=lower(OPTIONAL))


def event(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, **more}
    return json.dumps({"id": "cmpl-7", "model": "m", "choices": [choice]}).encode()


def texts(*pieces: str) -> list[dict[str, Any]]:
    return [{"content": piece} for piece in pieces]


def named(name: str, *pieces: str) -> list[dict[str, Any]]:
    """Return the deltas of a forced tool as vLLM 0.5.0 writes them."""
    return [{"tool_calls": [{"function": {"name": name, "arguments": at}}]} for at in pieces]


def today(index: int, arguments: str, **first: Any) -> dict[str, Any]:
    """Return a delta as OpenAI and today's vLLM write them."""
    function = {"arguments": arguments, **({"name": first.pop("name")} if first else {})}
    return {"index": index, "function": function, **first}


def chunks_of(
    deltas: Iterable[dict[str, Any]], stream: ResponseStream, finish_reason: str = "stop"
) -> list[Chunk]:
    events = [event({"role": "assistant"}), *map(event, deltas), event({}, finish_reason)]
    chunks = [stream.feed(data) for data in [*events, b"[DONE]"]]
    return [*(chunk for chunk in chunks if chunk is not None), stream.end()]


def assembled(chunks: Iterable[Chunk]) -> tuple[str, list[ToolCall]]:
    """Add up chunks as the frameworks do: a call's id and name stand on its first piece only."""
    calls: list[ToolCall] = []
    text = ""
    for chunk in chunks:
        text += chunk.text
        indexes = [delta.index for delta in chunk.tool_calls or ()]
        assert len(set(indexes)) == len(indexes), "one piece a call in a chunk"
        for delta in chunk.tool_calls or ():
            if delta.index == len(calls):
                assert delta.id
                assert delta.name is not None
                calls.append(ToolCall(delta.id, delta.name, ""))
            else:
                assert (delta.id, delta.name) == (None, None)
            calls[delta.index].arguments += delta.arguments
        for index, call in (chunk.finished_calls or {}).items():
            none = "" if call.problem else "{}"
            assert call.arguments == (calls[index].arguments or none)
            calls[index] = call
    return text, calls


def alike(text_and_calls: tuple[str, list[ToolCall]]) -> tuple[str, list[ToolCall]]:
    """Leave the calls' ids out: those that the server does not name are random."""
    text, calls = text_and_calls
    return text, [replace(call, id="") for call in calls]


def full(
    text: str, spec: ResponseSpec = SPEC, finish_reason: str = "stop"
) -> tuple[str, list[ToolCall]]:
    choice = {"index": 0, "message": {"content": text}, "finish_reason": finish_reason}
    body = json.dumps({"id": "cmpl-7", "choices": [choice]}).encode()
    read = parse_response(body, spec).choices[0]
    return read.text, read.tool_calls


call_texts = st.builds(
    lambda name, arguments: json.dumps({"name": name, "parameters": arguments}),
    st.sampled_from([*NAMES, "hammer"]),
    json_objects,
)


@few
@given(
    st.lists(
        call_texts | st.sampled_from(["Hello. ", "\n", "<tool_call>", '{"x": 1}']), max_size=4
    ),
    st.data(),
)
def test_a_stream_brings_what_the_full_answer_brings(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    text = text[: data.draw(st.integers(0, len(text)) | st.just(len(text)))]
    chunks = chunks_of(texts(*data.draw(pieces_of(text))), ResponseStream(SPEC))
    assert alike(assembled(chunks)) == alike(full(text))


SENT = today(0, '{"city": "Rome"}', id="abc", name="weather")
SENT_WITHOUT_AN_ID = {key: value for key, value in SENT.items() if key not in ("id", "index")}
TOLD = '{"name": "send_mail", "parameters": {}}'


@pytest.mark.parametrize("sent", [SENT, SENT_WITHOUT_AN_ID], ids=["id", "no-id"])
@pytest.mark.parametrize("is_sent_first", [True, False], ids=["sent-first", "text-first"])
def test_calls_that_are_sent_and_calls_in_the_text_are_kept_apart(
    sent: dict[str, Any], is_sent_first: bool
) -> None:
    in_order = 1 if is_sent_first else -1
    deltas = [{"tool_calls": [sent]}, *texts(TOLD[:9], TOLD[9:])]
    if not is_sent_first:
        deltas = [*deltas[1:], deltas[0]]
    text, calls = assembled(chunks_of(deltas, ResponseStream(SPEC)))
    names_and_arguments = [(call.name, call.arguments) for call in calls]
    expected = [("weather", '{"city": "Rome"}'), ("send_mail", "{}")]
    assert (text, names_and_arguments) == ("", expected[::in_order])
    assert len({call.id for call in calls}) == 2


def test_a_full_answer_may_send_calls_and_tell_others() -> None:
    message = {"content": TOLD, "tool_calls": [SENT_WITHOUT_AN_ID]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = json.dumps({"id": "cmpl-7", "choices": [choice]}).encode()
    calls = parse_response(body, SPEC).choices[0].tool_calls
    assert [call.name for call in calls] == ["weather", "send_mail"]
    assert len({call.id for call in calls}) == 2


@pytest.mark.parametrize("pieces", [1, 3, 200])
def test_a_large_integer_keeps_its_digits(pieces: int) -> None:
    wei = 12345678901234567890123
    written = json.dumps({"name": "weather", "parameters": {"days": wei}})
    step = -(-len(written) // pieces)
    parts = [written[at : at + step] for at in range(0, len(written), step)]
    spec = forced("guided", weather=OPTIONAL)
    for stream in (ResponseStream(SPEC), ResponseStream(spec)):
        _, [call] = assembled(chunks_of(texts(*parts), stream))
        assert json.loads(call.arguments) == {"days": wei}
    assert json.loads(full(written, spec)[1][0].arguments) == {"days": wei}


def forced(strategy: Any = None, **tools: Any) -> ResponseSpec:
    definitions = [ToolDefinition(name, "", schema) for name, schema in tools.items()]
    choice = ToolChoice("named", *tools) if len(tools) == 1 else ToolChoice("any")
    part = tools_part(definitions, choice, "llama", is_parallel=True, strategy=strategy)
    return part.spec


@few
@given(
    st.fixed_dictionaries(
        {"city": st.none() | st.text(max_size=5), "days": st.none() | st.integers(0, 9)}
    ),
    st.data(),
)
def test_nulls_of_absent_arguments_are_dropped_alike(arguments: Any, data: st.DataObject) -> None:
    spec = forced("guided", weather=OPTIONAL, send_mail=OPTIONAL)
    text = json.dumps([{"name": "weather", "parameters": arguments}] * 2)
    pieces = texts(*data.draw(pieces_of(text)))
    text_left, calls = assembled(chunks_of(pieces, ResponseStream(spec)))
    given = {name: value for name, value in arguments.items() if value is not None}
    assert [json.loads(call.arguments) for call in calls] == [given] * 2
    expected, whole = full(text, spec)
    assert (text_left, len(calls)) == (expected, len(whole))
    assert [json.loads(call.arguments) for call in whole] == [given] * 2


def test_a_forced_tool_of_vllm_0_5_has_one_id_and_its_name_once() -> None:
    deltas = named("weather", "", '{"ci', 'ty": "Rome"', "", "}")
    for stream in (ResponseStream(ResponseSpec()), ResponseStream(SPEC)):
        text, calls = assembled(chunks_of(deltas, stream))
        assert calls[0].id.startswith("call_")
        assert alike((text, calls)) == ("", [ToolCall("", "weather", '{"city": "Rome"}')])


def test_a_forced_tool_drops_the_nulls_of_absent_arguments() -> None:
    spec = forced(weather=OPTIONAL)
    deltas = named("weather", '{"city": "Rome", "days":', " nu", "ll", "}")
    _, calls = assembled(chunks_of(deltas, ResponseStream(spec)))
    assert json.loads(calls[0].arguments) == {"city": "Rome"}


def test_todays_interleaved_deltas_are_kept_apart() -> None:
    deltas = [
        {"tool_calls": [today(0, "", id="a", name="weather"), today(1, "", id="b", name="mail")]},
        {"tool_calls": [today(1, '{"x"')]},
        {"tool_calls": [today(0, "{"), today(1, ": 1}")]},
        {"content": None, "tool_calls": [today(0, "}")]},
    ]
    for stream in (ResponseStream(ResponseSpec()), ResponseStream(SPEC)):
        _, calls = assembled(chunks_of(deltas, stream))
        assert calls == [ToolCall("a", "weather", "{}"), ToolCall("b", "mail", '{"x": 1}')]


def test_arguments_sent_as_an_object_become_text() -> None:
    call = {"id": "a", "function": {"name": "weather", "arguments": {"city": "Rome"}}}
    _, streamed = assembled(chunks_of([{"tool_calls": [call]}], ResponseStream(ResponseSpec())))
    body = {"choices": [{"message": {"content": None, "tool_calls": [call]}}]}
    assert streamed == parse_response(json.dumps(body).encode(), SPEC).choices[0].tool_calls
    assert streamed[0].arguments == '{"city":"Rome"}'


def sent(arguments: Any, finish_reason: str = "stop") -> ToolCall:
    """Return the call of a whole response that the server sends as a call."""
    call = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    choice = {"index": 0, "message": {"content": "", "tool_calls": [call]}}
    choice["finish_reason"] = finish_reason
    body = json.dumps({"id": "cmpl-7", "choices": [choice]}).encode()
    return parse_response(body, SPEC).choices[0].tool_calls[0]


def sent_in_pieces(pieces: Iterable[str], finish_reason: str = "stop") -> ToolCall:
    first = today(0, "", name="weather", id="a")
    deltas = [{"tool_calls": [one]} for one in [first, *(today(0, piece) for piece in pieces)]]
    _, [call] = assembled(chunks_of(deltas, ResponseStream(SPEC), finish_reason))
    return call


def test_calls_of_one_id_get_ids_of_their_own() -> None:
    functions = [{"name": name, "arguments": "{}"} for name in ("weather", "send_mail", "weather")]
    calls = [{"id": "a", "type": "function", "function": function} for function in functions]
    choice = {"index": 0, "message": {"tool_calls": calls}, "finish_reason": "tool_calls"}
    whole = parse_response(json.dumps({"choices": [choice]}).encode(), SPEC).choices[0].tool_calls
    deltas = [{"tool_calls": [{"index": place, **call}]} for place, call in enumerate(calls)]
    _, streamed = assembled(chunks_of(deltas, ResponseStream(SPEC)))
    for found in (whole, streamed):
        assert [call.name for call in found] == ["weather", "send_mail", "weather"]
        assert found[0].id == "a"
        assert len({call.id for call in found}) == 3


@pytest.mark.parametrize("text", ["", "null", "[]", '""', '"null"', " null\n", "\n[]", "{}"])
def test_what_means_no_arguments_is_an_empty_object(text: str) -> None:
    for call in (sent(text), sent_in_pieces([text]), sent_in_pieces(text)):
        assert (call.arguments.strip(), call.problem) == ("{}", None)


@pytest.mark.parametrize(
    "text", ['"nu', "nul", "[", "nullify", "[1]", '"a"', "[{}]", "0", "false", "NaN", '"nully"']
)
def test_what_only_begins_so_is_not(text: str) -> None:
    whole = sent(text)
    for call in (whole, sent_in_pieces([text]), sent_in_pieces(text)):
        assert (call.arguments, call.problem) == (text, whole.problem)
        assert call.problem is not None


def test_a_beginning_that_may_mean_none_is_given_once_it_does_not() -> None:
    for text in (' \n{"city": "Rome"}', '{"city": null}'):
        call = sent_in_pieces(text)
        assert (call.arguments, call.problem) == (text, None)


def test_no_arguments_that_max_tokens_cut_are_cut() -> None:
    for text in ("", "nul", "["):
        for call in (sent(text, "length"), sent_in_pieces(text, "length")):
            assert "max_tokens" in (call.problem or "")


def test_several_calls_may_come_in_one_piece() -> None:
    text = '{"name": "weather", "parameters": {}}; {"name": "send_mail", "parameters": {"x": 1}}'
    chunks = chunks_of(texts(text), ResponseStream(SPEC))
    assert alike(assembled(chunks))[1] == [
        ToolCall("", "weather", "{}"),
        ToolCall("", "send_mail", '{"x": 1}'),
    ]


def test_the_finishing_event_may_carry_the_end_of_a_call() -> None:
    stream = ResponseStream(SPEC)
    stream.feed(event({"content": '<tool_call>{"name": "weather", "parameters": {"x":'}))
    chunk = stream.feed(event({"content": " 1}}"}, "stop"))
    assert chunk is not None
    assert chunk.finish_reason == "stop"
    assert [delta.arguments for delta in chunk.tool_calls or ()] == [" 1}"]


@pytest.mark.parametrize("text", ["", " \n ", "<tool", '{"name": "wea'])
def test_what_was_held_back_is_given_once(text: str) -> None:
    chunks = chunks_of(texts(*text), ResponseStream(SPEC))
    assert assembled(chunks) == (text, []) == full(text)


def test_a_stream_without_finish_reason_gives_what_was_held_back() -> None:
    stream = ResponseStream(SPEC)
    stream.feed(event({"content": "Hi <tool"}))
    stream.feed(b"[DONE]")
    assert stream.end().text == "<tool"


@pytest.mark.parametrize("cut", ['{"name": "weather"', '{"name": "weather", "parameters": {"c'])
def test_a_call_that_max_tokens_cut_is_reported_and_never_usable(cut: str) -> None:
    chunks = chunks_of(texts(*cut), ResponseStream(SPEC), "length")
    _, calls = assembled(chunks)
    with pytest.raises(ValueError, match=r".*"):
        json.loads(calls[0].arguments)
    [whole] = full(cut, finish_reason="length")[1]
    assert whole.problem is not None
    assert "max_tokens cut the arguments of 'weather'" in whole.problem
    assert chunks[-1].finished_calls == {0: replace(whole, id=calls[0].id)}


def test_text_is_withheld_until_a_tool_is_called() -> None:
    stream = ResponseStream(ResponseSpec(NAMES, withholds_text=True))
    chunk = stream.feed(event({"content": "Let me look. "}))
    assert (chunk, stream.has_tool_calls) == (None, False)
    chunk = stream.feed(event({"content": '<tool_call>{"name": "weather", "parameters": {"x":'}))
    assert stream.has_tool_calls
    assert chunk is not None
    assert chunk.text == "Let me look. "


def test_text_withheld_stays_so_where_no_finish_reason_comes() -> None:
    stream = ResponseStream(ResponseSpec(NAMES, withholds_text=True))
    stream.feed(event({"content": "Hello <tool"}))
    stream.feed(b"[DONE]")
    assert stream.end().text == ""


def test_each_of_several_answers_has_calls_of_its_own_id() -> None:
    call = {"function": {"name": "weather", "arguments": "{}"}}
    text = '{"name": "weather", "parameters": {}}'
    choices = [
        {"index": 0, "message": {"content": text}},
        {"index": 1, "message": {"content": text}},
        {"index": 2, "message": {"tool_calls": [call, call]}},
        {"index": 3, "message": {"tool_calls": [call]}},
    ]
    body = {"id": "cmpl-0123456789abcdef0123456789abcdef", "choices": choices}
    answer = parse_response(json.dumps(body).encode(), SPEC)
    ids = [call.id for choice in answer.choices for call in choice.tool_calls]
    assert len(set(ids)) == len(ids) == 5


def test_log_probabilities_of_held_back_text_are_not_lost() -> None:
    stream = ResponseStream(SPEC)
    logprobs = {"content": [{"token": "<", "logprob": -0.1}]}
    chunk = stream.feed(event({"content": "<"}, logprobs=logprobs))
    assert chunk is not None
    assert (chunk.text, chunk.logprobs) == ("", logprobs)


@few
@given(
    st.fixed_dictionaries({"city": st.none() | st.text(max_size=5), "days": st.none()}), st.data()
)
def test_a_guided_stream_means_what_the_full_answer_means(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    chunks = chunks_of(texts(*data.draw(pieces_of(text))), ResponseStream(GUIDED))
    body = {"choices": [{"message": {"content": text}}]}
    whole = parse_response(json.dumps(body).encode(), GUIDED).choices[0].text
    assert json.loads("".join(chunk.text for chunk in chunks)) == json.loads(whole)


def test_a_guided_stream_keeps_reasoning() -> None:
    stream = ResponseStream(GUIDED)
    chunk = stream.feed(event({"reasoning_content": "Hm."}))
    assert chunk is not None
    assert chunk.reasoning == "Hm."


def piece(arguments: str = "", name: str | None = None, **rest: Any) -> dict[str, Any]:
    """Return one piece of a call as some server sends it."""
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return {"function": function, **rest}


TWO_CALLS = [("weather", '{"x": 1}'), ("mail", '{"x": 2}')]
TWO_OF_ONE_NAME = [("weather", '{"x": 1}'), ("weather", '{"x": 2}')]
ODD_STREAMS = {
    "the name comes after the id": (
        [piece(index=0, id="a"), piece('{"x": 1}', "weather", index=0)],
        TWO_CALLS[:1],
    ),
    "the name comes after half of it": (
        [piece(index=0, id="a"), piece(index=0), piece('{"x"', "weather", index=0), piece(": 1}")],
        TWO_CALLS[:1],
    ),
    "each piece has the name and a new id": (
        [
            piece(text, "weather", index=0, id=f"a{place}")
            for place, text in enumerate(("", "{", '"x"', ": 1", "}", ""))
        ],
        TWO_CALLS[:1],
    ),
    "braces in a text, each piece with a new id": (
        [
            piece(text, "weather", index=0, id=f"a{place}")
            for place, text in enumerate(('{"x": "', "}", "{", '"}'))
        ],
        [("weather", '{"x": "}{"}')],
    ),
    "two calls under one index": (
        [piece('{"x": 1}', "weather", index=0, id="a"), piece('{"x": 2}', "mail", index=0, id="b")],
        TWO_CALLS,
    ),
    "two calls of one name under one index": (
        [
            piece('{"x"', "weather", index=0, id="a"),
            piece(": 1}", index=0),
            piece('{"x"', "weather", index=0, id="b"),
            piece(": 2}", index=0),
        ],
        TWO_OF_ONE_NAME,
    ),
    "two calls without index and id": (
        [piece('{"x": 1}', "weather"), piece('{"x": 2}', "mail")],
        TWO_CALLS,
    ),
    "two calls of one name under one index, each piece with a new id": (
        [
            piece(text, "weather", index=0, id=f"a{place}")
            for place, text in enumerate(("", '{"x"', ": 1}", '{"x": 2', "}"))
        ],
        TWO_OF_ONE_NAME,
    ),
    "three calls, two under one index": (
        [
            piece('{"x": 1}', "weather", index=0, id="a"),
            piece('{"x": 2}', "mail", index=0, id="b"),
            piece('{"x": 3}', "mail", index=1, id="c"),
        ],
        [*TWO_CALLS, ("mail", '{"x": 3}')],
    ),
}


@pytest.mark.parametrize("pieces, expected", ODD_STREAMS.values(), ids=ODD_STREAMS)
def test_calls_are_kept_apart_however_a_server_streams_them(
    pieces: list[dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    deltas = [{"tool_calls": [one]} for one in pieces]
    for spec in (ResponseSpec(), ResponseSpec(tool_names=frozenset({"weather", "mail"}))):
        _, calls = assembled(chunks_of(deltas, ResponseStream(spec)))
        assert [(call.name, call.arguments) for call in calls] == expected
        assert [call.problem for call in calls] == [None] * len(expected)
        assert len({call.id for call in calls}) == len(expected)


@pytest.mark.parametrize("written", ["Weather", "functions.weather", "WEATHER", "weather:0"])
def test_the_name_of_a_call_that_the_server_sends_is_that_of_the_tool_it_means(
    written: str,
) -> None:
    call = {"id": "a", "type": "function", "function": {"name": written, "arguments": "{}"}}
    body = {"choices": [{"message": {"content": None, "tool_calls": [call]}}]}
    _, streamed = assembled(
        chunks_of([{"tool_calls": [{"index": 0, **call}]}], ResponseStream(SPEC))
    )
    for found in (streamed, parse_response(json.dumps(body).encode(), SPEC).choices[0].tool_calls):
        assert [call.name for call in found] == ["weather"]


@pytest.mark.parametrize("function", [None, {}, {"name": "", "arguments": ""}])
def test_a_call_without_name_and_arguments_is_left_out(function: Any) -> None:
    call = {"id": "a", "type": "function", "function": function}
    body = {"choices": [{"message": {"content": "Hi", "tool_calls": [call]}}]}
    _, streamed = assembled(
        chunks_of([{"tool_calls": [{"index": 0, **call}]}], ResponseStream(SPEC))
    )
    assert streamed == parse_response(json.dumps(body).encode(), SPEC).choices[0].tool_calls == []
