"""Every fault, and what each class makes of it: the specification of failure.

A row is a fault in the emulator's words and what comes of it: the error's class and sentence, what
it carries, how many requests were sent. ``transient`` errors say that asking again may help,
``final`` ones that it will not. Where a call and a stream end differently, the call's end comes
first. The models of these rows send a request three times at most (``max_retries=2``), unless the
row says otherwise.
"""

from __future__ import annotations

from monster_core.errors import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    ContextOverflowError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    RequestTimeoutError,
    ResponseError,
    ServerError,
    StatusError,
    StreamInterruptedError,
)
from tests.faults.outcomes import Row, answers, final, longer_than, row, transient
from tests.faults.places import (
    name_that_does_not_exist,
    port_that_speaks_no_tls,
    proxy_that_is_down,
    server_that_is_down,
    server_with_a_certificate_of_its_own,
)

__all__ = ["MATRIX"]

ALWAYS = "; times=always"
NOTHING = ""
AN_HOUR = 3600.0
SHORT = 1.0
"""Seconds without a sign after which an impatient model gives up."""
OVERFLOW = (
    "This model's maximum context length is 100 tokens. However, you requested 200 tokens (100 in "
    "the messages, 100 in the completion). Please reduce the length of the messages or completion."
)

REFUSED = [
    row("400", "400", final(BadRequestError, "Bad Request", 400)),
    row(
        "400: the context window is too small",
        f'400; body={{"message": "{OVERFLOW}"}}',
        final(ContextOverflowError, "Shorten", 400, server_message=OVERFLOW.rstrip(".")),
    ),
    row(
        "401",
        '401; body={"error": "Unauthorized"}',
        final(AuthenticationError, "MONSTER_API_KEY", 401, server_message="Unauthorized"),
    ),
    row("402", "402", final(PaymentRequiredError, "top it up", 402)),
    row("403", "403", final(PermissionDeniedError, "may not use", 403)),
    row("404", "404", final(NotFoundError, "models()", 404)),
    row("408", "408" + ALWAYS, transient(StatusError, "408", 408, requests=3)),
    row("409", "409" + ALWAYS, transient(StatusError, "409", 409, requests=3)),
    row("413", "413", final(BadRequestError, "413", 413)),
    row("422", "422", final(BadRequestError, "422", 422)),
    row("429", "429" + ALWAYS, transient(RateLimitError, "Send fewer", 429, requests=3)),
    row("500", "500" + ALWAYS, transient(ServerError, "try again later", 500, requests=3)),
    row("501", "501", final(ServerError, "501", 501)),
    row("502", "502" + ALWAYS, transient(ServerError, "502", 502, requests=3)),
    row(
        "503 with a web page and a request id",
        '503; body="<html><h1>Upstream</h1> is down</html>"; headers={"x-request-id": "r-7"}'
        + ALWAYS,
        transient(
            ServerError, "r-7", 503, requests=3, server_message="Upstream is down", request_id="r-7"
        ),
    ),
    row("504", "504" + ALWAYS, transient(ServerError, "504", 504, requests=3)),
    row("529", "529" + ALWAYS, transient(ServerError, "529", 529, requests=3)),
    row("a refusal that passes", "503; times=2", answers(requests=3)),
    row(
        "a redirect",
        "redirect; to=http://127.0.0.1:9/elsewhere",
        final(RedirectError, "http://127.0.0.1:9/elsewhere", 307, server_message=""),
    ),
]

WAITING = [
    row("Retry-After in seconds", "429; retry_after=0.1", answers(requests=2, at_least=0.1)),
    row(
        "Retry-After as a date that has passed",
        "503; retry_after=Mon, 01 Jan 2001 00:00:00 GMT",
        answers(requests=2),
    ),
    row(
        "Retry-After of an hour",
        "429; retry_after=3600",
        transient(RateLimitError, "3600 seconds", 429, retry_after=AN_HOUR),
    ),
    row(
        "Retry-After as a date far away",
        "503; retry_after=Fri, 01 Jan 2100 00:00:00 GMT",
        transient(ServerError, "It asks to wait", 503, retry_after=longer_than(AN_HOUR)),
    ),
    row("Retry-After that is nonsense", "503; retry_after=soon", answers(requests=2)),
    row("Retry-After below zero", "503; retry_after=-5", answers(requests=2)),
    row(
        "retries that total_timeout ends",
        "503; retry_after=0.6" + ALWAYS,
        transient(ServerError, "503", 503, requests=2, retry_after=0.6),
        max_retries=50,
        total_timeout=1.1,
    ),
]

