"""Hold where requests go and what they carry, with the secrets masked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from urllib.parse import urlsplit

from pydantic import SecretStr

from monster_core.errors import ConfigurationError
from monster_core.settings import is_loopback
from monster_core.transport.deadline import Timeouts
from monster_core.version import __version__

__all__ = ["Endpoint"]


@dataclass(frozen=True)
class Endpoint:
    """Hold everything about an endpoint that every request to it shares.

    Args:
        base_url: The base URL, without a trailing slash.
        api_key: The key; None is an error at the first request.
        timeouts: The timeouts of each request.
        max_retries: How often a failed request is sent again.
        default_headers: Further headers; their values are secrets.
    """

    base_url: str
    api_key: SecretStr | None
    timeouts: Timeouts
    max_retries: int
    default_headers: Mapping[str, SecretStr] = field(default_factory=dict)

    @property
    def uses_proxies(self) -> bool:
        """Whether the environment's proxies may be used.

        Not for this machine: a key that may go there over plain http would leave it in the clear.
        """
        return not is_loopback(urlsplit(self.base_url).hostname or "")

    def headers(self) -> dict[str, str]:
        """Return the headers of a request; a default header may replace any but the key.

        Raises:
            ConfigurationError: There is no key.
        """
        if self.api_key is None:
            raise ConfigurationError(
                "No API key: pass api_key or set MONSTER_API_KEY (a server without keys takes "
                "any value, EMPTY by custom)."
            )
        headers = _Headers(
            {
                "accept": "application/json",
                "user-agent": f"monsterapi-integrations/{__version__}",
            }
        )
        for name, value in self.default_headers.items():
            headers[name.lower()] = value.get_secret_value()
        headers["content-type"] = "application/json"
        headers["authorization"] = f"Bearer {self.api_key.get_secret_value()}"
        return headers

    def mask(self, text: str) -> str:
        """Return a text of the server's with stars for the secrets, or beginnings of them, in it.

        A server, or a page that a gateway shows for debugging, may repeat what it was sent.

        Args:
            text: The text.
        """
        for secret in (self.api_key, *self.default_headers.values()):
            if secret is not None:
                text = _masked(text, secret.get_secret_value())
        return text


class _Headers(dict[str, str]):
    """Hold a request's headers, and show none of their values in a traceback."""

    def __repr__(self) -> str:
        return f"<the headers {', '.join(self)}>"


_RECOGNIZED_BY = 8  # characters; a value that is shorter is no secret, such as EMPTY


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _masked(text: str, secret: str) -> str:
    head = secret[:_RECOGNIZED_BY]
    if len(head) < _RECOGNIZED_BY:
        return text
    in_json = json.dumps(secret)[1:-1]
    forms = (secret, in_json, repr(secret)[1:-1], repr(in_json)[1:-1])
    at = text.find(head)
    while at >= 0:
        length = max(_alike(form, text[at : at + len(form)]) for form in forms)
        text = f"{text[:at]}***{text[at + length :]}"
        at = text.find(head, at)
    return text
