"""What a framework's class inherits: unknown names, copies, pickles, changed settings."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import re
from typing import Any
from unittest.mock import create_autospec

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from monster_core.errors import ConfigurationError, InvalidRequestError
from monster_core.model_arguments import AsyncHttpClient, BaseUrl
from monster_core.model_base import MonsterModelBase


class Connected(MonsterModelBase):
    """A framework's class, without the framework."""

    base_url: BaseUrl = None
    http_async_client: AsyncHttpClient = None
    model_kwargs: dict[str, Any] | None = None


@pytest.fixture
def made() -> Connected:
    return Connected(
        api_key="open-sesame", base_url="http://127.0.0.1:9/v1", default_headers={"x-team": "blue"}
    )


@pytest.mark.parametrize(
    "unknown, near",
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("guidedjson", "guided_json"),
        ("api_keys", "api_key"),
        ("retries", "max_retries"),
    ],
)
def test_the_error_for_an_unknown_argument_suggests_the_nearest_one(
    unknown: str, near: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(f"did you mean '{near}'")):
        Connected(**{unknown: 1})


def test_an_unlike_name_gets_no_guess() -> None:
    with pytest.raises(ValidationError, match=r"'zzz'\. Fields .* go into model_kwargs"):
        Connected(zzz=1)


def test_one_error_names_every_unknown_argument() -> None:
    with pytest.raises(ValidationError) as caught:
        Connected(temprature=1, max_token=2)
    assert caught.value.error_count() == 2


def test_an_unknown_argument_of_a_call_gets_a_suggestion_too(made: Connected) -> None:
    with pytest.raises(InvalidRequestError, match="did you mean 'temperature'"):
        made._request_fields({"temprature": 1})


def test_a_calls_argument_wins(made: Connected) -> None:
    made.temperature, made.top_k = 0.5, 40
    fields = made._request_fields({"temperature": 0.9, "top_k": None})
    assert fields == ({"temperature": 0.9}, {})
    assert made._request_fields({}) == ({"temperature": 0.5, "top_k": 40}, {})


def test_a_known_field_among_the_unknown_ones_is_checked() -> None:
    made = Connected(model_kwargs={"temperature": 0.5, "best_new_field": 1})
    assert made._request_fields({}) == ({"temperature": 0.5}, {"best_new_field": 1})
    with pytest.raises(InvalidRequestError, match="temperature"):
        Connected(model_kwargs={"temperature": -1})._request_fields({})


@pytest.mark.parametrize("field, value", [("temperature", -1), ("n", 0), ("base_url", "x")])
def test_an_assignment_is_checked(made: Connected, field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"temperature|'n'|base URL"):
        setattr(made, field, value)


def test_a_changed_setting_takes_effect_at_the_next_call(made: Connected) -> None:
    before = made._client()
    assert made._client() is before
    made.base_url = "http://127.0.0.1:10/v1/"
    assert made._client().endpoint.base_url == "http://127.0.0.1:10/v1"
    made.api_key = SecretStr("another")
    assert made._client().endpoint.headers["authorization"] == "Bearer another"
    made.timeout = 3
    assert made._client().endpoint.timeouts.read == 3
    made.max_retries = 0
    assert made._client().endpoint.max_retries == 0


def test_a_changed_field_takes_effect_at_the_next_call(made: Connected) -> None:
    assert made._request_fields({}) == ({}, {})
    made.seed = 7
    assert made._request_fields({}) == ({"seed": 7}, {})


