"""Hide secrets in what a server says: it may repeat what it was sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import takewhile

__all__ = ["mask"]

_RECOGNIZED_BY = 8  # characters; a value that is shorter is no secret, such as EMPTY


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return a text with stars for the secrets, or beginnings of them, that stand in it.

    Args:
        text: The text.
        secrets: What must not be seen; values shorter than 8 characters are no secrets.
    """
    for secret in secrets:
        if len(secret) >= _RECOGNIZED_BY:
            text = _masked(text, secret)
    return text


def _masked(text: str, secret: str) -> str:
    head = secret[:_RECOGNIZED_BY]
    at = text.find(head)
    if at < 0:
        return text
    in_json = json.dumps(secret)[1:-1]
    forms = (secret, in_json, repr(secret)[1:-1], repr(in_json)[1:-1])
    while at >= 0:
        length = max(_alike(form, text[at : at + len(form)]) for form in forms)
        text = f"{text[:at]}***{text[at + length :]}"
        at = text.find(head, at)
    return text


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
