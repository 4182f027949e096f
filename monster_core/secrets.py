"""Check the API key and headers, and keep them out of everything that is shown.

Nothing here shows a value: not in a message, and not in a traceback that shows local variables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

from pydantic import SecretStr

from monster_core.errors import ConfigurationError

__all__ = ["SECRETS", "check_headers", "check_key", "mask", "with_masked_secrets"]

SECRETS = ("api_key", "default_headers")
"""The arguments that hold secrets."""


def with_masked_secrets(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with the secret ones as SecretStr, and a marker for each that is not text.

    Args:
        data: Arguments by name.
    """
    masked = dict(data)
    if masked.get("api_key") is not None:
        masked["api_key"] = _secret(masked["api_key"])
    for name in ("default_headers", "extra_headers"):
        headers = masked.get(name)
        if headers is not None:
            masked[name] = (
                {header: _secret(value) for header, value in headers.items()}
                if isinstance(headers, Mapping)
                else _NOT_TEXT
            )
    return masked


def check_key(key: Any, source: str) -> SecretStr:
    """Return the key without surrounding white space.

    Args:
        key: The key, as a SecretStr.
        source: The argument or variable it came from, for the message.

    Raises:
        ConfigurationError: It is not text, it is empty, or a header cannot hold it.
    """
    if not isinstance(key, SecretStr):
        raise ConfigurationError(f"{source} is not text: give a str or a SecretStr.")
    stripped = SecretStr(key.get_secret_value().strip())
    if not stripped:
        raise ConfigurationError(
            f"{source} is empty: set it to your key (a server without keys takes any value, "
            "EMPTY by custom)."
        )
    if not _KEY.fullmatch(stripped.get_secret_value()):
        raise ConfigurationError(
            f"{source} holds a character that a key cannot hold (a space, a line break, a control "
            "or non-ASCII character): copy the key again. Its value is not shown."
        )
    return stripped


def check_headers(headers: Any) -> Any:
    """Return headers unchanged.

    Args:
        headers: Their values by name, as SecretStr.

    Raises:
        ValueError: They are not a dict of text, or a name or value cannot stand in a header.
    """
    if headers is _NOT_TEXT or not isinstance(headers, (Mapping, type(None))):
        raise ValueError("headers must be a dict from names to values, both of them text")
    for name, secret in (headers or {}).items():
        if not isinstance(name, str) or not isinstance(secret, SecretStr):
            raise ValueError("the name and the value of a header must both be text")
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(
                "a header's name may hold only letters, digits and !#$%&'*+-.^_`|~: a space or a "
                "colon cannot stand in it"
            )
        if name.lower() in _SET_BY_EACH_REQUEST:
            raise ValueError(f"the header {name!r} is set for each request: leave it out")
        if not _HEADER_VALUE.fullmatch(secret.get_secret_value()):
            raise ValueError(
                f"the value of the header {name!r} holds a line break, a control character or a "
                "non-ASCII character, or white space around it: leave these out (it is not shown)"
            )
    return headers


_NOT_TEXT = object()  # stands for a secret of a wrong type
_SET_BY_EACH_REQUEST = frozenset({"content-length", "transfer-encoding"})
_KEY = re.compile("[!-~]+")  # printable ASCII without spaces
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")


def _secret(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value
    return SecretStr(value) if isinstance(value, str) else _NOT_TEXT


_MIN_SECRET_CHARS = 8
"""A value that is shorter, such as EMPTY, is not a secret; a longer one is known by so many."""


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return a text with stars for the secrets, or beginnings of them, that stand in it.

    Args:
        text: The text.
        secrets: What must not be seen; values shorter than 8 characters are not secrets.
    """
    for secret in secrets:
        if len(secret) >= _MIN_SECRET_CHARS:
            text = _masked(text, secret)
    return text


def _masked(text: str, secret: str) -> str:
    head = secret[:_MIN_SECRET_CHARS]
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
