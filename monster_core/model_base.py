"""Give a framework's model class its connection: settings as fields, clients made when needed.

Both framework classes inherit :class:`MonsterModelBase` beside the request parameters. It
decides what the environment fills in, what an unknown argument is told, and when clients are
made anew; it imports httpx only when the first request is sent.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import (
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    model_validator,
)

from monster_core.deferred import built
from monster_core.model_arguments import (
    DEFAULT_TIMEOUT,
    HeadersArgument,
    TimeoutArgument,
    filled_in,
    refuse_unknown,
)
from monster_core.request.fields import CallParameters
from monster_core.request.validation import merge_parameters, validate_parameters
from monster_core.secrets import SECRETS, with_masked_secrets

if TYPE_CHECKING:
    from typing_extensions import Self

    from monster_core.transport.client import AsyncMonsterClient, MonsterClient
    from monster_core.transport.endpoint import Endpoint

__all__ = ["MonsterModelBase"]


class _Prepared:
    """Hold what follows from an instance's parameters."""

    __slots__ = ("fields", "given", "told", "unknown")

    def __init__(self) -> None:
        self.fields: dict[str, Any] | None = None
        self.given: dict[str, Any] = {}  # the extra fields that `fields` and `unknown` come from
        self.unknown: dict[str, Any] = {}
        self.told: dict[str, Any] | None = None


class _Live:
    """Hold what an instance makes for itself; a copy or a pickle begins with none of it."""

    __slots__ = ("async_client", "client", "prepared")

    def __init__(self) -> None:
        self.client: MonsterClient | None = None
        self.async_client: AsyncMonsterClient | None = None
        self.prepared = _Prepared()

    def __reduce__(self) -> tuple[type[_Live], tuple[()]]:
        return _Live, ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Live)  # models of the same settings are equal