@pytest.mark.parametrize(
    "carry",
    [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_makes_connections_of_its_own(made: Connected, carry: Any) -> None:
    made.temperature = 0.5
    client = made._client()
    carried = carry(made)
    assert carried == made
    assert carried._client() is not client
    assert carried._client().endpoint.headers == client.endpoint.headers
    assert carried._request_fields({}) == ({"temperature": 0.5}, {})


def test_a_callers_client_is_shared_by_copies_and_left_behind_by_pickles(made: Connected) -> None:
    with httpx.Client() as http_client:
        made.http_client = http_client
        assert copy.copy(made).http_client is http_client
        assert copy.deepcopy(made).http_client is http_client
        with pytest.warns(UserWarning, match="http_client cannot be pickled"):
            text = pickle.dumps(made)
        assert pickle.loads(text).http_client is None
        assert made.http_client is http_client


def test_secrets_stand_in_no_dump(made: Connected) -> None:
    shown = f"{made!r} {made!s} {made.model_dump()} {made.model_dump_json()} {made._endpoint()!r}"
    assert "open-sesame" not in shown
    assert "blue" not in shown


@pytest.mark.parametrize(
    "timeout, phases",
    [
        (60, (10, 60, 60, 10)),
        (4.0, (4, 4, 4, 4)),
        (httpx.Timeout(5, connect=1), (1, 5, 5, 5)),
        ({"connect": 1.0, "read": 2.0}, (1, 2, None, None)),
    ],
)
def test_timeouts_are_spread_over_the_phases(made: Connected, timeout: Any, phases: Any) -> None:
    made.timeout = timeout
    found = made._endpoint().timeouts
    assert (found.connect, found.read, found.write, found.pool) == phases


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_headers_that_follow_from_each_request_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="is set for each request"):
        Connected(api_key="k", default_headers={name: "5"})


def test_default_headers_replace_any_but_the_key(made: Connected) -> None:
    made.default_headers = {"User-Agent": "mine", "Authorization": "mine", "x-team": "blue"}
    headers = made._endpoint().headers
    assert (headers["user-agent"], headers["x-team"]) == ("mine", "blue")
    assert headers["authorization"] == "Bearer open-sesame"


class OwnClient(httpx.Client):
    """A client of somebody's own."""


def closed_client() -> httpx.Client:
    with httpx.Client() as client:
        return client


@pytest.mark.parametrize(
    "name, make, problem",
    [
        ("http_client", httpx.AsyncClient, "an httpx.AsyncClient was given where an httpx.Client"),
        ("http_async_client", httpx.Client, "an httpx.Client was given where an httpx.AsyncClient"),
        ("http_client", closed_client, "is closed: give an open one"),
        ("http_client", lambda: "https://a.example", "a str was given"),
        ("http_client", lambda: httpx.Client, "a type was given"),
        ("http_async_client", object, "a object was given"),
    ],
)
def test_what_cannot_send_is_not_a_client(
    made: Connected, name: str, make: Any, problem: str
) -> None:
    for give in (lambda it: Connected(**{name: it}), lambda it: setattr(made, name, it)):
        with pytest.raises(ValueError, match=problem):
            give(make())


def test_a_client_of_ones_own_kind_or_a_mock_of_one_is_a_client(made: Connected) -> None:
    with OwnClient() as own:
        made.http_client = own
        assert Connected(http_client=own).http_client is own
    made.http_client = create_autospec(httpx.Client, instance=True)
    made.http_async_client = create_autospec(httpx.AsyncClient, instance=True)


def test_a_client_that_was_closed_later_is_named_by_the_call(made: Connected) -> None:
    with httpx.Client() as own:
        made.http_client = own
    with pytest.raises(ConfigurationError, match="The Client that this model was given is closed"):
        made._client().models()


async def test_an_async_client_that_was_closed_later_is_named_by_the_call(made: Connected) -> None:
    async with httpx.AsyncClient() as own:
        made.http_async_client = own
    with pytest.raises(
        ConfigurationError, match="The AsyncClient that this model was given is closed"
    ):
        await made._async_client().models()


def test_aiohttp_is_refused_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'monsterapi-integrations\[aiohttp\]'"):
        Connected(async_transport="aiohttp")
    monkeypatch.setenv("MONSTER_ASYNC_TRANSPORT", "aiohttp")
    with pytest.raises(ValueError, match="aiohttp"):
        Connected()
    assert Connected(async_transport="httpx").async_transport == "httpx"


def test_another_transport_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="'httpx' or 'aiohttp'"):
        Connected(async_transport="requests")
    monkeypatch.setenv("MONSTER_ASYNC_TRANSPORT", "requests")
    with pytest.raises(ConfigurationError, match="MONSTER_ASYNC_TRANSPORT"):
        Connected()
