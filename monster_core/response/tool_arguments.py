"""Read the arguments of a tool call, or say in one sentence why they are none; write them again."""

from __future__ import annotations

from typing import Any

from monster_core import json_values
from monster_core.errors import InvalidRequestError
from monster_core.json_values import read_json
from monster_core.response.types import ToolCall

__all__ = ["read_arguments", "write_json"]


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


def write_json(value: Any) -> str:
    """Write a value of the conversation, such as an earlier call's arguments, as JSON text.

    Args:
        value: The value; what JSON does not know is written as its text.

    Raises:
        InvalidRequestError: It is nested too deeply, contains itself, or has keys JSON cannot have.
    """
    try:
        return json_values.write_json(value, str)
    except TypeError as error:
        raise InvalidRequestError(
            f"Part of the conversation cannot be written as JSON: {error}."
        ) from None
