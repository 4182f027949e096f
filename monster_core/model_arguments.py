"""The arguments that a model class takes: their types, what they accept, and who fills them in.

An argument wins over its ``MONSTER_*`` environment variable, and the variable over the default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    GetCoreSchemaHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from monster_core.errors import ConfigurationError
from monster_core.name_suggestions import unknown_argument
from monster_core.secrets import check_headers, check_key

if TYPE_CHECKING:
    import httpx

__all__ = [
    "DEFAULT_TIMEOUT_SECONDS",
    "ApiKey",
    "AsyncHttpClient",
    "AsyncTransport",
    "BaseUrl",
    "DefaultHeaders",
    "HttpClient",
    "ModelArguments",
    "Timeout",
    "fill_in_settings",
    "refuse_unknown_arguments",
]

DEFAULT_TIMEOUT_SECONDS = 120.0
"""How long each phase of a request may take; connecting may take 10 seconds at most."""


class ModelArguments(TypedDict, total=False):
    """The keyword arguments that the constructors of both model classes share.

    Type checkers and editors read it; the fields of the class validate what is given. The
    arguments that one of the classes also takes by position are declared there.
    """

    stream_idle_timeout: float | None
    total_timeout: float | None
    max_response_bytes: int | None
    timeout: float | httpx.Timeout | Mapping[str, float | None] | None
    default_headers: Mapping[str, str | SecretStr] | None
    allow_http: bool | None
    http_client: httpx.Client | None
    async_transport: Literal["httpx", "aiohttp"] | None

    user: str | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    seed: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    repetition_penalty: float | None
    logit_bias: Mapping[int, float] | Mapping[str, float] | None
    min_tokens: int | None
    stop: str | list[str] | None
    stop_token_ids: list[int] | None
    include_stop_str_in_output: bool | None
    ignore_eos: bool | None
    n: int | None
    best_of: int | None
    use_beam_search: bool | None
    length_penalty: float | None
    early_stopping: bool | None
    logprobs: bool | None
    top_logprobs: int | None
    echo: bool | None
    add_generation_prompt: bool | None
    add_special_tokens: bool | None
    skip_special_tokens: bool | None
    spaces_between_special_tokens: bool | None
    stream_options: Mapping[Literal["include_usage"], bool] | None
    tools: list[dict[str, Any]] | None
    tool_choice: str | bool | dict[str, Any] | None
    response_format: Mapping[str, Any] | None
    guided_json: str | Mapping[str, Any] | type[BaseModel] | None
    guided_regex: str | re.Pattern[str] | None
    guided_choice: list[str] | None
    guided_grammar: str | None
    guided_decoding_backend: Literal["outlines", "lm-format-enforcer"] | None
    guided_whitespace_pattern: str | None

    server: str | None
    family: str | None
    tool_format: Literal["llama", "hermes", "mistral"] | None
    tool_strategy: Literal["native", "guided", "prompt"] | None
    parallel_tool_calls: bool | None
    schema_in_prompt: bool | None
    ask_again: bool | None
    max_schema_seconds: float | None


_PHASES = ("connect", "read", "write", "pool")


def _check_timeout(value: Any) -> Any:
    if value is None or all(hasattr(value, phase) for phase in _PHASES):
        return value
    if isinstance(value, Mapping) and set(value) <= set(_PHASES):
        import httpx

        return httpx.Timeout(**{phase: value.get(phase) for phase in _PHASES})
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise ValueError("a timeout is a number of seconds above 0, or an httpx.Timeout")
    return float(value)


def _timeout_to_json(value: Any) -> Any:
    if value is None or isinstance(value, float):
        return value
    return {phase: getattr(value, phase) for phase in _PHASES}


class _CheckedTimeout:
    """Check and serialize a timeout; pydantic's marker for a serializer is slow to import."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            _check_timeout,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(_timeout_to_json),
        )


