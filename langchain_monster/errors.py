"""The errors of this package, each of which is also LangChain's error of the same meaning.

Each class is both: ``RateLimitError`` here is a ``monster_core.errors.RateLimitError`` and a
``langchain_core.exceptions.ModelRateLimitError``, so that retry and summarization middleware
recognise it. ``MonsterError`` is the base of all of them, and ``TransportError`` that of every
failure below HTTP.
"""

from __future__ import annotations

from langchain_core import exceptions as langchain

from monster_core import errors as core
from monster_core.errors import MonsterError, TransportError

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConnectionFailedError",
    "ContextOverflowError",
    "InvalidRequestError",
    "MonsterError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "RedirectError",
    "RequestTimeoutError",
    "ResponseError",
    "ServerError",
    "StatusError",
    "StreamInterruptedError",
    "StructuredAnswerError",
    "TransportError",
    "TruncatedAnswerError",
    "as_langchain_errors",
    "to_langchain",
]


class ConfigurationError(core.ConfigurationError, langchain.ModelInvalidRequestError):
    """Report a setting that is missing or unusable."""


class InvalidRequestError(core.InvalidRequestError, langchain.ModelInvalidRequestError):
    """Report a request that was refused before anything was sent."""


class ConnectionFailedError(core.ConnectionFailedError, langchain.ModelConnectionError):
    """Report that no connection could be made, or that it broke before an answer began."""


class RequestTimeoutError(core.RequestTimeoutError, langchain.ModelTimeoutError):
    """Report that one of the timeouts passed."""


class StreamInterruptedError(core.StreamInterruptedError, langchain.ModelConnectionError):
    """Report a stream that ended before its answer was complete."""


class StatusError(core.StatusError, langchain.ModelAPIError):
    """Report an error status that has no class of its own."""


class BadRequestError(core.BadRequestError, langchain.ModelInvalidRequestError):
    """Report a request that the server refused: 400, 413 or 422."""


class ContextOverflowError(
    core.ContextOverflowError, BadRequestError, langchain.ContextOverflowError
):
    """Report that prompt and answer together do not fit the model's context window."""


class AuthenticationError(core.AuthenticationError, langchain.ModelAuthenticationError):
    """Report that the server does not accept the API key: 401."""


class PaymentRequiredError(core.PaymentRequiredError, langchain.ModelPermissionDeniedError):
    """Report that the account's credits are spent: 402."""


class PermissionDeniedError(core.PermissionDeniedError, langchain.ModelPermissionDeniedError):
    """Report that the API key may not do this: 403."""


class NotFoundError(core.NotFoundError, langchain.ModelNotFoundError):
    """Report a model or a path that the server does not have: 404."""


class RateLimitError(core.RateLimitError, langchain.ModelRateLimitError):
    """Report that too many requests were sent: 429."""


class RedirectError(core.RedirectError, langchain.ModelInvalidRequestError):
    """Report a redirect, which is never followed."""


class ServerError(core.ServerError, langchain.ModelAPIError):
    """Report a failure on the server's side: 5xx."""


class ResponseError(core.ResponseError, langchain.ModelAPIError):
    """Report a response of 200 that cannot be read as an answer."""


class StructuredAnswerError(core.StructuredAnswerError, langchain.OutputParserException):
    """Report an answer that is not what its schema, choice or pattern asked for."""


class TruncatedAnswerError(core.TruncatedAnswerError, StructuredAnswerError):
    """Report an answer that had to be complete and was cut by ``max_tokens``."""


class as_langchain_errors:  # used as a function
    """Raise the core's errors of a block as LangChain's."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: object
    ) -> None:
        """Raise an error of the core's as LangChain's; any other goes on as it is."""
        if isinstance(error, core.MonsterError):
            converted = to_langchain(error)
            if converted is not error:
                raise converted from error.__cause__
            error.__suppress_context__ = True


def to_langchain(error: core.MonsterError) -> core.MonsterError:
    """Return the same failure as an error that is LangChain's as well.

    Args:
        error: The core's error.

    Returns:
        One of this module's classes, with the same message, attributes, cause and traceback.
    """
    kind = next((_CLASSES[base] for base in type(error).__mro__ if base in _CLASSES), None)
    if kind is None or isinstance(error, langchain.LangChainException):
        return error
    converted = kind(*error.args)
    converted.__dict__.update(error.__dict__)
    converted.__cause__, converted.__suppress_context__ = error.__cause__, True
    return converted.with_traceback(error.__traceback__)


_CLASSES: dict[type[core.MonsterError], type[core.MonsterError]] = {
    base: kind
    for kind in (
        ConfigurationError,
        InvalidRequestError,
        ConnectionFailedError,
        RequestTimeoutError,
        StreamInterruptedError,
        StatusError,
        BadRequestError,
        ContextOverflowError,
        AuthenticationError,
        PaymentRequiredError,
        PermissionDeniedError,
        NotFoundError,
        RateLimitError,
        RedirectError,
        ServerError,
        ResponseError,
        StructuredAnswerError,
        TruncatedAnswerError,
    )
    for base in kind.__bases__[:1]
}
