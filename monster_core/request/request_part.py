"""Hold what tools, or the schema of the response, add to a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        schema: The original schema of the response's text; None where it has none.
        after: Makes what a second request adds, of a sentence that says what was wrong with the
            response to the first, and whether it was JSON at least; None where the response can
            be anything. A response that was not JSON has shown that the server does not hold it
            to the fields, so that the second request relies on the prompt.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    prompt: str | None = None
    spec: ResponseSpec = field(default_factory=ResponseSpec)
    is_prompt_optional: bool = False
    is_forced: bool = False
    schema: Mapping[str, Any] | None = None
    after: Callable[[str, bool], RequestPart] | None = None