def _check_base_url(value: str | None, info: ValidationInfo) -> str | None:
    if value is None:
        return None
    from monster_core.settings import check_base_url  # pydantic-settings takes 70 ms to import

    return check_base_url(value, allow_http=bool(info.data.get("allow_http")))


def _check_async_transport(value: Any) -> Any:
    from importlib.util import find_spec

    if value == "aiohttp" and find_spec("httpx_aiohttp") is None:
        raise ValueError(
            "'aiohttp' needs a package that is not installed: "
            "pip install 'monsterapi-integrations[aiohttp]'"
        )
    return value


def _check_http_client(value: Any) -> Any:
    return value if value is None else _check_kind_of_client(value, "Client", "AsyncClient")


def _check_async_http_client(value: Any) -> Any:
    return value if value is None else _check_kind_of_client(value, "AsyncClient", "Client")


def _check_kind_of_client(value: Any, right: str, wrong: str) -> Any:
    import httpx

    if isinstance(value, getattr(httpx, wrong)):
        raise ValueError(f"an httpx.{wrong} was given where an httpx.{right} is needed")
    if not isinstance(value, getattr(httpx, right)):
        raise ValueError(f"a {type(value).__name__} was given where an httpx.{right} is needed")
    if value.is_closed is True:  # a mock's attribute is neither True nor False
        raise ValueError(f"the httpx.{right} is closed: give an open one")
    return value


if TYPE_CHECKING:
    Timeout = float | httpx.Timeout | None
else:
    Timeout = Annotated[Any, _CheckedTimeout]
ApiKey = Annotated[SecretStr, BeforeValidator(lambda key: check_key(key, "api_key"))]
DefaultHeaders = Annotated[dict[str, SecretStr] | None, BeforeValidator(check_headers)]
HttpClient = Annotated[Any, AfterValidator(_check_http_client)]
AsyncHttpClient = Annotated[Any, AfterValidator(_check_async_http_client)]
AsyncTransport = Annotated[Literal["httpx", "aiohttp"], AfterValidator(_check_async_transport)]
BaseUrl = Annotated[str | None, AfterValidator(_check_base_url)]


def refuse_unknown_arguments(
    model: type[BaseModel], arguments: Mapping[str, Any], extra: str
) -> None:
    """Refuse arguments that a class does not have.

    Args:
        model: The class.
        arguments: The constructor's arguments by name.
        extra: The name of the argument that takes request fields this package does not know.

    Raises:
        pydantic.ValidationError: There are unknown arguments; it names the nearest known ones.
    """
    unknown = arguments.keys() - model.model_fields.keys()
    if not unknown:
        return
    aliases = {field.alias for field in model.model_fields.values() if field.alias}
    known = {*model.model_fields, *aliases}
    errors = [
        InitErrorDetails(
            type=PydanticCustomError("unknown_argument", "{problem}", {"problem": problem}),
            loc=(name,),
            input=None,
        )
        for name in sorted(unknown - known)
        for problem in [unknown_argument(name, known, takes_unknown_fields=extra)]
    ]
    if errors:
        raise ValidationError.from_exception_data(model.__name__, errors, hide_input=True)


def fill_in_settings(arguments: Mapping[str, Any], base_url_field: str) -> dict[str, Any]:
    """Return the arguments that were given, and the environment's settings for the others.

    Args:
        arguments: The constructor's arguments by name; None counts as not given.
        base_url_field: The name of the argument that holds the base URL.

    Raises:
        ConfigurationError: An environment variable cannot be used.
    """
    from monster_core.settings import check_base_url, environment_settings  # late, as above

    settings = environment_settings().__dict__
    filled = {name: value for name, value in settings.items() if value is not None}
    api_base = filled.pop("api_base")
    filled.update({name: value for name, value in arguments.items() if value is not None})
    if base_url_field not in filled:
        try:
            filled[base_url_field] = check_base_url(
                api_base, allow_http=bool(filled.get("allow_http"))
            )
        except ConfigurationError as error:
            raise ConfigurationError(
                f"The environment variable MONSTER_API_BASE is not usable: {error}"
            ) from None
    return filled
