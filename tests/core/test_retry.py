"""Which failures are tried again, and after how long."""

from __future__ import annotations

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core import errors
from monster_core.errors import ServerReply, status_error
from monster_core.transport.retry import MAX_RETRY_AFTER_SECONDS, parse_retry_after, retry_delay

NOW = 1_700_000_000.0


def status(code: int, wait: float | None = None) -> errors.StatusError:
    return status_error(ServerReply(code), retry_after=wait)


def test_these_statuses_are_transient_and_every_other_one_is_final() -> None:
    sent_again = {code for code in range(300, 600) if retry_delay(status(code), 1, 2) is not None}
    assert sent_again == {408, 409, 429, 500, 502, 503, 504, *range(520, 525), 529}


def test_a_broken_connection_is_transient() -> None:
    assert retry_delay(errors.ConnectionFailedError("broke"), 1, 2) is not None


@pytest.mark.parametrize(
    "error",
    [
        errors.RequestTimeoutError("slow"),  # the server may still be at work on it
        errors.StreamInterruptedError("cut"),
        errors.ResponseError("nonsense"),
        errors.InvalidRequestError("refused"),
        errors.ConfigurationError("no key"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_failures_are_final(error: errors.MonsterError) -> None:
    assert retry_delay(error, 1, 2) is None


@pytest.mark.parametrize("attempt, retries, sent", [(1, 0, False), (2, 2, True), (3, 2, False)])
def test_attempts_are_counted(attempt: int, retries: int, sent: bool) -> None:
    assert (retry_delay(status(503), attempt, retries) is not None) is sent


@given(st.integers(1, 10_000))
def test_waits_grow_and_stay_bounded(attempt: int) -> None:
    full = min(0.5 * 2.0 ** min(attempt - 1, 10), 8.0)
    delay = retry_delay(status(503), attempt, 10_000)
    assert delay is not None
    assert 0.75 * full <= delay <= full


@pytest.mark.parametrize("wait, delay", [(0, 0), (1.5, 1.5), (60, 60), (60.1, None), (9e9, None)])
def test_the_servers_wish_comes_first(wait: float, delay: float | None) -> None:
    assert retry_delay(status(429, wait), 1, 2) == delay
    assert MAX_RETRY_AFTER_SECONDS == 60


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("", None),
        ("7", 7),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("3600", 3600),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        (email.utils.formatdate(NOW + 30, usegmt=True), 30),
        (email.utils.formatdate(NOW - 30, usegmt=True), 0),
        ("Mon, 99 Xyz 2023 99:99:99 GMT", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_read(value: str, seconds: float | None) -> None:
    assert parse_retry_after({"retry-after": value}, now=NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_makes_it_fail(value: str) -> None:
    seconds = parse_retry_after({"retry-after": value})
    assert seconds is None or 0 <= seconds < float("inf")


def test_no_header_no_wait() -> None:
    assert parse_retry_after({}) is None
