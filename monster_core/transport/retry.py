"""Decide whether a failed request is sent again, and after how long."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from monster_core.errors import (
    TRANSIENT_STATUSES,
    ConnectionFailedError,
    MonsterError,
    StatusError,
)

__all__ = ["MAX_RETRY_AFTER_SECONDS", "parse_retry_after", "retry_delay"]

MAX_RETRY_AFTER_SECONDS = 60.0
"""Seconds; a server that asks for a longer wait gets no retry, the caller gets the error."""

_FIRST_DELAY_SECONDS = 0.5
_MAX_DELAY_SECONDS = 8.0


def retry_delay(error: MonsterError, attempt: int, max_retries: int) -> float | None:
    """Return how long to wait before the next attempt.

    Args:
        error: Why the last attempt failed.
        attempt: How many attempts have been made, from 1.
        max_retries: How many may follow the first.

    Returns:
        Seconds, or None if the error is final.
    """
    if attempt > max_retries or not _is_resendable(error):
        return None
    asked: float | None = getattr(error, "retry_after", None)
    if asked is not None:
        return asked if asked <= MAX_RETRY_AFTER_SECONDS else None
    backoff = min(_FIRST_DELAY_SECONDS * 2.0 ** min(attempt - 1, 10), _MAX_DELAY_SECONDS)
    return backoff * (1 - 0.25 * random.random())


def _is_resendable(error: MonsterError) -> bool:
    """Whether the server is not at work on the request: after a read timeout it still may be."""
    if isinstance(error, StatusError):
        return error.status_code in TRANSIENT_STATUSES
    return isinstance(error, ConnectionFailedError)


def parse_retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Read the ``Retry-After`` header, given as seconds or as a date.

    Args:
        headers: The response's headers.
        now: Seconds since the epoch; the clock's by default.

    Returns:
        Seconds from now, 0 for a date that has passed, None where there is nothing to read.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value).timestamp()
        except (TypeError, ValueError, OverflowError):
            return None
        seconds = max(0.0, moment - (time.time() if now is None else now))
    return seconds if 0 <= seconds < float("inf") else None