UNREACHABLE = [
    row(
        "connection refused",
        NOTHING,
        transient(ConnectionFailedError, "MONSTER_API_BASE", requests=0),
        at=server_that_is_down,
    ),
    row(
        "the host's name does not exist",
        NOTHING,
        transient(ConnectionFailedError, "Name or service not known", requests=0),
        at=name_that_does_not_exist,
    ),
    row(
        "a proxy refuses",
        NOTHING,
        transient(ConnectionFailedError, "MONSTER_API_BASE", requests=0),
        at=proxy_that_is_down,
    ),
    row(
        "a certificate that nobody trusts",
        NOTHING,
        transient(ConnectionFailedError, "certificate", requests=0),
        at=server_with_a_certificate_of_its_own,
    ),
    row(
        "https to a server of http",
        NOTHING,
        transient(ConnectionFailedError, "SSL", requests=0),
        at=port_that_speaks_no_tls,
    ),
    row(
        "closed before the response",
        "cut" + ALWAYS,
        transient(ConnectionFailedError, "No answer from", requests=3),
    ),
    row("closed before the response, once", "cut", answers(requests=2)),
    row(
        "reset before the response",
        "reset" + ALWAYS,
        transient(ConnectionFailedError, "No answer from", requests=3),
    ),
    row(
        "closed in the response's head",
        "cut; after_bytes=20" + ALWAYS,
        transient(ConnectionFailedError, "No answer from", requests=3),
    ),
    row(
        "closed after the response's head",
        "cut; after_tokens=0",
        transient(ConnectionFailedError, "No answer from"),
        transient(StreamInterruptedError, "broke", partial_text=""),
    ),
    row(
        "closed in mid-answer",
        "cut; after_tokens=3",
        transient(ConnectionFailedError, "No answer from"),
        transient(StreamInterruptedError, "broke", partial_text="abc"),
    ),
    row(
        "closed in mid-chunk",
        "cut; after_bytes=460",
        transient(ConnectionFailedError, "No answer from"),
        transient(StreamInterruptedError, "broke", partial_text=""),
    ),
    row(
        "reset in mid-answer",
        "reset; after_tokens=3",
        transient(ConnectionFailedError, "No answer from"),
        transient(StreamInterruptedError, "broke", partial_text="abc"),
    ),
    row(
        "closed after the finish reason",
        "cut; after_tokens=7",
        transient(ConnectionFailedError, "No answer from"),
        answers(),
    ),
    row("an idle connection is closed", "hang_up", answers(), max_retries=0),
]

SILENT = [
    row("no response", "stall", transient(RequestTimeoutError, "MONSTER_TIMEOUT"), timeout=SHORT),
    row("a late response", "slow; delay=0.05; first_token=0.05", answers(at_least=0.1)),
    row(
        "no first token",
        "slow; first_token=5",
        transient(RequestTimeoutError, "MONSTER_TIMEOUT"),
        transient(RequestTimeoutError, "stream_idle_timeout", partial_text=""),
        timeout=SHORT,
    ),
    row(
        "a stall in mid-answer",
        "stall; after_tokens=3",
        transient(RequestTimeoutError, "MONSTER_TIMEOUT"),
        transient(RequestTimeoutError, "stream_idle_timeout", partial_text="abc"),
        timeout=SHORT,
    ),
    row(
        "nothing but pings",
        "pings; after_tokens=3; every=0.02",
        transient(RequestTimeoutError, "total_timeout"),
        transient(RequestTimeoutError, "stream_idle_timeout", partial_text="abc"),
        stream_idle_timeout=SHORT,
        total_timeout=2 * SHORT,
    ),
    row(
        "a trickle that total_timeout ends",
        "slow; first_token=0.3; each_token=3",
        answers(),
        transient(RequestTimeoutError, "total_timeout", partial_text="a"),
        total_timeout=1.3,
    ),
]

WRONG = [
    row(
        "200 with an error body",
        '200; body={"error": {"message": "The model is loading", "code": 503}}',
        transient(ServerError, "The model is loading", 503, server_message="The model is loading"),
    ),
    row(
        "200 with a web page",
        '200; body="<html>Welcome</html>"; headers={"content-type": "text/html"}',
        final(ResponseError, "web page"),
        final(ResponseError, "no event stream"),
    ),
    row("200 with nothing", '200; body=""', final(ResponseError, "empty body")),
    row(
        "an error event in mid-answer",
        "error_event; after_tokens=3; message=The engine died.",
        transient(ServerError, "The engine died", 500, server_message="The engine died"),
        transient(
            ServerError,
            "The engine died",
            500,
            server_message="The engine died",
            partial_text="abc",
        ),
    ),
    row(
        "an event that is not JSON",
        "malformed_event; after_tokens=3",
        final(ResponseError, "JSON"),
        final(ResponseError, "JSON", partial_text="abc"),
    ),
    row("a line of megabytes", "huge_line; size=3000000", answers()),
    row("one byte a segment", "segments; size=1", answers(), asked="a"),
    row("characters in pieces", "segments; size=1", answers(), asked="\u00e9\U0001f98a"),
]

MATRIX: list[Row] = [*REFUSED, *WAITING, *UNREACHABLE, *SILENT, *WRONG]
