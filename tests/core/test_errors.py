"""Which error a refusal becomes, what it says, and that it travels."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core import errors
from monster_core.errors import ServerReply, status_error, stream_error

EVERY_CLASS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.MonsterError)
]
TOO_LONG = (
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens "
    "(8000 in the messages, 1000 in the completion). Please reduce the length of the messages "
    "or completion."
)


def refused(status: int, body: Any = b"", **headers: str) -> errors.StatusError:
    text = body.decode() if isinstance(body, bytes) else orjson.dumps(body).decode()
    return status_error(ServerReply(status, headers, text))


@pytest.mark.parametrize(
    "status, kind",
    [
        (301, errors.RedirectError),
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (402, errors.PaymentRequiredError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (408, errors.StatusError),
        (413, errors.BadRequestError),
        (418, errors.StatusError),
        (422, errors.BadRequestError),
        (429, errors.RateLimitError),
        (500, errors.ServerError),
        (503, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_each_status_has_its_class(status: int, kind: type[errors.StatusError]) -> None:
    error = refused(status)
    assert type(error) is kind
    assert error.status_code == status
    assert str(status) in str(error)


@pytest.mark.parametrize(
    "body, said",
    [
        ({"object": "error", "message": "bad n", "type": "BadRequestError", "code": 400}, "bad n"),
        ({"error": "Unauthorized"}, "Unauthorized"),
        ({"error": {"message": "no credits", "code": 402}}, "no credits"),
        ({"error": {"error": {"message": "deep"}}}, "deep"),
        ({"detail": [{"loc": ["body"], "msg": "wrong"}]}, "wrong"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"message": ""}, ""),
        (b"Internal Server Error", "Internal Server Error"),
        (b"<html><h1>502 Bad Gateway</h1>\n<hr>nginx</html>", "502 Bad Gateway nginx"),
        (b"", ""),
        ([], ""),
    ],
)
def test_the_servers_sentence_is_found(body: Any, said: str) -> None:
    error = refused(400, body)
    assert said in error.server_message
    assert said in str(error)
    assert ".." not in str(error)


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_a_conversation_that_is_too_long_has_a_class_of_its_own(status: int) -> None:
    error = refused(status, {"message": TOO_LONG})
    assert isinstance(error, errors.ContextOverflowError)
    assert "Shorten the conversation" in str(error)


@pytest.mark.parametrize(
    "said, window, prompt, advice",
    [
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5096 "
            "tokens (3996 in the messages, 1100 in the completion).",
            4096,
            3996,
            "Shorten the conversation, or lower max_tokens to at most 100. ",
        ),
        (
            "This model's maximum context length is 8192 tokens. However, your prompt contains at "
            "least 8193 input tokens.",
            8192,
            8193,
            "Shorten the conversation by at least 2 tokens. ",
        ),
        (
            "max_tokens=9000 cannot be greater than max_model_len=8192",
            8192,
            None,
            "Shorten the conversation, or lower max_tokens. ",
        ),
        (
            "The decoder prompt (length 9001) is longer than the maximum model length of 8192. "
            "Make sure that `max_model_len` is no smaller than the number of text tokens.",
            8192,
            9001,
            "Shorten the conversation by at least 810 tokens",
        ),
        (
            "The prompt (total length 9001) is too long to fit into the model (context length "
            "8192).",
            8192,
            9001,
            "Shorten the conversation by at least 810 tokens",
        ),
        (
            "the request exceeds the available context size (4096).",
            4096,
            None,
            "Shorten the conversation",
        ),
        ("context_length_exceeded", None, None, "Shorten the conversation"),
        ("context window exceeded", None, None, "context_window= or discover_context_window()"),
    ],
)
def test_an_overflow_holds_the_server_s_numbers_and_says_what_they_mean(
    said: str, window: int | None, prompt: int | None, advice: str
) -> None:
    error = refused(400, {"message": said})
    assert isinstance(error, errors.ContextOverflowError)
    assert (error.context_window, error.prompt_tokens) == (window, prompt)
    assert advice in str(error)
    assert f"context_window={window or ''} or discover_context_window()" in str(error)
    assert "discover_model_profile()" in str(error)


@pytest.mark.parametrize(
    "status, advice",
    [(401, "MONSTER_API_KEY"), (402, "top it up"), (404, "model's name"), (429, "max_retries")],
)
def test_the_message_says_what_to_do(status: int, advice: str) -> None:
    assert advice in str(refused(status))


def test_the_error_holds_the_requests_id() -> None:
    error = refused(500, b"", **{"x-request-id": "req-7"})
    assert error.request_id == "req-7"
    assert "req-7" in str(error)


def test_the_response_is_kept() -> None:
    error = refused(400, {"message": "no", "code": 400})
    assert error.response is not None
    assert error.response.json()["code"] == 400


@pytest.mark.parametrize(
    "status, again", [(408, True), (429, True), (400, False), (500, True), (501, False)]
)
def test_it_says_whether_trying_again_makes_sense(status: int, again: bool) -> None:
    assert refused(status).is_retryable is again


@given(st.binary(max_size=60), st.integers(100, 599).filter(lambda status: status != 200))
def test_no_body_makes_it_fail(body: bytes, status: int) -> None:
    text = body.decode("utf-8", "replace")
    assert isinstance(status_error(ServerReply(status, {}, text)), errors.StatusError)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["error", "message", "detail", "code"]), inner)
        ),
        max_leaves=6,
    )
)
def test_no_error_event_makes_it_fail(event: Any) -> None:
    error = stream_error(event, "so far")
    assert isinstance(error, errors.MonsterError)
    assert error.partial_text == "so far"


@pytest.mark.parametrize("opening", ["[", '{"error":', '{"a":', '[{"error":', "<", "<a "])
def test_no_depth_makes_it_fail(opening: str) -> None:
    for depth in (200, 900, 9999):
        text = (opening * depth)[:10_000]
        closed = text + "".join({"[": "]", "{": "}"}.get(sign, "") for sign in reversed(text))
        for body in (text, closed):
            assert len(refused(500, body.encode()).server_message) <= 2000


def test_no_depth_of_an_error_event_makes_it_fail() -> None:
    event: Any = []
    for _ in range(1000):
        event = [event]
    for one in (event, {"message": event}, {"error": {"message": event}}):
        assert isinstance(stream_error(one, ""), errors.ServerError)


def test_what_a_server_says_commands_no_terminal_and_breaks_no_log() -> None:
    said = "no\x1b[2J\r\nERROR root: all is lost\u202e\ud800"
    headers = {"location": f"https://a.example/{said}", "x-request-id": said}
    for error in (
        refused(307, b"{}", **headers),
        refused(400, orjson.dumps({"message": "no\x1b[2J\r\nERROR root: all is lost\u202e"})),
        stream_error({"message": said}, ""),
    ):
        assert str(error).isprintable()
        assert "all is lost" in str(error)


def test_an_error_event_becomes_the_class_of_its_code() -> None:
    error = stream_error({"message": TOO_LONG, "code": 400}, "")
    assert isinstance(error, errors.ContextOverflowError)
    assert "broke off its stream" in str(error)


@pytest.mark.parametrize("kind", EVERY_CLASS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("carry", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_every_error_travels_between_processes(kind: Any, carry: Any) -> None:
    error = kind("what happened")
    error.partial_text, error.status_code = "so far", 429
    carried = carry(error)
    assert type(carried) is kind
    assert (str(carried), carried.partial_text) == ("what happened", "so far")
    assert carried.__dict__ == error.__dict__


def test_the_tree_in_the_docstring_names_every_class() -> None:
    drawn = errors.__doc__ or ""
    assert [kind.__name__ for kind in EVERY_CLASS if kind.__name__ not in drawn] == []


@pytest.mark.parametrize(
    "kind, builtin",
    [
        (errors.ConfigurationError, ValueError),
        (errors.InvalidRequestError, ValueError),
        (errors.RequestTimeoutError, TimeoutError),
    ],
)
def test_builtin_classes_catch_them_too(kind: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(kind, builtin)
