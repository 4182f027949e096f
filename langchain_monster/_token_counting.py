"""Token counts: exact with a tokenizer, else the core's estimate.

Nothing is asked of the server and nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from monster_core.errors import ConfigurationError
from monster_core.model_families import ToolFormat

__all__ = ["check_tokenizer", "count_message_tokens", "count_tokens", "token_ids"]


def check_tokenizer(value: Any) -> Any:
    """Return a tokenizer, or None.

    Raises:
        ValueError: The value cannot turn a text into token ids.
    """
    if value is None or callable(getattr(value, "encode", value)):
        return value
    raise ValueError(
        f"a tokenizer is a callable, or has a method encode, from text to token ids; "
        f"not a {type(value).__name__}"
    )


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """Return the token ids of a text.

    Raises:
        ConfigurationError: The tokenizer is None.
    """
    from monster_core import token_counting

    if tokenizer is None:
        raise ConfigurationError(
            "Token ids need a tokenizer: pass tokenizer or custom_get_token_ids. Counts are "
            "estimated without one."
        )
    return token_counting.token_ids(tokenizer, text)


def count_tokens(tokenizer: Any, text: str) -> int:
    """Return how many tokens a text has; an estimate where the tokenizer is None."""
    if tokenizer is not None:
        return len(token_ids(tokenizer, text))
    from monster_core.token_counting import estimate_tokens

    return estimate_tokens(text)


def count_message_tokens(
    messages: Sequence[BaseMessage],
    tools: Sequence[Any] | None,
    *,
    model: str | None,
    family: str | None,
    tool_format: ToolFormat | None,
    count: Callable[[str], int],
) -> int:
    """Return how many tokens a conversation takes as the text that would be sent."""
    from langchain_monster._messages import to_core
    from langchain_monster._tools import tool_definitions
    from monster_core.model_families import family_of
    from monster_core.token_counting import count_conversation

    return count_conversation(
        to_core(messages),
        tool_definitions(tools or ()),
        family_of(model or "", family),
        tool_format,
        count,
    )
