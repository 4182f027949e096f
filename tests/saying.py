"""Put words into the mouth of the recorded model, which follows no instructions."""

from __future__ import annotations

import json
from collections.abc import Generator

import httpx

__all__ = ["Saying"]


class Saying(httpx.Auth):
    """Leave the model these answers only, whatever else a request asks of it.

    Unlike the argument ``guided_choice``, which shapes an answer and no call of a tool, this puts
    calls into its mouth, too: pass it as the ``auth`` of an httpx client of your own. Of several
    texts the model begins the one that begins like the user's last message.

    Args:
        texts: The answers.
    """

    requires_request_body = True

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the texts to a request's body."""
        body = {**json.loads(request.content), "guided_choice": self._texts}
        headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
        yield httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=json.dumps(body),
            extensions=request.extensions,
        )
