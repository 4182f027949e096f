"""Compare what is sent with what was recorded, and say in words where they differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from vcr.cassette import Cassette
from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.request import Request

from tests.recording_store import interactions_in

__all__ = [
    "body_differences",
    "drift_message",
    "exchanges",
    "find_drift",
    "played",
    "recordings",
    "same_request",
]

_ABSENT = object()


def same_request(sent: Request, recorded: Request) -> bool:
    """Whether two requests have the same method, path and query, and carry the same JSON.

    vcrpy compares each request with every recording, several times: it is one comparison of texts.

    Args:
        sent: The request of the test.
        recorded: A request of the cassette.
    """
    return _canonical(sent) == _canonical(recorded)


def body_differences(recorded: Any, sent: Any, place: str = "") -> Iterator[str]:
    """Yield one line for each value in which two JSON bodies differ.

    Args:
        recorded: The body in the cassette.
        sent: The body that the test sends.
        place: Where in the body these values stand.
    """
    if isinstance(recorded, dict) and isinstance(sent, dict):
        for key in [*recorded, *(key for key in sent if key not in recorded)]:
            inner = f"{place}.{key}" if place else str(key)
            yield from body_differences(recorded.get(key, _ABSENT), sent.get(key, _ABSENT), inner)
    elif isinstance(recorded, list) and isinstance(sent, list):
        for index in range(max(len(recorded), len(sent))):
            pair = (_item(recorded, index), _item(sent, index))
            yield from body_differences(*pair, f"{place}[{index}]")
    elif isinstance(recorded, str) and isinstance(sent, str):
        if recorded != sent:
            was, now = _around(recorded, sent), _around(sent, recorded)
            yield f"{place or 'body'}: recorded {was}, sent {now}"
    elif recorded is _ABSENT:
        yield f"{place}: sent {sent!r:.300}, not recorded"
    elif sent is _ABSENT:
        yield f"{place}: recorded {recorded!r:.300}, not sent"
    elif type(recorded) is not type(sent) or recorded != sent:
        yield f"{place or 'body'}: recorded {recorded!r:.300}, sent {sent!r:.300}"


def find_drift(error: BaseException | None) -> CannotOverwriteExistingCassetteException | None:
    """Return vcrpy's refusal of a request among an error and what led to it.

    Args:
        error: What a test raised.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, CannotOverwriteExistingCassetteException):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def drift_message(cassette: Cassette, sent: Request) -> str:
    """Say how a request differs from the nearest recorded one.

    Args:
        cassette: The test's cassette.
        sent: The request that it does not hold.
    """
    sent = cassette.filter_request(sent)
    head = f"{cassette._path} holds no such request: {sent.method} {sent.uri}"
    ends = "\nIf the change is meant, record the test again: make record TESTS=<its file>."
    if not len(cassette):
        return f"{head}\nThe cassette does not exist or is empty.{ends}"
    same_path = [request for request in cassette.requests if request.path == sent.path]
    if not same_path:
        return f"{head}\nIt was recorded with other paths only.{ends}"
    compared = [list(body_differences(_body(request), _body(sent))) for request in same_path]
    nearest = min(compared, key=len)
    lines = nearest or ["The same request was recorded, but fewer times than it is sent."]
    return f"{head}\n" + "\n".join(f"  {line}" for line in lines) + ends


def played(cassette: Cassette) -> set[str]:
    """Return the recordings that a test has used.

    Args:
        cassette: The test's cassette, after the test.
    """
    requests = cassette.requests
    return {_name(requests[index]) for index in cassette.play_counts}


def exchanges(cassette: Cassette) -> list[tuple[Any, dict[str, Any]]]:
    """Return the JSON bodies that a test has sent, each with the reply that was played.

    They stand in the order in which they were first sent; what was sent again stands beside it.

    Args:
        cassette: The test's cassette.
    """
    return [
        (_body(cassette.requests[index]), cassette.responses[index])
        for index, count in cassette.play_counts.items()
        for _ in range(count)
    ]


def recordings(root: Path) -> set[str]:
    """Return every recording of every server.

    Args:
        root: The folder of all cassettes.
    """
    folders = [folder for folder in root.iterdir() if folder.is_dir()]
    return {_name(request) for folder in folders for request, _ in interactions_in(folder)}


def _name(request: Request) -> str:
    where = getattr(request, "recorded_in", None)
    digest = sha256(str(_body(request)).encode()).hexdigest()[:8]
    return f"{where.parent.name}/{where.name} {digest}" if where else ""


def _around(text: str, other: str) -> str:
    """Show a text from shortly before the place where it departs from another one."""
    pairs = enumerate(zip(text, other, strict=False))
    same = next((place for place, (one, two) in pairs if one != two), min(len(text), len(other)))
    begin, end = max(0, same - 40), same + 80
    return f"{'...' if begin else ''}{text[begin:end]!r}{'...' if end < len(text) else ''}"


def _item(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _ABSENT


def _canonical(request: Request) -> str:
    """Return what is compared of a request in one spelling."""
    if not hasattr(request, "canonical"):
        body = json.dumps(_body(request), sort_keys=True, default=repr)
        request.canonical = f"{request.method} {request.path} {request.query} {body}"
    return str(request.canonical)


def _body(request: Request) -> Any:
    try:
        return json.loads(request.body or b"null")
    except ValueError:
        return request.body
