"""Decide which endpoint tests talk to, and how its requests are written down in a cassette.

Replaying needs none: a placeholder key and a closed port stand in. Recording (``make record``) and
``pytest -m live`` talk to the endpoint that the environment names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from vcr.request import Request

__all__ = ["MODEL", "REPLAYED", "Endpoint", "keep_listed_headers"]

MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct"
"""The model that recorded tests ask; an endpoint to record from must serve it."""

KEPT_HEADERS = frozenset({"content-type", "location", "retry-after", "x-request-id"})
"""The only headers that a cassette may hold."""


@dataclass(frozen=True)
class Endpoint:
    """Hold where requests of recorded tests go.

    Args:
        base_url: The base URL, without a trailing slash.
        api_key: The key that opens it.
    """

    base_url: str
    api_key: str

    @classmethod
    def from_environment(cls) -> Endpoint | None:
        """Return the endpoint that the environment names, None if it names no key."""
        key = os.environ.get("MONSTER_API_KEY", "").strip()
        base = os.environ.get("MONSTER_API_BASE", "https://llm.monsterapi.ai/v1")
        return cls(base.strip().rstrip("/"), key) if key else None

    def strip(self, request: Request) -> Request:
        """Reduce a request to what a cassette keeps: its path below the base URL, few headers.

        Args:
            request: The request; it is changed.
        """
        request.uri = request.uri.removeprefix(self.base_url)
        request.headers = {
            name: value for name, value in request.headers.items() if name.lower() in KEPT_HEADERS
        }
        return request


REPLAYED = Endpoint("http://127.0.0.1:9/v1", "placeholder")
"""What stands in for an endpoint while cassettes are replayed; nothing listens there."""


def keep_listed_headers(response: dict[str, Any]) -> dict[str, Any]:
    """Drop the headers of a reply that a cassette must not hold.

    Args:
        response: The reply in vcrpy's shape; it is changed.
    """
    headers = response["headers"].items()
    response["headers"] = {name: values for name, values in headers if name.lower() in KEPT_HEADERS}
    return response
