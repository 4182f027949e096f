"""Reading answers: what a server leaves out, sends as null or adds is no reason to fail."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core import errors
from monster_core.response.completion import parse_completion
from monster_core.response.stream import StreamDecoder
from monster_core.response.types import Chunk, Completion, Usage, add_usage

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-9, 9)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                """id object created model choices usage index message delta role content tool_calls
            function name arguments type logprobs finish_reason stop_reason prompt_tokens
            completion_tokens total_tokens error code reasoning_content prompt_tokens_details
            cached_tokens text""".split()  # noqa: SIM905
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)

FULL = {
    "id": "cmpl-7",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "tool_calls": []},
            "logprobs": None,
            "finish_reason": "stop",
            "stop_reason": 0,
        }
    ],
    "usage": {"prompt_tokens": 3, "total_tokens": 5, "completion_tokens": 2},
}


def read(data: Any) -> Completion:
    return parse_completion(orjson.dumps(data))


def with_message(**message: Any) -> Completion:
    return read({**FULL, "choices": [{"index": 0, "message": message}]})


def paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where every value of a body stands."""
    inner = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [path for path in [path] if path] + [
        found for key, value in inner for found in paths(value, (*path, key))
    ]


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = orjson.loads(orjson.dumps(data))
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


MISSING = object()


def test_a_full_answer_is_read() -> None:
    answer = read(FULL)
    (choice,) = answer.choices
    assert (answer.id, answer.model, answer.created) == ("cmpl-7", "m", 1700000000)
    assert (choice.text, choice.finish_reason, choice.stop_reason) == ("Hi", "stop", 0)
    assert answer.usage == Usage(3, 2, 5)
    assert answer.raw == FULL


@given(path=st.sampled_from(paths(FULL)), value=ANY | st.just(MISSING))
def test_one_odd_value_gives_an_answer_or_a_typed_error(path: Any, value: Any) -> None:
    try:
        answer = read(replaced(FULL, path, value))
    except errors.MonsterError:
        return
    assert all(isinstance(choice.text, str) for choice in answer.choices)


@given(ANY)
def test_any_body_gives_an_answer_or_a_typed_error(body: Any) -> None:
    try:
        answer = read(body)
    except errors.MonsterError:
        return
    assert isinstance(answer, Completion)


@given(st.binary(max_size=40))
def test_any_bytes_give_a_typed_error(body: bytes) -> None:
    with pytest.raises(errors.MonsterError):
        parse_completion(body)


@pytest.mark.parametrize(
    "content, text",
    [(None, ""), ("", ""), ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab")],
)
def test_content_comes_in_several_shapes(content: Any, text: str) -> None:
    assert with_message(content=content).choices[0].text == text


def test_calls_that_the_server_gives_no_id_get_one_that_no_other_call_has() -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"content": "", "tool_calls": [call, {**call, "id": "theirs"}, call]}
    read_twice = [with_message(**message).choices[0].tool_calls for _ in range(2)]
    ids = [found.id for calls in read_twice for found in calls]
    assert (ids[1], ids[4]) == ("theirs", "theirs")
    assert all(found.startswith("call_") for found in ids if found != "theirs")
    assert len(set(ids)) == 5


def test_arguments_that_came_as_an_object_become_text() -> None:
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    (found,) = with_message(content=None, tool_calls=[call]).choices[0].tool_calls
    assert found.arguments == '{"a":1}'


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_apart(key: str) -> None:
    (choice,) = with_message(**{"content": "4", key: "2 and 2"}).choices
    assert (choice.text, choice.reasoning) == ("4", "2 and 2")


