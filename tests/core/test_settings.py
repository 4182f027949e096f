"""Where the endpoint is and which key opens it: argument, else environment, else default."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from monster_core.errors import ConfigurationError
from monster_core.model_arguments import BaseUrl
from monster_core.model_base import MonsterModelBase
from monster_core.secrets import check_key
from monster_core.settings import DEFAULT_BASE_URL, check_base_url, environment_settings


class Connected(MonsterModelBase):
    """A framework's class, without the framework."""

    base_url: BaseUrl = None
    http_async_client: Any = None
    model_kwargs: dict[str, Any] | None = None


SETTINGS = [
    ("model", "MONSTER_MODEL", "env-model", "env-model", "given-model"),
    ("timeout", "MONSTER_TIMEOUT", "7.5", 7.5, 3.0),
    ("max_retries", "MONSTER_MAX_RETRIES", "5", 5, 0),
    ("server", "MONSTER_SERVER", "vllm", "vllm", "vllm-0.9"),
    ("allow_http", "MONSTER_ALLOW_HTTP", "1", True, False),
    ("base_url", "MONSTER_API_BASE", "https://env.example/v1", "https://env.example/v1", None),
]


@pytest.mark.parametrize("field, variable, text, value, given", SETTINGS)
def test_the_environment_fills_in(
    monkeypatch: pytest.MonkeyPatch, field: str, variable: str, text: str, value: Any, given: Any
) -> None:
    monkeypatch.setenv(variable, text)
    assert getattr(Connected(), field) == value


@pytest.mark.parametrize("field, variable, text, value, given", SETTINGS[:-1])
def test_an_argument_wins_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, field: str, variable: str, text: str, value: Any, given: Any
) -> None:
    monkeypatch.setenv(variable, text)
    assert getattr(Connected(**{field: given}), field) == given


def test_an_addresss_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONSTER_API_BASE", "not an address at all")
    assert Connected(base_url="https://a.example/v1").base_url == "https://a.example/v1"


def test_defaults_hold_where_nobody_says_anything() -> None:
    made = Connected()
    assert made.base_url == DEFAULT_BASE_URL == "https://llm.monsterapi.ai/v1"
    assert (made.timeout, made.max_retries, made.model, made.api_key) == (120.0, 2, None, None)


@pytest.mark.parametrize("field, variable, text, value, given", SETTINGS)
def test_an_empty_variable_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, field: str, variable: str, text: str, value: Any, given: Any
) -> None:
    expected = getattr(Connected(), field)
    monkeypatch.setenv(variable, "")
    assert getattr(Connected(), field) == expected


@pytest.mark.parametrize("field, variable, text, value, given", SETTINGS)
def test_none_as_an_argument_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, field: str, variable: str, text: str, value: Any, given: Any
) -> None:
    monkeypatch.setenv(variable, text)
    assert getattr(Connected(**{field: None}), field) == value


def test_the_environment_is_read_anew_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONSTER_MODEL", "one")
    assert environment_settings() is environment_settings()
    monkeypatch.setenv("MONSTER_MODEL", "two")
    assert environment_settings().model == "two"


@pytest.mark.parametrize(
    "variable, text",
    [
        ("MONSTER_TIMEOUT", "soon"),
        ("MONSTER_TIMEOUT", "0"),
        ("MONSTER_TIMEOUT", "inf"),
        ("MONSTER_MAX_RETRIES", "-1"),
        ("MONSTER_MAX_RETRIES", "1.5"),
        ("MONSTER_ALLOW_HTTP", "perhaps"),
        ("MONSTER_API_KEY", "two words"),
    ],
)
def test_an_unusable_variable_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(ConfigurationError, match=variable) as caught:
        environment_settings()
    if variable == "MONSTER_API_KEY":
        assert text not in str(caught.value)


@pytest.mark.parametrize(
    "variable",
    ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_MODEL", "MONSTERAPI_API_KEY"],
)
def test_no_other_variable_is_read(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "https://other.example/v1")
    assert Connected() == Connected(base_url=DEFAULT_BASE_URL)
    assert Connected().api_key is None


def test_a_key_of_the_environment_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONSTER_API_KEY", " open-sesame\n")
    made = Connected()
    assert made.api_key == SecretStr("open-sesame")
    assert "open-sesame" not in f"{made!r} {made.model_dump()} {made.model_dump_json()}"


