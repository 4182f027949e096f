"""Read the arguments of a tool call, or say in one sentence why they are none."""

from __future__ import annotations

from typing import Any

from monster_core.answer import ToolCall
from monster_core.json_values import read_json

__all__ = ["read_arguments"]


def read_arguments(call: ToolCall, finish_reason: str | None) -> tuple[dict[str, Any], str | None]:
    """Parse the arguments that a model wrote.

    Args:
        call: The call.
        finish_reason: Why the answer ended; "length" explains arguments that stop half-way.

    Returns:
        The arguments and None; or an empty dict and the sentence that says what is wrong.
    """
    try:
        # none at all are an empty object, unless max_tokens cut them before their first sign
        value = read_json(call.arguments or ("" if finish_reason == "length" else "{}"))
    except ValueError:
        if finish_reason == "length":
            return {}, (
                f"max_tokens cut the arguments of {call.name!r}: raise max_tokens and ask again."
            )
        return {}, f"The arguments of {call.name!r} are no JSON."
    if not isinstance(value, dict):
        return {}, f"The arguments of {call.name!r} are JSON but no object."
    return value, None
