"""Hold one request for a chat completion: what is sent, and how its response is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monster_core.response.types import ResponseSpec

__all__ = ["ChatRequest"]


@dataclass(slots=True)
class ChatRequest:
    """Hold one request for a chat completion.

    Args:
        body: The request's body, as JSON.
        spec: What must be known of the request to read its response.
        is_guided: Whether the server compiles a schema, pattern or grammar for it.
        shorter_body: Makes a shorter body that asks for the same, for a prompt that does not fit
            the context window; None if nothing can be left out.
        follow_up: The request that is sent next if the model calls no tool; its response takes the
            place of this one's text. The text is guided there, which it cannot be while tools may
            be called.
    """

    body: bytes
    spec: ResponseSpec
    is_guided: bool = False
    shorter_body: Callable[[], bytes] | None = None
    follow_up: ChatRequest | None = None