def test_a_keys_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONSTER_API_KEY", "of-the-environment")
    assert Connected(api_key="given").api_key == SecretStr("given")


@pytest.mark.parametrize("key", ["open-sesame", " open-sesame ", "\topen-sesame\r\n"])
def test_white_space_around_a_key_is_dropped(key: str) -> None:
    assert check_key(SecretStr(key), "api_key").get_secret_value() == "open-sesame"


@pytest.mark.parametrize("key", ["", "   ", "\n"])
def test_an_empty_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="EMPTY by custom"):
        check_key(SecretStr(key), "api_key")


@given(
    st.sampled_from("\0\x01\x1b\x7f\r\n \u00e9\u2028\u200b\U0001f511"),
    st.text("abc", min_size=1),
    st.text("abc", min_size=1),
)
def test_what_no_header_may_hold_is_refused_and_not_shown(bad: str, one: str, two: str) -> None:
    with pytest.raises(ConfigurationError, match="not shown") as caught:
        check_key(SecretStr(f"key{one}{bad}{two}yek"), "api_key")
    assert f"key{one}{bad}" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/v1",
        "https://a.example/v1/",
        "  https://a.example/v1//\n",
    ],
)
def test_slashes_and_white_space_around_an_address_are_dropped(url: str) -> None:
    assert check_base_url(url, allow_http=False) == "https://a.example/v1"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost", "api.localhost:1", "127.8.9.1", "[::1]:8000"]
)
def test_this_machine_needs_no_encryption(host: str) -> None:
    assert check_base_url(f"http://{host}/v1", allow_http=False) == f"http://{host}/v1"


@pytest.mark.parametrize(
    "host", ["a.example", "192.0.2.7:8000", "localhost.example", "127.0.0.1.example", "[::2]"]
)
def test_another_machine_does_unless_it_is_allowed(host: str) -> None:
    with pytest.raises(ConfigurationError, match="MONSTER_ALLOW_HTTP"):
        check_base_url(f"http://{host}/v1", allow_http=False)
    assert check_base_url(f"http://{host}/v1", allow_http=True) == f"http://{host}/v1"


@pytest.mark.parametrize(
    "url",
    ["", "a.example/v1", "ftp://a.example", "https://", "https:///v1", "https://a.example:port/v1"],
)
def test_what_is_not_an_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        check_base_url(url, allow_http=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@a.example/v1",
        "https://hunter2@a.example/v1",
        "https://user:hunter2@a.example:port/v1",
        "a:hunter2@a.example/v1",
        "https://a.example/v1?key=hunter2",
        "https://a.example/v1#hunter2",
    ],
)
def test_an_address_with_a_secret_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(url, allow_http=True)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": "sesame \0"},
        {"base_url": "http://a.example"},
        {"timeout": 0},
        {"timeout": "1"},
        {"max_retries": -1},
        {"default_headers": {"x-sesame": "a\r\nb"}},
        {"stream_idle_timeout": 0},
        {"total_timeout": -1},
        {"temperatur": "sesame"},
    ],
    ids=str,
)
def test_an_unusable_argument_is_refused_without_its_value(arguments: dict[str, Any]) -> None:
    (name,) = arguments
    with pytest.raises(ValidationError) as caught:
        Connected(**arguments)
    assert name in str(caught.value) or "base URL" in str(caught.value)
    assert "sesame" not in str(caught.value).replace("x-sesame", "")


def test_an_environment_that_takes_the_place_of_another_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MONSTER_API_KEY", "first-key")
    assert environment_settings().api_key == SecretStr("first-key")
    with mock.patch("os.environ", {"MONSTER_API_KEY": "second-key"}):
        assert environment_settings().api_key == SecretStr("second-key")
    assert environment_settings().api_key == SecretStr("first-key")


@pytest.mark.parametrize(
    "address, told",
    [
        ("127.0.0.1:8000/v1", "must begin with https:// or http://"),
        ("http://10.0.0.7/v1", "would send the key unencrypted"),
    ],
)
def test_an_unusable_address_of_the_environment_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, address: str, told: str
) -> None:
    monkeypatch.setenv("MONSTER_API_BASE", address)
    with pytest.raises(ConfigurationError, match=rf"MONSTER_API_BASE is not usable: .*{told}"):
        Connected()
