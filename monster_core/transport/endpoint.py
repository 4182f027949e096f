"""Hold where requests go and what they carry, with the secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import httpx
from pydantic import SecretStr

from monster_core.errors import ConfigurationError
from monster_core.secrets import mask
from monster_core.transport.body import ACCEPTED_ENCODING
from monster_core.transport.deadline import Timeouts
from monster_core.version import __version__

__all__ = ["MAX_RESPONSE_BYTES", "Endpoint"]

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""The default bound of a response: some 200,000 streamed tokens, or a far larger full answer."""


@dataclass(frozen=True)
class Endpoint:
    """Hold everything about an endpoint that every request to it shares.

    Args:
        base_url: The base URL, without a trailing slash.
        api_key: The key; None is an error at the first request.
        timeouts: The timeouts of each request.
        max_retries: How often a failed request is sent again.
        default_headers: Further headers; their values are secrets.
        max_response_bytes: The most bytes of one response, decompressed.
        async_transport: What async requests are sent with, "httpx" or "aiohttp".
        needs_key: Whether a request without a key is an error.
    """

    base_url: str
    api_key: SecretStr | None
    timeouts: Timeouts
    max_retries: int
    default_headers: Mapping[str, SecretStr] = field(default_factory=dict)
    max_response_bytes: int = MAX_RESPONSE_BYTES
    async_transport: str = "httpx"
    needs_key: bool = True

    @cached_property
    def headers(self) -> httpx.Headers:
        """The headers of a request; a default header may replace any but the key.

        Raises:
            ConfigurationError: There is no key.
        """
        if self.api_key is None and self.needs_key:
            raise ConfigurationError(
                "No API key: pass api_key or set MONSTER_API_KEY (a server without keys takes "
                "any value, EMPTY by custom)."
            )
        headers = httpx.Headers(
            {
                "accept": "application/json",
                "accept-encoding": ACCEPTED_ENCODING,
                "user-agent": f"monsterapi-integrations/{__version__}",
            }
        )
        for name, value in self.default_headers.items():
            headers[name] = value.get_secret_value()
        headers["content-type"] = "application/json"
        if self.api_key is not None:
            headers["authorization"] = f"Bearer {self.api_key.get_secret_value()}"
        return headers

    @cached_property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as they are sent, ``Host`` among them, but for the length of a body.

        Raises:
            ConfigurationError: There is no key.
        """
        raw = self.headers.raw
        return raw if "host" in self.headers else [(b"Host", self.url("").netloc), *raw]

    def url(self, path: str) -> httpx.URL:
        """Return the address of a path.

        Args:
            path: What follows the base URL.
        """
        return _parsed(self.base_url + path)

    def within(self, seconds: float) -> Endpoint:
        """Return the endpoint for requests that may take this long at most, retries included.

        Args:
            seconds: The limit; a shorter one of the endpoint's own holds.
        """
        own = self.timeouts.total
        total = seconds if own is None else min(own, seconds)
        return replace(self, timeouts=replace(self.timeouts, total=total))

    def beside(self) -> Endpoint:
        """Return the endpoint for what stands beside the base URL and is open to everybody."""
        return replace(self, base_url=self.base_url.removesuffix("/v1"), needs_key=False)

    def mask(self, text: str) -> str:
        """Return a text of the server's with stars for the secrets that it repeats.

        Args:
            text: The text.
        """
        secrets = (self.api_key, *self.default_headers.values())
        return mask(text, (secret.get_secret_value() for secret in secrets if secret))


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)