class MonsterModelBase(CallParameters):
    """Hold the settings of a connection and the request parameters of an instance."""

    model_config = ConfigDict(
        hide_input_in_errors=True, arbitrary_types_allowed=True, defer_build=True
    )

    _base_url_field: ClassVar[str] = "base_url"
    _async_client_field: ClassVar[str] = "http_async_client"
    _extra_fields_field: ClassVar[str] = "model_kwargs"

    api_key: SecretStr | None = Field(
        default=None, exclude=True, repr=False, description="The API key; MONSTER_API_KEY."
    )
    timeout: TimeoutArgument = Field(
        default=None,
        description="Seconds for each phase of a request, or an httpx.Timeout; MONSTER_TIMEOUT.",
    )
    stream_idle_timeout: float | None = Field(
        default=None,
        gt=0,
        description="Seconds between two content chunks of a stream; the read timeout if None.",
    )
    total_timeout: float | None = Field(
        default=None,
        gt=0,
        description="Seconds for a whole call with its retries; no limit if None.",
    )
    max_retries: int | None = Field(
        default=None,
        ge=0,
        description="How often a failed request is sent again; MONSTER_MAX_RETRIES.",
    )
    max_response_bytes: int | None = Field(
        default=None,
        gt=0,
        description="Most bytes of one reply, decompressed; 64 MiB if None.",
    )
    default_headers: HeadersArgument = Field(
        default=None, exclude=True, repr=False, description="Headers for every request; secret."
    )
    allow_http: bool | None = Field(
        default=None, description="Allow plain http off the loopback; MONSTER_ALLOW_HTTP."
    )
    http_client: Any = Field(
        default=None, exclude=True, repr=False, description="An httpx.Client of your own."
    )

    _live: _Live = PrivateAttr(default_factory=_Live)

    @property
    def _own(self) -> _Live:
        # pydantic looks for a private attribute everywhere else first, five times a call
        private: dict[str, Any] = self.__pydantic_private__ or {}
        own: _Live = private["_live"]
        return own

    if not TYPE_CHECKING:

        def __init__(self, *args: Any, **data: Any) -> None:
            # first of all, so that no error of any validator can quote a secret, nor a traceback
            data = with_masked_secrets(data)
            refuse_unknown(type(self), data, type(self)._extra_fields_field)
            super().__init__(*args, **data)

    def model_post_init(self, context: Any, /) -> None:
        """Let the framework's class, which comes after this one, finish its own construction."""
        super().model_post_init(context)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_settings(cls, data: Any) -> Any:
        """Take from the environment what no argument says; check key and address."""
        return filled_in(data, cls._base_url_field) if isinstance(data, dict) else data

    def __setattr__(self, name: str, value: Any) -> None:
        if name in SECRETS:
            value = with_masked_secrets({name: value})[name]
        if name in _PARAMETERS:
            value = validate_parameters({name: value}).get(name)
        elif name == self._base_url_field:
            from monster_core.settings import check_base_url

            value = check_base_url(value, allow_http=bool(self.allow_http))
        elif name in _SETTINGS:
            value = getattr(built(MonsterModelBase)(**{name: value}), name)
        super().__setattr__(name, value)
        # what another thread still makes of the old value goes into what is thrown away here
        if name in _PARAMETERS or name == self._extra_fields_field:
            self._own.prepared = _Prepared()
        elif name in _SETTINGS or name in (self._base_url_field, self._async_client_field):
            self._live = _Live()

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied._live = _Live()
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        for name in ("http_client", self._async_client_field):
            client = getattr(self, name)
            if client is not None:  # a caller's client is shared, as it is between calls
                memo[id(client)] = client
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        given = [name for name in ("http_client", self._async_client_field) if getattr(self, name)]
        if not given:
            return super().__getstate__()
        warnings.warn(
            f"{' and '.join(given)} cannot be pickled: the copy makes a client of its own",
            stacklevel=2,
        )
        bare = copy.copy(self)
        for name in given:
            bare.__dict__[name] = None
        return bare.__getstate__()

    def _request_fields(
        self, call: Mapping[str, Any], *, stream: bool = False, ask_usage: bool = True
    ) -> dict[str, Any]:
        """Return the request fields of one call: the instance's, with the call's laid over.

        Args:
            call: The call's arguments.
            stream: Whether it is streamed; the instance's stream_options are for streams only.
            ask_usage: Whether a stream shall end with its token counts.

        Raises:
            InvalidRequestError: An argument is unknown, of the wrong type or out of range.
        """
        prepared = self._prepared()
        fields = merge_parameters(prepared.fields or {}, call, also=type(self).model_fields)
        if stream and ask_usage:
            fields.setdefault("stream_options", {"include_usage": True})
        elif not stream and call.get("stream_options") is None:
            fields.pop("stream_options", None)
        return fields

    def _unknown_fields(self) -> dict[str, Any]:
        """Return the fields that this package does not know; sent as they are."""
        return self._prepared().unknown

    def _set_fields(self) -> dict[str, Any]:
        """Return the parameters that are set, as they were given; a dict of the caller's own."""
        prepared = self._own.prepared
        if prepared.told is None:
            fields = {name: self.__dict__[name] for name in _PARAMETERS}
            prepared.told = {name: value for name, value in fields.items() if value is not None}
        return dict(prepared.told)

    def _prepared(self) -> _Prepared:
        prepared, given = self._own.prepared, self.__dict__[self._extra_fields_field] or {}
        if prepared.fields is None or given != prepared.given:
            values = {name: self.__dict__[name] for name in _PARAMETERS}
            extra = dict(given)
            extra.update(extra.pop("extra_body", None) or {})  # as OpenAI's clients nest them
            values.update({name: extra.pop(name) for name in list(extra) if name in values})
            prepared.fields, prepared.unknown = validate_parameters(values), extra
            prepared.given = dict(given)  # last: until then, another thread does the same
        return prepared

    def _client(self) -> MonsterClient:
        """Return the client of the present settings."""
        live = self._own
        if live.client is None:
            from monster_core.transport.client import MonsterClient

            live.client = MonsterClient(self._endpoint(), self.http_client)
        return live.client

    def _async_client(self) -> AsyncMonsterClient:
        """Return the async client of the present settings."""
        live = self._own
        if live.async_client is None:
            from monster_core.transport.client import AsyncMonsterClient

            given = getattr(self, self._async_client_field)
            live.async_client = AsyncMonsterClient(self._endpoint(), given)
        return live.async_client

    def _endpoint(self) -> Endpoint:
        from monster_core.transport.deadline import Timeouts
        from monster_core.transport.endpoint import MAX_RESPONSE_BYTES, Endpoint

        idle, total = self.stream_idle_timeout, self.total_timeout
        return Endpoint(
            base_url=getattr(self, self._base_url_field),
            api_key=self.api_key,
            timeouts=Timeouts.of(self.timeout or DEFAULT_TIMEOUT, idle=idle, total=total),
            max_retries=self.max_retries or 0,
            default_headers=self.default_headers or {},
            max_response_bytes=self.max_response_bytes or MAX_RESPONSE_BYTES,
        )

    def close(self) -> None:
        """Close the connections of calls; a later call opens new ones."""
        if self._own.client is not None:
            self._own.client.close()

    async def aclose(self) -> None:
        """Close the connections of calls and of this event loop's coroutines."""
        self.close()
        if self._own.async_client is not None:
            await self._own.async_client.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


_PARAMETERS = dict.fromkeys(CallParameters.model_fields)  # in their order
_SETTINGS = frozenset(MonsterModelBase.model_fields)
