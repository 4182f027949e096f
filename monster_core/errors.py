"""The exceptions of this package, and which of them a response of the server becomes.

::

    MonsterError
    ├── ConfigurationError            a setting is missing or unusable (also a ValueError)
    ├── InvalidRequestError           refused before anything was sent (also a ValueError)
    ├── TransportError
    │   ├── ConnectionFailedError     no connection, or it broke before the response
    │   ├── RequestTimeoutError       one of the timeouts passed (also a TimeoutError)
    │   └── StreamInterruptedError    a stream ended before its response was complete
    ├── StatusError                   the server answered with an error
    │   ├── BadRequestError           400, 413, 422
    │   │   └── ContextOverflowError  prompt and response do not fit the context window
    │   ├── AuthenticationError       401
    │   ├── PaymentRequiredError      402
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   ├── RateLimitError            429
    │   ├── RedirectError             3xx: redirects are never followed
    │   └── ServerError               5xx
    └── ResponseError                 a response of 200 that cannot be read
        └── StructuredAnswerError     a response that does not satisfy its schema, choice or pattern
            └── TruncatedAnswerError  max_tokens cut a response that had to be complete
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

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
    "ServerReply",
    "StatusError",
    "StreamInterruptedError",
    "StructuredAnswerError",
    "TransportError",
    "TruncatedAnswerError",
]


@dataclass(frozen=True)
class ServerReply:
    """What the server answered, without the request and its key.

    Args:
        status_code: The HTTP status.
        headers: The response's headers, names in lower case.
        text: The response's body, cut to 10,000 characters.
    """

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)

    def json(self) -> Any:
        """Return the body parsed as JSON.

        Raises:
            ValueError: The body is not JSON.
        """
        return orjson.loads(self.text)


class MonsterError(Exception):
    """Base of every error of this package.

    Attributes:
        is_retryable: Whether the same request may succeed if you send it again.
        partial_text: The text that had arrived before a stream failed; None outside a stream.
    """

    is_retryable: bool = False
    partial_text: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ConfigurationError(MonsterError, ValueError):
    """Report a setting that is missing or unusable."""


class InvalidRequestError(MonsterError, ValueError):
    """Report a request that was refused before anything was sent."""


class TransportError(MonsterError):
    """Report that the exchange with the server failed below HTTP."""


class ConnectionFailedError(TransportError):
    """Report that no connection could be made, or that it broke before a response began."""

    is_retryable = True


class RequestTimeoutError(TransportError, TimeoutError):
    """Report that one of the timeouts passed."""

    is_retryable = True


class StreamInterruptedError(TransportError):
    """Report a stream that ended with neither a finish reason nor ``[DONE]``."""

    is_retryable = True


class StatusError(MonsterError):
    """Report an error that the server answered.

    Attributes:
        status_code: The HTTP status, or the code of an error event inside a stream.
        server_message: What the server said of the error.
        request_id: The server's id of the request (header ``x-request-id``), if it sent one.
        retry_after: How many seconds the server asked to wait (header ``Retry-After``).
        response: Status, headers and body of the response.
    """

    status_code: int = 0
    server_message: str = ""
    request_id: str | None = None
    retry_after: float | None = None
    response: ServerReply | None = None


class BadRequestError(StatusError):
    """Report a request that the server refused: 400, 413 or 422."""


class ContextOverflowError(BadRequestError):
    """Report that prompt and response together do not fit the model's context window.

    Attributes:
        context_window: Tokens that prompt and response may have together, if the server says so.
        prompt_tokens: Tokens of the prompt (at least), if the server says so.
    """

    context_window: int | None = None
    prompt_tokens: int | None = None


class AuthenticationError(StatusError):
    """Report that the server does not accept the API key: 401."""


class PaymentRequiredError(StatusError):
    """Report that the account's credits are spent: 402."""


class PermissionDeniedError(StatusError):
    """Report that the API key may not do this: 403."""


class NotFoundError(StatusError):
    """Report a model or a path that the server does not have: 404."""


class RateLimitError(StatusError):
    """Report that too many requests were sent: 429."""

    is_retryable = True