def test_token_details_are_read() -> None:
    usage = {
        **FULL["usage"],  # type: ignore[dict-item]
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    found = read({**FULL, "usage": usage}).usage
    assert found is not None
    assert (found.cached_tokens, found.reasoning_tokens) == (2, 1)


def test_usages_are_added_up() -> None:
    assert add_usage(Usage(1, 2, 3, 4), Usage(1, 1, 2, None, 5)) == Usage(2, 3, 5, 4, 5)
    assert add_usage(None, Usage(1, 1, 2)) == add_usage(Usage(1, 1, 2), None) == Usage(1, 1, 2)
    assert add_usage(None, None) is None


def event(delta: Any, **more: Any) -> dict[str, Any]:
    return {"id": "cmpl-7", "model": "m", "choices": [{"index": 0, "delta": delta, **more}]}


def chunks_of(*events: Any) -> list[Chunk]:
    reader = StreamDecoder()
    read = [reader.read(orjson.dumps(one)) for one in events]
    return [chunk for chunk in read if chunk is not None] + [reader.end()]


END = event({}, finish_reason="stop", stop_reason=None)


def test_a_stream_is_read() -> None:
    usage = {"id": "cmpl-7", "choices": [], "usage": FULL["usage"]}
    chunks = chunks_of(event({"role": "assistant"}), event({"content": "Hi"}), END, usage)
    assert [chunk.text for chunk in chunks] == ["Hi", "", ""]
    assert [chunk.finish_reason for chunk in chunks] == [None, "stop", None]
    assert [chunk.usage for chunk in chunks] == [None, None, Usage(3, 2, 5)]
    assert {(chunk.id, chunk.model) for chunk in chunks} == {("cmpl-7", "m")}


def test_the_finishing_chunk_may_still_bring_text() -> None:
    (chunk, _) = chunks_of(event({"content": "!"}, finish_reason="stop"))
    assert (chunk.text, chunk.finish_reason) == ("!", "stop")


def test_a_finish_reason_that_comes_twice_is_reported_once() -> None:
    assert [chunk.finish_reason for chunk in chunks_of(END, END)] == ["stop", None, None]


def test_log_probabilities_come_even_without_text() -> None:
    token = {"token": "", "logprob": -0.5, "bytes": [240]}
    (chunk, *_) = chunks_of(event({"content": ""}, logprobs={"content": [token]}), END)
    assert chunk.logprobs == {"content": [token]}


@pytest.mark.parametrize(
    "odd",
    [
        1,
        {"token": None, "logprob": -0.5},
        {"token": "a", "logprob": []},
        {"token": "a", "logprob": True},
        {"token": "a", "logprob": -0.5, "bytes": [None]},
        {"token": "a", "logprob": -0.5, "top_logprobs": True},
        {"token": "a", "logprob": -0.5, "top_logprobs": ["b"]},
    ],
)
def test_log_probabilities_of_another_shape_are_left_out(odd: Any) -> None:
    token = {"token": "a", "logprob": None, "bytes": None, "top_logprobs": []}
    given = {"content": [odd, {**token, "index": 0}], "refusal": "no"}
    (chunk, *_) = chunks_of(event({"content": "a"}, logprobs=given), END)
    assert chunk.logprobs == {"content": [token]}


@pytest.mark.parametrize("odd", [[], {}, 5, True, ""])
def test_a_finish_reason_that_is_not_text_ends_nothing(odd: Any) -> None:
    with pytest.raises(errors.StreamInterruptedError):
        chunks_of(event({"content": "a"}, finish_reason=odd))


@pytest.mark.parametrize("odd", [True, -1, 1.5, "1", None])
def test_a_calls_index_that_is_none_is_its_place(odd: Any) -> None:
    call = {"index": odd, "function": {"name": "f", "arguments": "{}"}}
    (chunk, *_) = chunks_of(event({"tool_calls": [call]}), END)
    assert [found.index for found in chunk.tool_calls or ()] == [0]


def test_a_choice_that_is_none_is_not_an_answer() -> None:
    with pytest.raises(errors.ResponseError, match="no choice"):
        read({**FULL, "choices": [None, 1]})


def test_a_call_without_id_and_index_gets_both_once() -> None:
    """vLLM 0.5.0 repeats the name on every piece and sends neither id nor index."""
    pieces = [
        event({"tool_calls": [{"function": {"name": "f", "arguments": text}}]})
        for text in ("", '{"a"', ": 1}")
    ]
    deltas = [delta for chunk in chunks_of(*pieces, END) for delta in chunk.tool_calls or []]
    assert [delta.index for delta in deltas] == [0, 0, 0]
    first, *others = [delta.id for delta in deltas]
    assert str(first).startswith("call_")
    assert others == [None, None]
    assert [delta.name for delta in deltas] == ["f", None, None]
    assert "".join(delta.arguments for delta in deltas) == '{"a": 1}'


def test_todays_servers_number_their_calls_themselves() -> None:
    pieces = [
        event({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}),
        event({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        event({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g"}}]}),
    ]
    deltas = [delta for chunk in chunks_of(*pieces, END) for delta in chunk.tool_calls or []]
    assert [(delta.index, delta.id, delta.name) for delta in deltas] == [
        (0, "a", "f"),
        (0, None, None),
        (1, "b", "g"),
    ]


def test_a_second_answer_in_the_stream_is_refused() -> None:
    second = {"choices": [{"index": 1, "delta": {"content": "b"}}]}
    with pytest.raises(errors.ResponseError, match="n=1"):
        chunks_of(event({"content": "a"}), second)


def test_the_error_for_a_stream_without_an_end_holds_what_had_come() -> None:
    with pytest.raises(errors.StreamInterruptedError) as caught:
        chunks_of(event({"content": "Hal"}))
    assert caught.value.partial_text == "Hal"


@pytest.mark.parametrize("data", [b"", b"{", b"hello", b"\xff", b"1", b"null", b'"a"', b"[]"])
def test_an_event_that_is_not_a_chunk_is_reported_with_what_had_come(data: bytes) -> None:
    reader = StreamDecoder()
    reader.read(orjson.dumps(event({"content": "Hal"})))
    with pytest.raises(errors.ResponseError, match=r"not (JSON|a chunk)") as caught:
        reader.read(data)
    assert caught.value.partial_text == "Hal"


@pytest.mark.parametrize("first", [None, ...], ids=["null", "missing"])
def test_a_choice_without_a_delta_adds_nothing_but_may_end_the_stream(first: Any) -> None:
    def choice(finish_reason: str | None) -> dict[str, Any]:
        delta = {} if first is ... else {"delta": first}
        return {"choices": [{"index": 0, "finish_reason": finish_reason, **delta}]}

    chunks = chunks_of(choice(None), event({"content": "Hi"}), choice("stop"))
    assert [(chunk.text, chunk.finish_reason) for chunk in chunks] == [
        ("Hi", None),
        ("", "stop"),
        ("", None),
    ]


@pytest.mark.parametrize("key", ["text", "message"])
def test_a_choice_of_another_endpoint_is_refused(key: str) -> None:
    with pytest.raises(errors.ResponseError):
        chunks_of({"choices": [{"index": 0, key: "Hi"}]}, END)


@pytest.mark.parametrize("keep_alive", [{"id": "x"}, {"choices": []}, {"usage": FULL["usage"]}])
def test_events_that_add_nothing_are_skipped(keep_alive: Any) -> None:
    chunks = chunks_of(keep_alive, event({"content": "Hi"}), END)
    assert "".join(chunk.text for chunk in chunks) == "Hi"


@given(st.lists(ANY, max_size=4))
def test_any_events_give_chunks_or_a_typed_error(events: list[Any]) -> None:
    try:
        chunks = chunks_of(*events)
    except errors.MonsterError:
        return
    assert all(isinstance(chunk.text, str) for chunk in chunks)


STREAMED = event(
    {"content": "Hi", "tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]},
    logprobs={"content": []},
    finish_reason="stop",
    stop_reason=None,
)


@given(path=st.sampled_from(paths(STREAMED)), value=ANY | st.just(MISSING))
def test_one_odd_value_gives_chunks_or_a_typed_error(path: Any, value: Any) -> None:
    try:
        chunks = chunks_of(replaced(STREAMED, path, value))
    except errors.MonsterError:
        return
    assert all(isinstance(chunk.text, str) for chunk in chunks)


def test_an_answer_without_choices_is_not_an_answer() -> None:
    with pytest.raises(errors.ResponseError, match="holds no choices"):
        parse_completion(b'{"id": "cmpl-1", "object": "chat.completion", "choices": []}')


def test_a_refusal_is_kept_apart_from_the_text() -> None:
    message = {"role": "assistant", "content": None, "refusal": "No."}
    [choice] = read({**FULL, "choices": [{"index": 0, "message": message}]}).choices
    assert (choice.text, choice.refusal) == ("", "No.")
    decoder = StreamDecoder()
    event = {"id": "c", "choices": [{"index": 0, "delta": {"refusal": "No."}}]}
    chunk = decoder.read(orjson.dumps(event))
    assert chunk is not None
    assert (chunk.text, chunk.refusal) == ("", "No.")


@pytest.mark.parametrize("odd", [None, "", 0, ["No."], {"text": "No."}])
def test_a_refusal_that_is_not_text_counts_as_left_out(odd: Any) -> None:
    message = {"role": "assistant", "content": "Hi", "refusal": odd}
    assert read({**FULL, "choices": [{"index": 0, "message": message}]}).choices[0].refusal is None
