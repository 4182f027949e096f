"""The base of both frameworks' model classes: their shared fields, their settings, their clients.

``ChatMonster`` and ``MonsterLLM`` inherit from :class:`MonsterModelBase` and from their
framework's class. A model opens no connection, and does not import httpx, before its first
request.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, Field, PrivateAttr, ValidationError
from typing_extensions import Self

from monster_core.errors import ConfigurationError, InvalidRequestError, MonsterError
from monster_core.model_arguments import (
    DEFAULT_TIMEOUT_SECONDS,
    ApiKey,
    AsyncTransport,
    DefaultHeaders,
    HttpClient,
    Timeout,
    fill_in_settings,
    refuse_unknown_arguments,
)
from monster_core.model_signature import ShortSignature
from monster_core.models_endpoint import MAX_DISCOVERY_SECONDS
from monster_core.request.fields import CallParameters, split_unknown_fields
from monster_core.request.validation import (
    CALL_OPTIONS,
    describe,
    merge_parameters,
    validate_parameters,
)
from monster_core.secrets import SECRETS, with_masked_secrets
from monster_core.server_profiles import ServerProfile, server_profile

if TYPE_CHECKING:
    from monster_core.request.builder import ChatRequest
    from monster_core.request.call_options import CallOptions
    from monster_core.request.messages import Message
    from monster_core.transport.client import AsyncMonsterClient, MonsterClient
    from monster_core.transport.endpoint import Endpoint

__all__ = ["MonsterModelBase"]


class _Clients:
    """The clients of one model; a copy, a pickle or a changed setting begins with none."""

    __slots__ = ("async_client", "client")

    def __init__(self) -> None:
        self.client: MonsterClient | None = None
        self.async_client: AsyncMonsterClient | None = None

    def __reduce__(self) -> tuple[type[_Clients], tuple[()]]:
        return _Clients, ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Clients)  # models of the same settings are equal

    __hash__ = None  # type: ignore[assignment]


class MonsterModelBase(CallParameters):
    """The request fields, the connection settings and the clients of a model.

    A subclass names the three fields that the frameworks call differently, and turns errors
    into its framework's.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        defer_build=True,  # only the subclass validates: building both takes half of an import
        hide_input_in_errors=True,
        validate_assignment=True,
    )

    _base_url_field: ClassVar[str] = "base_url"
    _async_client_field: ClassVar[str] = "http_async_client"
    _extra_fields_field: ClassVar[str] = "model_kwargs"
    _call_options: ClassVar[tuple[str, ...]] = CALL_OPTIONS

    api_key: ApiKey | None = Field(
        default=None, exclude=True, repr=False, description="The API key; MONSTER_API_KEY."
    )
    timeout: Timeout = Field(
        default=None,
        description="Seconds for each phase, or an httpx.Timeout; MONSTER_TIMEOUT, else 120.",
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
        description="How often a failed request is sent again; MONSTER_MAX_RETRIES, else 2.",
    )
    max_response_bytes: int | None = Field(
        default=None,
        gt=0,
        description="Most bytes of one response, decompressed; 64 MiB if None.",
    )
    default_headers: DefaultHeaders = Field(
        default=None, exclude=True, repr=False, description="Headers of every request; secret."
    )
    allow_http: bool | None = Field(
        default=None,
        description="Allow plain http off the loopback; MONSTER_ALLOW_HTTP, else false.",
    )
    http_client: HttpClient = Field(
        default=None, exclude=True, repr=False, description="An httpx.Client of your own."
    )
    async_transport: AsyncTransport | None = Field(
        default=None,
        description="What async requests are sent with; MONSTER_ASYNC_TRANSPORT, else httpx.",
    )

    _clients: _Clients = PrivateAttr(default_factory=_Clients)

    def __init__(self, **arguments: Any) -> None:
        # Secrets are masked first of all, so that no traceback shows one.
        arguments = with_masked_secrets(arguments)
        refuse_unknown_arguments(type(self), arguments, self._extra_fields_field)
        try:
            arguments = fill_in_settings(arguments, self._base_url_field)
        except ConfigurationError as error:
            raise self._framework_error(error) from None
        super().__init__(**arguments)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.__signature__ = ShortSignature()  # type: ignore[assignment]  # a descriptor of it

    def model_post_init(self, context: Any, /) -> None:
        """Let the framework's class, which follows in the order of the bases, finish."""
        super().model_post_init(context)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in SECRETS:
            value = with_masked_secrets({name: value})[name]
        problem = ""
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            problem = describe(error)
        if problem:  # raised here, since the error above holds the value
            kind = (
                InvalidRequestError if name in CallParameters.model_fields else ConfigurationError
            )
            raise self._framework_error(kind(problem))
        if name in type(self).model_fields:
            self._field_was_assigned(name)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Return what is set: the model first, secrets masked, and nothing that is a default."""
        fields, values = type(self).model_fields, self.__dict__
        for name in dict.fromkeys(("model", self._base_url_field, *SECRETS, *fields)):
            value = values.get(name)
            is_shown = fields[name].repr or name in SECRETS
            if is_shown and value is not None and not self._is_default(name, value):
                yield name, value

    def _is_default(self, name: str, value: Any) -> bool:
        """Whether a field's value says nothing of what was set."""
        from monster_core.settings import MonsterSettings  # pydantic-settings imports slowly

        setting = "api_base" if name == self._base_url_field else name
        field = MonsterSettings.model_fields.get(setting) or type(self).model_fields[name]
        return bool(value == field.get_default(call_default_factory=True))

    def _field_was_assigned(self, name: str) -> None:
        """Forget what was made from the old value of a field."""
        if name not in CallParameters.model_fields:
            self._clients = _Clients()

    def _framework_error(self, error: MonsterError) -> MonsterError:
        """Return the framework's error of the same meaning."""
        return error

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied._clients = _Clients()
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

    def _request(
        self,
        messages: Sequence[Message],
        call: Mapping[str, Any],
        *,
        stream: bool,
        ask_usage: bool = True,
    ) -> tuple[ChatRequest, CallOptions | None]:
        """Build the request of one call; what can be refused is refused here.

        Args:
            messages: The conversation.
            call: The call's arguments.
            stream: Whether it is streamed.
            ask_usage: Whether a stream shall end with its token counts.

        Returns:
            The request, and how it differs from others in what is not its body; None if it does
            not.

        Raises:
            InvalidRequestError: An argument cannot be used, or the server would refuse the request.
        """
        from monster_core.request.builder import build_request

        options: CallOptions | None = None
        if not call.keys().isdisjoint(self._call_options):
            from monster_core.request.call_options import split_call_options

            call, options = split_call_options(call, self._call_options)
        fields, unknown = self._request_fields(call, stream=stream, ask_usage=ask_usage)
        if options is not None and options.extra_body:
            unknown = {**unknown, **options.extra_body}
        return build_request(messages, fields, stream=stream, extra=unknown), options

    def _request_fields(
        self, call: Mapping[str, Any], *, stream: bool = False, ask_usage: bool = True
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the request fields of one call: the instance's, with the call's laid over.

        Args:
            call: The call's arguments.
            stream: Whether it is streamed; the instance's stream_options are for streams only.
            ask_usage: Whether a stream shall end with its token counts.

        Returns:
            The fields, and those that this package does not know, which are sent as they are.

        Raises:
            InvalidRequestError: An argument is unknown, of the wrong type or out of range.
        """
        fields = self._set_fields()
        unknown: dict[str, Any] = {}
        extra = getattr(self, self._extra_fields_field)
        if extra:
            flat = dict(extra)
            flat.update(flat.pop("extra_body", None) or {})  # OpenAI's clients nest them so
            known, unknown = split_unknown_fields(flat)
            fields = {name: fields[name] for name in fields if name not in known}
            fields.update(validate_parameters(known))
        if call:
            fields = merge_parameters(
                fields, call, server=self.server, also=type(self).model_fields
            )
        if stream and ask_usage:
            fields.setdefault("stream_options", {"include_usage": True})
        elif not stream and call.get("stream_options") is None:
            fields.pop("stream_options", None)
        return fields, unknown

    def _set_fields(self) -> dict[str, Any]:
        """Return the request fields that are set on this model."""
        values = self.__dict__
        return {name: values[name] for name in _PARAMETERS if values[name] is not None}

    def _client(self, options: CallOptions | None = None) -> MonsterClient:
        """Return the client of the present settings, with the timeout and headers of one call."""
        clients = self._clients
        if clients.client is None:
            from monster_core.transport.client import MonsterClient

            clients.client = MonsterClient(self._endpoint(), self.http_client)
        if options is None or options.keeps_endpoint:
            return clients.client
        return clients.client.with_endpoint(self._endpoint(options))

    def _async_client(self, options: CallOptions | None = None) -> AsyncMonsterClient:
        """Async version of :meth:`_client`."""
        clients = self._clients
        if clients.async_client is None:
            from monster_core.transport.client import AsyncMonsterClient

            given = getattr(self, self._async_client_field)
            clients.async_client = AsyncMonsterClient(self._endpoint(), given)
        if options is None or options.keeps_endpoint:
            return clients.async_client
        return clients.async_client.with_endpoint(self._endpoint(options))

    def _endpoint(self, options: CallOptions | None = None) -> Endpoint:
        """Return the endpoint of the present settings, with the timeout and headers of one call."""
        from monster_core.transport.deadline import Timeouts
        from monster_core.transport.endpoint import MAX_RESPONSE_BYTES, Endpoint

        idle, total = self.stream_idle_timeout, self.total_timeout
        return Endpoint(
            base_url=getattr(self, self._base_url_field),
            api_key=self.api_key,
            timeouts=Timeouts.of(
                (options and options.timeout) or self.timeout or DEFAULT_TIMEOUT_SECONDS,
                idle=idle,
                total=total,
            ),
            max_retries=self.max_retries or 0,
            default_headers={
                **(self.default_headers or {}),
                **((options and options.extra_headers) or {}),
            },
            max_response_bytes=self.max_response_bytes or MAX_RESPONSE_BYTES,
            async_transport=self.async_transport or "httpx",
        )

    def discover_server(self, timeout: float = MAX_DISCOVERY_SECONDS) -> ServerProfile:
        """Ask the endpoint which release of vLLM it is, and set ``server`` to it.

        Where the endpoint does not tell, ``server`` stays as it is, and a warning says so.

        Args:
            timeout: Seconds for each of the two paths that may tell it: ``/version`` and
                ``/openapi.json``, beside the base URL.

        Returns:
            The profile that holds from now on.

        Raises:
            MonsterError: The endpoint cannot be reached.
        """
        try:
            name = self._client().server(timeout)
        except MonsterError as error:
            raise self._framework_error(error) from error.__cause__
        return self._keep_server(name)

    async def adiscover_server(self, timeout: float = MAX_DISCOVERY_SECONDS) -> ServerProfile:
        """Ask for the release; the async version of :meth:`discover_server`."""
        try:
            name = await self._async_client().server(timeout)
        except MonsterError as error:
            raise self._framework_error(error) from error.__cause__
        return self._keep_server(name)

    def _keep_server(self, found: str | None) -> ServerProfile:
        if found is not None:
            self.server = found
        profile = server_profile(self.server)
        if found is None:
            warnings.warn(
                f"The server stays {self.server or profile.name!r}: the endpoint does not tell a "
                "release of vLLM from 0.5 on (asked: /version, /openapi.json). Pass server= to set "
                "it.",
                stacklevel=3,
            )
        return profile

    def close(self) -> None:
        """Close the connections of calls; a later call opens new ones."""
        if self._clients.client is not None:
            self._clients.client.close()

    async def aclose(self) -> None:
        """Close the connections of calls and of this event loop's coroutines."""
        self.close()
        if self._clients.async_client is not None:
            await self._clients.async_client.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


_PARAMETERS = tuple(CallParameters.model_fields)