class RedirectError(StatusError):
    """Report a redirect; it is not followed, so that the key goes to no other host."""


class ServerError(StatusError):
    """Report a failure on the server's side: 5xx."""

    is_retryable = True


class ResponseError(MonsterError):
    """Report a response of 200 that cannot be read."""


class StructuredAnswerError(ResponseError, ValueError):
    """Report a response that does not satisfy its schema, choice or pattern."""


class TruncatedAnswerError(StructuredAnswerError):
    """Report a response that had to be complete and was cut by ``max_tokens``."""


def status_error(response: ServerReply, *, retry_after: float | None = None) -> StatusError:
    """Return the error for a response whose status is not 200.

    Args:
        response: The response.
        retry_after: Seconds that the server asked to wait, already parsed.

    Returns:
        The error, ready to be raised; it names what to do next.
    """
    message = _server_message(response.text)
    overflow = re.search(_CONTEXT_OVERFLOW, message)
    kind = ContextOverflowError if overflow else _class_for(response.status_code)
    request_id = _one_line(response.headers.get("x-request-id", "")) or None
    window, prompt = (_number_in(message, pattern) for pattern in (_WINDOW, _PROMPT_TOKENS))
    if kind is ContextOverflowError:
        advice = _overflow_advice(window, prompt)
    else:
        advice = _advice(kind, response, retry_after) or _advice_on(message)
    tail = f" (request id {request_id})" if request_id else ""
    error = kind(
        f"The server answered {response.status_code}: {message or 'no message'}.{advice}{tail}"
    )
    error.status_code, error.server_message = response.status_code, message
    error.request_id, error.retry_after, error.response = request_id, retry_after, response
    if isinstance(error, ContextOverflowError):
        error.context_window, error.prompt_tokens = window, prompt
    if kind is StatusError or kind is BadRequestError or kind is ServerError:
        error.is_retryable = response.status_code in TRANSIENT_STATUSES
    return error


def stream_error(event: Any, partial_text: str | None) -> MonsterError:
    """Return the error that the body of a response of 200, or an event of its stream, reports.

    Args:
        event: The value of the ``error`` key.
        partial_text: The text that had arrived before; None outside a stream.

    Returns:
        The error that the same failure would have been as a status.
    """
    code = event.get("code") if isinstance(event, Mapping) else None
    message = _one_line(_sentence({"error": event}))
    status = code if isinstance(code, int) and 300 <= code < 600 else 500
    text = orjson.dumps({"message": message}).decode() if message else ""
    error = status_error(ServerReply(status, {}, text))
    where = "A response of 200 holds an error" if partial_text is None else _BROKEN_OFF
    error.args = (f"{where}: {error.args[0]}",)
    error.partial_text = partial_text
    return error


IGNORED_GUIDE_ADVICE = (
    "The server may ignore what guides answers, as vLLM from 0.12 on does with the fields of "
    "earlier releases: name its release in server=, or let discover_server() ask for it."
)
"""What to do about a response that breaks its guide."""

_BROKEN_OFF = "The server broke off its stream"

