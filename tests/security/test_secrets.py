"""The key and the headers of a model stand in nothing that it shows, writes, logs or raises."""

from __future__ import annotations

import copy
import logging
import pickle
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, dumps
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run
from llama_index.core.callbacks import CallbackManager, CBEventType
from llama_index.core.callbacks.base_handler import BaseCallbackHandler as LlamaHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span import SimpleSpan
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.errors import ConfigurationError, MonsterError
from tests.core.scripted_server import (
    Reply,
    ScriptedServer,
    answer,
    events,
    reply,
    token,
)
from tests.security.canaries import HEADER, KEY, chain, formatted, found, reachable
from tests.security.conftest import Make, Model

Serve = Callable[..., ScriptedServer]
Call = Callable[..., Any]

GOOD = {
    "answer": answer(),
    "answer_async": answer(),
    "stream": events(token("Hi"), token("", "stop"), "[DONE]"),
    "stream_async": events(token("Hi"), token("", "stop"), "[DONE]"),
}
SILENT = "no sign of life"
FAILURES = {
    "refused": reply(401, {"error": "Unauthorized"}),
    "busy": reply(429, {"error": "slow down"}, {"retry-after": "3600"}),
    "redirected": reply(307, b"", {"location": "https://elsewhere.example/v1"}),
    "redirected nowhere": reply(307, b"", {"location": "https://a:b@c:x/\x1b[2J"}),
    "no HTTP": Reply([b"SSH-2.0-OpenSSH\r\n\r\n"], cut=True),
    "dropped": Reply([], cut=True),
    "cut": Reply([b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"], cut=True),
    "cut chunk": Reply([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nda"], cut=True),
    "no answer": reply(200, {"choices": []}),
    "no JSON": reply(200, "<html>"),
    "bad gzip": reply(200, b"abc", {"content-encoding": "gzip"}),
    SILENT: Reply([threading.Event()], cut=True),
}


def secrets_of(value: Any) -> set[str]:
    """Return which secrets can be reached from a value, and in which text."""
    return {f"{form} in {str(text)[:200]}" for text in reachable(value) for form in found(text)}


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Record all that anybody logs."""
    caplog.set_level(logging.DEBUG)
    for name in ("", "monster_core", "httpx", "httpcore", "asyncio", "hpack"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    return caplog


def assert_unlogged(logged: pytest.LogCaptureFixture) -> None:
    assert not found(logged.text)
    for record in logged.records:
        assert not secrets_of(record.__dict__), record


# --- what a model shows of itself -----------------------------------------------------------


SHOWN: list[Callable[[Any], Any]] = [
    repr,
    str,
    lambda llm: f"{llm}",
    lambda llm: llm.model_dump(),
    lambda llm: llm.model_dump(mode="json"),
    lambda llm: llm.model_dump_json(),
    lambda llm: llm.model_dump(exclude_none=False, exclude_defaults=True, by_alias=True),
    lambda llm: dict(llm).__repr__(),
    lambda llm: list(llm.__repr_args__()),
    lambda llm: list(llm.__rich_repr__()),
    lambda llm: llm.model_fields_set,
    lambda llm: llm._endpoint(),
    lambda llm: llm._client().endpoint,
    lambda llm: llm._clients,
]


def test_a_model_shows_no_secret(make: Make) -> None:
    llm = make("https://a.example/v1")
    for place, show in enumerate(SHOWN):
        shown = show(llm)
        assert not found(repr(shown)), place
        assert not found(str(shown)), place


def test_whatever_is_reached_from_a_model_is_masked(make: Make) -> None:
    assert not secrets_of(make("https://a.example/v1"))


def test_langchains_writers_write_no_secret() -> None:
    llm = ChatMonster(model="m", api_key=KEY, default_headers={"x-gateway": HEADER})
    bound = llm.bind(stop=["x"]).with_config(tags=["t"]).with_retry()
    for one in (
        llm,
        llm.bind_tools([]),
        bound,
        llm.with_structured_output({"title": "A", "type": "object"}),
    ):
        assert not found(dumps(one))
        assert not secrets_of(dumpd(one))
        assert not found(repr(one))
    assert not secrets_of([llm.to_json(), llm.lc_attributes, llm.lc_secrets, llm.asdict()])
    assert not secrets_of([llm._identifying_params, llm._get_llm_string(), llm._get_ls_params()])


def test_llama_indexs_writers_write_no_secret() -> None:
    llm = MonsterLLM(model="m", api_key=KEY, default_headers={"x-gateway": HEADER})
    assert not secrets_of([llm.to_dict(), llm.to_json(), llm.dict(), llm.json(), llm.metadata])
    assert "api_key" not in llm.to_dict()


def test_an_agent_shows_no_secret() -> None:
    llm = ChatMonster(model="m", api_key=KEY, default_headers={"x-gateway": HEADER})
    agent = create_agent(llm, tools=[], system_prompt="Be brief.")
    assert not found(repr(agent))
    assert not found(str(agent.get_graph().to_json()))
    assert not found(repr(agent.nodes))


def test_a_pickle_holds_the_key_and_the_headers_for_workers_and_nothing_shows_them(
    make: Make,
) -> None:
    """A worker that gets the pickle must be able to call, so a pickle is as secret as the key."""
    llm = make("https://a.example/v1")
    carried = pickle.loads(pickle.dumps(llm))
    for one in (carried, copy.copy(llm), copy.deepcopy(llm), llm.model_copy()):
        assert one._endpoint() == llm._endpoint()
        assert not secrets_of(one)


# --- what a call leaves behind --------------------------------------------------------------


def test_an_answer_leaves_no_secret_in_logs_or_warnings(
    make: Make, call: Call, serve: Serve, logged: pytest.LogCaptureFixture
) -> None:
    server = serve(GOOD[call.__name__])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        answered = call(make(server.base_url))
    (sent,) = server.received
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["x-gateway"] == HEADER
    assert not found(sent.body)
    assert not found(sent.line)
    assert logged.records, "this test would not see what is logged"
    assert_unlogged(logged)
    assert not secrets_of(answered)
    assert not secrets_of([str(one.message) for one in warned])


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_leaves_no_secret_in_errors_tracebacks_or_logs(
    make: Make, call: Call, serve: Serve, logged: pytest.LogCaptureFixture, failure: str
) -> None:
    llm = make(serve(FAILURES[failure]).base_url, timeout=0.05 if failure == SILENT else 5)
    with pytest.raises(MonsterError) as caught:
        call(llm)
    assert not secrets_of(caught.value)
    assert not found(formatted(caught.value)), formatted(caught.value)
    assert not found(pickle.dumps(caught.value))
    assert_unlogged(logged)


def test_no_connection_leaves_no_secret(
    make: Make, call: Call, logged: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(MonsterError) as caught:
        call(make("http://127.0.0.1:9/v1"))
    assert not secrets_of(caught.value)
    assert not found(formatted(caught.value)), formatted(caught.value)
    assert_unlogged(logged)


ECHOES = {
    "refused": reply(
        401, {"error": f"No such key: {KEY}"}, {"x-request-id": KEY, "x-seen": HEADER}
    ),
    "in a page": reply(500, f"<html><pre>authorization: Bearer {KEY}\nx-gateway: {HEADER}</pre>"),
    "redirected": reply(302, b"", {"location": "https://a.example/?key=CanaryKey%2B"}),
    "in an answer that is none": reply(200, {"headers": {"authorization": KEY, "x": HEADER}}),
    "in no JSON": reply(200, f"authorization: Bearer {KEY}"),
    "cut in the middle": reply(200, "x" * 180 + KEY),
    "in an error of 200": reply(200, {"error": {"message": f"{KEY} {HEADER}", "code": 401}}),
    "in a stream": events({"error": {"message": f"{KEY} {HEADER}", "code": 401}}),
    "in a stream's odd event": events(f"authorization: {KEY}"),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_what_a_server_repeats_is_masked_in_the_error(
    make: Make, call: Call, serve: Serve, logged: pytest.LogCaptureFixture, echo: str
) -> None:
    with pytest.raises(MonsterError) as caught:
        call(make(serve(ECHOES[echo]).base_url))
    assert not secrets_of(caught.value)
    assert "***" in str(caught.value)
    # httpcore writes a reply's headers into its own log at DEBUG, as SECURITY.md says
    own = [one for one in logged.records if not one.name.startswith("httpcore")]
    assert not secrets_of([one.__dict__ for one in own])


def test_a_key_that_is_none_is_not_searched_for(make: Make, serve: Serve) -> None:
    refusal = reply(400, {"message": "messages is EMPTY: EMPTY is not allowed"})
    llm = make(serve(refusal).base_url, api_key="EMPTY")
    with pytest.raises(MonsterError, match="EMPTY is not allowed"):
        llm._client().complete(_planned(llm))


def _planned(llm: Model) -> Any:
    from monster_core.request.builder import build_request
    from monster_core.request.messages import Message

    return build_request([Message("user", "Hi")], {"model": "m"}, stream=False)


# --- traces ---------------------------------------------------------------------------------


class Recorder(BaseTracer):
    """Record every run whole."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[dict[str, Any]] = []

    def _persist_run(self, run: Run) -> None:
        self.runs.append(run.model_dump() if hasattr(run, "model_dump") else run.dict())


class Hearer(BaseCallbackHandler):
    """Record every argument of every callback."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("on_"):
            heard = object.__getattribute__(self, "heard")
            return lambda *args, **kwargs: heard.append((name, args, kwargs))
        return object.__getattribute__(self, name)


@pytest.mark.parametrize("is_refused", [False, True], ids=["answered", "refused"])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"extra_headers": {"authorization": KEY, "x-gateway": HEADER}},
        {"headers": {"authorization": KEY}},
        {"api_key": KEY},
    ],
    ids=str,
)
def test_langchains_traces_hold_no_secret(
    serve: Serve, call: Call, given: Any, is_refused: bool
) -> None:
    tracer, hearer = Recorder(), Hearer()
    server = serve(FAILURES["refused"] if is_refused else GOOD[call.__name__])
    llm = ChatMonster(
        model="m",
        api_key=KEY,
        base_url=server.base_url,
        default_headers={"x-gateway": HEADER},
        max_retries=0,
        metadata={"team": "a"},
        callbacks=[tracer, hearer],
    )
    is_taken = not given or "extra_headers" in given
    with nullcontext() if is_taken and not is_refused else pytest.raises(MonsterError):
        call(llm, **given)
    assert tracer.runs
    assert hearer.heard
    assert not secrets_of(tracer.runs)
    assert not secrets_of([heard for heard in hearer.heard if heard[0] != "on_llm_error"])


@pytest.fixture
def instrumentation() -> Iterator[list[Any]]:
    """Record LlamaIndex's events and spans."""
    seen: list[Any] = []

    class Events(BaseEventHandler):
        def handle(self, event: Any, **kwargs: Any) -> None:
            seen.append((event.model_dump(), repr(event)))

    class Spans(SimpleSpanHandler):
        def new_span(self, id_: str, bound_args: Any, **kwargs: Any) -> SimpleSpan | None:
            seen.append((repr(bound_args), repr(kwargs.get("instance"))))
            return super().new_span(id_, bound_args, **kwargs)

        def prepare_to_exit_span(self, id_: str, bound_args: Any, **kwargs: Any) -> Any:
            seen.append((repr(bound_args), repr(kwargs)))
            return super().prepare_to_exit_span(id_, bound_args, **kwargs)

        def prepare_to_drop_span(self, id_: str, bound_args: Any, **kwargs: Any) -> Any:
            seen.append((repr(bound_args), repr(kwargs)))
            return super().prepare_to_drop_span(id_, bound_args, **kwargs)

    dispatcher, heard, spans = get_dispatcher(), Events(), Spans()
    dispatcher.add_event_handler(heard)
    dispatcher.add_span_handler(spans)
    yield seen
    dispatcher.event_handlers.remove(heard)
    dispatcher.span_handlers.remove(spans)


class Payloads(LlamaHandler):
    """Record LlamaIndex's callback payloads."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.seen: list[Any] = []

    def on_event_start(
        self, event_type: CBEventType, payload: Any = None, *args: Any, **kwargs: Any
    ) -> str:
        self.seen.append((event_type, payload, args, kwargs))
        return ""

    def on_event_end(
        self, event_type: CBEventType, payload: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        self.seen.append((event_type, payload, args, kwargs))

    def start_trace(self, trace_id: str | None = None) -> None:
        """Do nothing."""

    def end_trace(self, trace_id: str | None = None, trace_map: Any = None) -> None:
        """Do nothing."""


@pytest.mark.parametrize("is_refused", [False, True], ids=["answered", "refused"])
def test_llama_indexs_events_spans_and_callbacks_hold_no_secret(
    serve: Serve, call: Call, instrumentation: list[Any], is_refused: bool
) -> None:
    payloads = Payloads()
    server = serve(FAILURES["refused"] if is_refused else GOOD[call.__name__])
    llm = MonsterLLM(
        model="m",
        api_key=KEY,
        api_base=server.base_url,
        default_headers={"x-gateway": HEADER},
        max_retries=0,
        callback_manager=CallbackManager([payloads]),
    )
    if is_refused:
        with pytest.raises(MonsterError):
            call(llm)
    else:
        call(llm)
    assert instrumentation
    assert payloads.seen
    assert not secrets_of(instrumentation)
    assert not secrets_of(payloads.seen)


# --- arguments that are refused -------------------------------------------------------------


REFUSED: dict[str, dict[str, Any]] = {
    "a key with a space": {"api_key": f"{KEY} x"},
    "a key with a line break": {"api_key": f"{KEY}\r\nx-admin: 1"},
    "a key with a non-ASCII sign": {"api_key": f"{KEY}\u00e9"},
    "a key of bytes": {"api_key": KEY.encode()},
    "a key of another type": {"api_key": [KEY]},
    "a header with a line break": {"default_headers": {"x": f"{HEADER}\r\nx-admin: 1"}},
    "a header with a control character": {"default_headers": {"x": f"{HEADER}\x01"}},
    "a header with a non-ASCII sign": {"default_headers": {"x": f"{HEADER}\u00e9"}},
    "a header behind a space": {"default_headers": {"x": f" {HEADER}"}},
    "a header of bytes": {"default_headers": {"x": HEADER.encode()}},
    "headers as a list": {"default_headers": [("x", HEADER)]},
    "headers as text": {"default_headers": f"x: {HEADER}"},
    "another argument out of range": {"temperature": -1},
    "another argument misspelt": {"temperatur": 1},
    "an address over http": {"allow_http": False, "url": "http://a.example/v1"},
}


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_argument_is_not_shown(make: Make, refused: str) -> None:
    given = dict(REFUSED[refused])
    url = given.pop("url", "https://a.example/v1")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        make(url, **given)
    assert not secrets_of(caught.value), secrets_of(caught.value)
    assert not found(formatted(caught.value)), formatted(caught.value)


@pytest.mark.parametrize("refused", [name for name in REFUSED if "address" not in name])
def test_an_assignment_that_is_refused_is_not_shown(make: Make, refused: str) -> None:
    llm = make("https://a.example/v1")
    ((name, value),) = REFUSED[refused].items()
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        setattr(llm, name, value)
    assert not secrets_of(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{KEY}@a.example/v1",
        "https://user:CanaryKey/x@a.example/v1",
        "https://user:CanaryKey\u2100@a.example/v1",
        "https://CanaryKey@a.example/v1",
        "https://a.example/v1?key=CanaryKey%2B",
        "https://a.example/v1#CanaryKey%2B",
        "CanaryKey%2B",
        KEY,
    ],
)
def test_a_secret_in_the_address_is_refused_and_not_shown(make: Make, url: str) -> None:
    with pytest.raises(ValueError, match="base URL") as caught:
        make(url)
    said = "".join(map(str, chain(caught.value)))
    assert "CanaryKey" not in said


@pytest.mark.parametrize(
    "variables",
    [
        {"MONSTER_API_KEY": KEY, "MONSTER_TIMEOUT": "soon"},
        {"MONSTER_API_KEY": f"{KEY} x"},
        {"MONSTER_API_KEY": KEY, "MONSTER_ALLOW_HTTP": "perhaps"},
    ],
    ids=str,
)
def test_a_refused_variable_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    from monster_core.settings import environment_settings

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for refuse in (environment_settings, lambda: ChatMonster(model="m"), lambda: MonsterLLM("m")):
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            refuse()
        assert any(isinstance(one, ConfigurationError) for one in chain(caught.value)) or str(
            caught.value
        )
        assert not secrets_of(caught.value)
        assert not found(formatted(caught.value)), formatted(caught.value)
