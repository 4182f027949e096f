"""Decide where the endpoint is, which key opens it, and what is refused as a setting."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from monster_core.errors import ConfigurationError, InvalidRequestError
from monster_core.model_arguments import DEFAULT_TIMEOUT_SECONDS
from monster_core.secrets import check_key
from monster_core.server_profiles import server_profile

__all__ = ["DEFAULT_BASE_URL", "MonsterSettings", "environment_settings", "is_loopback"]

DEFAULT_BASE_URL = "https://llm.monsterapi.ai/v1"


class MonsterSettings(BaseSettings):
    """Read the settings from the ``MONSTER_*`` environment variables.

    No other variable is read, and no file.

    Args:
        api_key: The key, sent as ``Authorization: Bearer``; ``MONSTER_API_KEY``.
        api_base: The endpoint's base URL, ending in ``/v1`` as a rule; ``MONSTER_API_BASE``.
        model: The model to ask when none is given; ``MONSTER_MODEL``.
        timeout: Seconds, for each phase of a request; ``MONSTER_TIMEOUT``.
        max_retries: How often a failed request is sent again; ``MONSTER_MAX_RETRIES``.
        allow_http: Whether plain http is allowed off the loopback; ``MONSTER_ALLOW_HTTP``.
        async_transport: What async requests are sent with, ``httpx`` or ``aiohttp``;
            ``MONSTER_ASYNC_TRANSPORT``.
        max_schema_seconds: Seconds that a server may compile a schema;
            ``MONSTER_MAX_SCHEMA_SECONDS``.
        server: What serves the model, such as ``vllm-0.5`` or ``vllm``; ``MONSTER_SERVER``.
    """

    model_config = SettingsConfigDict(
        env_prefix="MONSTER_", env_ignore_empty=True, hide_input_in_errors=True, extra="ignore"
    )

    api_key: SecretStr | None = None
    api_base: str = DEFAULT_BASE_URL
    model: str | None = None
    timeout: float = Field(default=DEFAULT_TIMEOUT_SECONDS, gt=0, allow_inf_nan=False)
    max_retries: int = Field(default=2, ge=0)
    allow_http: bool = False
    async_transport: Literal["httpx", "aiohttp"] = "httpx"
    max_schema_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    server: str | None = None

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else check_key(value, "MONSTER_API_KEY")

    @field_validator("server")
    @classmethod
    def _check_server(cls, value: str | None) -> str | None:
        try:
            server_profile(value)
        except InvalidRequestError as error:
            raise ValueError(str(error)) from None
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, and nothing else."""
        return init_settings, env_settings


def environment_settings() -> MonsterSettings:
    """Return the settings that the environment holds now.

    Reading them takes half a millisecond, so an unchanged environment is read once.

    Raises:
        ConfigurationError: A variable cannot be used; the message names it.
    """
    global _read
    now = _fingerprint()
    if _read is None or _read[0] != now:
        problem = ""
        try:
            _read = now, MonsterSettings()
        except ValidationError as error:
            problem = _in_one_sentence(error)
        if problem:  # raised out here, for the error above holds the variables' values
            raise ConfigurationError(problem)
    assert _read is not None
    return _read[1]


@lru_cache(maxsize=64)
def check_base_url(url: str, *, allow_http: bool) -> str:
    """Return the base URL without a trailing slash.

    Args:
        url: The base URL as given.
        allow_http: Whether plain http may go to another host than this one.

    Raises:
        ConfigurationError: It is not an http(s) URL, carries credentials or a query, or would send
            the key unencrypted.
    """
    text = url.strip()
    parts = _split(text)
    if text and "://" not in text:
        raise ConfigurationError(
            f"The base URL must begin with https:// or http://, such as {DEFAULT_BASE_URL}."
        )
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ConfigurationError(
            f"The base URL{_shown(text)} is not an http(s) address like {DEFAULT_BASE_URL}."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            "The base URL may hold neither credentials nor a query or fragment: give the key as "
            "api_key or MONSTER_API_KEY."
        )
    if parts.scheme == "http" and not (allow_http or is_loopback(parts.hostname)):
        raise ConfigurationError(
            f"The base URL {text!r} would send the key unencrypted: use https, or allow it with "
            "allow_http=True or MONSTER_ALLOW_HTTP=1."
        )
    return text.rstrip("/")


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether a host is this machine.

    Args:
        host: Its name or address.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_VARIABLES = tuple(f"MONSTER_{name.upper()}" for name in MonsterSettings.model_fields)
_UNDECODED = tuple(map(os.fsencode, _VARIABLES))
_ENVIRON = os.environ


def _fingerprint() -> int:
    """Return what tells two states of the variables apart, and holds none of their values."""
    if os.supports_bytes_environ and os.environ is _ENVIRON:  # undecoded, it takes half the time
        return hash(tuple(map(os.environb.get, _UNDECODED)))
    return hash(tuple(map(os.environ.get, _VARIABLES)))


_read: tuple[int, MonsterSettings] | None = None


def _in_one_sentence(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    said = (
        found["msg"].removeprefix("Value error, ").replace("Input should", "it should").rstrip(".")
    )
    name = f"MONSTER_{str(found['loc'][0]).upper()}"
    return f"{said}." if name in said else f"The environment variable {name} is not usable: {said}."


def _split(text: str) -> Any:
    # urlsplit drops line breaks and tabs, and clients differ on a backslash: both hide the host
    if text.isprintable() and not {" ", "\\"} & set(text):
        with contextlib.suppress(ValueError):
            parts = urlsplit(text)
            _ = parts.port  # an error's text would quote it, and it may be half a password
            return parts
    raise ConfigurationError(f"The base URL{_shown(text)} cannot be read: check host and port.")


def _shown(text: str) -> str:
    """Show an address, but not what stands before an @, nor a key in the address's place."""
    if "://" not in text:
        return ""
    _, at, tail = text.rpartition("@")
    return f" {f'***@{tail}' if at else text!r}"