TRANSIENT_STATUSES = frozenset({408, 409, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
"""Statuses that may pass by themselves; every other one is final."""

# Patterns are compiled when an error is read, since every import of this package reads this file.
_ADVICE_ON = (
    (
        r"--enable-auto-tool-choice",
        " Start the server with these arguments, or leave out tool_strategy='native'.",
    ),
    (
        r"Extra inputs are not permitted|extra_forbidden",
        " This server refuses fields that it does not know: leave the field out. If it was sent "
        "because of server=, name the server's release there.",
    ),
)
"""What to do about refusals that only their text tells apart (vLLM's ``serving_chat.py``)."""

_CONTEXT_OVERFLOW = (
    r"(?i)maximum context length|context[ _](?:length|window)[ _]exceeded|max_model_len|"
    r"longer than the maximum model length|too long to fit into the model|"
    r"exceeds? the (?:available|model's|maximum) context"
)

# as vLLM 0.5.0 (serving_engine.py, _validate_input) and later releases write them
_WINDOW = (
    r"(?i)(?:maximum (?:context|model) length (?:is|of)|context (?:length|size)"
    r"|max_model_len[ =(]*)[\s(]*(\d{1,9})"
)
_PROMPT_TOKENS = (
    r"(?i)(\d{1,9}) in the messages"
    r"|\((?:total )?length (\d{1,9})\)"
    r"|(?:contains|has|resulted in)(?: at least)? (\d{1,9}) (?:input )?token"
)

_CLASSES: dict[int, type[StatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: BadRequestError,
    422: BadRequestError,
    429: RateLimitError,
}

_ADVICE: dict[type[StatusError], str] = {
    AuthenticationError: " Check the API key: the argument api_key or MONSTER_API_KEY.",
    PaymentRequiredError: " The account's credits are spent: top it up at the provider.",
    PermissionDeniedError: " This API key may not use this model or path.",
    NotFoundError: (
        " Check the model's name (models() lists what is served) and the base URL: it ends in /v1 "
        "as a rule."
    ),
    ServerError: " The failure is the server's: try again later, or restart one of your own.",
    RateLimitError: " Send fewer requests at a time, or raise max_retries.",
}


def _class_for(status: int) -> type[StatusError]:
    if status in _CLASSES:
        return _CLASSES[status]
    if 300 <= status < 400:
        return RedirectError
    return ServerError if status >= 500 else StatusError


def _advice(kind: type[StatusError], response: ServerReply, retry_after: float | None) -> str:
    if kind is RedirectError:
        target = _one_line(response.headers.get("location", "an unnamed address"))
        return (
            f" It redirects to {target}; redirects are not followed, so that the API key goes "
            "nowhere else. Set the base URL to the address that answers itself."
        )
    if retry_after is not None:
        return f"{_ADVICE.get(kind, '')} It asks to wait {retry_after:g} seconds."
    return _ADVICE.get(kind, "")


def _advice_on(message: str) -> str:
    return next((advice for pattern, advice in _ADVICE_ON if re.search(pattern, message)), "")


def _number_in(message: str, pattern: str) -> int | None:
    found = re.search(pattern, message)
    digits = next(filter(None, found.groups()), None) if found else None
    return int(digits) if digits else None


def _overflow_advice(window: int | None, prompt: int | None) -> str:
    if window is None or prompt is None:
        shorter = " Shorten the conversation, or lower max_tokens."
    elif prompt < window:
        shorter = f" Shorten the conversation, or lower max_tokens to at most {window - prompt}."
    else:
        shorter = f" Shorten the conversation by at least {prompt - window + 1} tokens."
    return (
        f"{shorter} Where a framework fills the prompt (RAG, chat memory, trim_messages), tell it "
        f"the model's context window: context_window={window or ''} or discover_context_window() "
        "in LlamaIndex, discover_model_profile() in LangChain."
    )


def _server_message(text: str) -> str:
    """Find the sentence in any of the forms in which servers and gateways write errors."""
    try:
        body = orjson.loads(text)
    except ValueError:
        body = " ".join(re.sub(r"<[^<>]*>", " ", text).split())[:300].rstrip(".")
    return _one_line(_sentence(body))


def _sentence(body: Any) -> str:
    length = 300
    for _ in range(_MAX_ERROR_DEPTH):
        if not isinstance(body, Mapping):
            break
        inner = next((body[key] for key in _MESSAGE_KEYS if body.get(key)), None)
        if inner is None:
            break
        body, length = inner, 2000
    try:
        return str(body).strip()[:length].rstrip(".") if body else ""
    except RecursionError:  # nested by the thousand: there is no sentence in it
        return ""


def _one_line(message: str) -> str:
    """Replace what a terminal or a log would obey, and halves of characters that none can write."""
    return "".join(char if char.isprintable() else " " for char in message).strip()


_MESSAGE_KEYS = ("error", "message", "detail", "msg", "title")
_MAX_ERROR_DEPTH = 5


def _rebuild(
    kind: type[MonsterError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> MonsterError:
    error = kind(*args)
    error.__dict__.update(attributes)
    return error
