"""Hold what tools, or the schema of the response, add to a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monster_core.response.types import ResponseSpec

__all__ = ["RequestPart"]


@dataclass(frozen=True, slots=True)
class RequestPart:
    """Hold what tools, or the schema of the response, add to a request.

    Args:
        fields: Request fields to send.
        prompt: Text for the system message; None if there is nothing to say.
        spec: What must be known to read the response.
        is_prompt_optional: Whether the server holds the response to the fields even if the prompt
            is left out.
        is_forced: Whether the response is a call that the server is made to give.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    prompt: str | None = None
    spec: ResponseSpec = field(default_factory=ResponseSpec)
    is_prompt_optional: bool = False
    is_forced: bool = False
