"""Reading what an endpoint says of the models it serves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.errors import RequestTimeoutError, ResponseError, ServerError
from monster_core.models_endpoint import ServedModel, read_models, read_models_info
from monster_core.transport.deadline import Timeouts
from tests.core.drivers import AsyncDriver, Driver, SyncDriver, endpoint
from tests.core.scripted_server import Reply, ScriptedServer, reply

NOT_FOUND = reply(404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    "body, served",
    [
        ({"data": [{"id": "m", "max_model_len": 8}]}, [ServedModel("m", 8)]),
        ({"data": [{"id": "m", "context_length": 8}]}, [ServedModel("m", 8)]),
        ([{"id": "m"}, {"name": "n"}, 7], [ServedModel("m", None)]),
        ({"data": [{"id": "m", "max_model_len": True}]}, [ServedModel("m", None)]),
        ({"data": []}, []),
    ],
)
def test_a_list_of_models_is_read(body: Any, served: list[ServedModel]) -> None:
    assert read_models(orjson.dumps(body)) == served


@pytest.mark.parametrize(
    "body",
    [{"maximum_context_length": {"m": 8}}, {"m": {"maximum_context_length": 8}, "n": "?"}],
    ids=["by property", "by model"],
)
def test_both_forms_of_monsterapis_own_list_are_read(body: Any) -> None:
    assert read_models_info(orjson.dumps(body)) == [ServedModel("m", 8)]


@pytest.mark.parametrize("read", [read_models, read_models_info])
@pytest.mark.parametrize("body", [b"", b"<html>", b"7", b'{"data": 7}'[:7]])
def test_anything_else_is_refused(read: Callable[[bytes], Any], body: bytes) -> None:
    with pytest.raises(ResponseError, match="base URL"):
        read(body)


@given(
    st.dictionaries(
        st.sampled_from(["data", "maximum_context_length", "m"]),
        st.recursive(
            st.none() | st.integers(-5, 5) | st.text(max_size=2),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["id", "maximum_context_length"]), inner)
            ),
        ),
    )
)
def test_no_list_makes_it_fail_otherwise(body: Any) -> None:
    for read in (read_models, read_models_info):
        try:
            served = read(orjson.dumps(body))
        except ResponseError:
            continue
        assert all(isinstance(model, ServedModel) for model in served)


def window(kind: type[Driver], server: ScriptedServer, **kwargs: Any) -> int | None:
    driver = kind(endpoint(server.base_url, **kwargs.pop("endpoint", {})))
    try:
        return driver.context_window("m", **kwargs)
    finally:
        driver.close()


@pytest.mark.parametrize("kind", [SyncDriver, AsyncDriver])
@pytest.mark.parametrize(
    "replies, found",
    [
        ([reply(200, {"data": [{"id": "m", "max_model_len": 8}]})], 8),
        ([NOT_FOUND, reply(200, {"m": {"maximum_context_length": 8}})], 8),
        (
            [reply(200, {"data": [{"id": "m"}]}), reply(200, {"maximum_context_length": {"m": 8}})],
            8,
        ),
        ([reply(200, "no JSON"), NOT_FOUND], None),
        ([reply(200, {"data": [{"id": "another", "max_model_len": 8}]}), NOT_FOUND], None),
    ],
)
def test_a_context_window_is_found_wherever_it_is_given(
    serve: Callable[..., ScriptedServer], kind: type[Driver], replies: Any, found: int | None
) -> None:
    server = serve(*replies)
    assert window(kind, server) == found
    paths = [one.line for one in server.received]
    assert paths == ["GET /v1/models", "GET /v1/models/info"][: len(replies)]


@pytest.mark.parametrize("kind", [SyncDriver, AsyncDriver])
def test_a_failing_server_is_not_taken_for_one_that_says_nothing(
    serve: Callable[..., ScriptedServer], kind: type[Driver]
) -> None:
    with pytest.raises(ServerError):
        window(kind, serve(reply(500, "down")))


@pytest.mark.parametrize("kind", [SyncDriver, AsyncDriver])
def test_a_silent_server_is_not_waited_for(
    serve: Callable[..., ScriptedServer], kind: type[Driver]
) -> None:
    server = serve(Reply([threading.Event()]))
    patient = {"timeouts": Timeouts.of(60, idle=None, total=None)}
    with pytest.raises(RequestTimeoutError):
        window(kind, server, timeout=0.2, endpoint=patient)


@pytest.mark.parametrize("kind", [SyncDriver, AsyncDriver])
def test_a_failing_server_is_asked_again_only_while_there_is_time(
    serve: Callable[..., ScriptedServer], kind: type[Driver]
) -> None:
    server = serve(reply(503, "down", {"retry-after": "30"}))
    with pytest.raises(ServerError):
        window(kind, server, timeout=0.2, endpoint={"max_retries": 2})
    assert len(server.received) == 1
