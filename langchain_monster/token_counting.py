"""Count tokens for LangChain: exactly with a tokenizer, else by the core's estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_monster.errors import ConfigurationError, as_langchain_errors
from langchain_monster.model_part import ModelPart

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

__all__ = ["TokenCounting", "check_tokenizer"]


def check_tokenizer(value: Any) -> Any:
    """Return a value that can turn a text into token ids.

    Args:
        value: What ``tokenizer`` was given.

    Raises:
        ValueError: It cannot.
    """
    if value is None or callable(getattr(value, "encode", value)):
        return value
    raise ValueError("a tokenizer is a callable, or has a method encode, from text to token ids")


class TokenCounting(ModelPart):
    """Count tokens without asking the server or downloading anything."""

    if TYPE_CHECKING:
        tokenizer: Any

    def get_token_ids(self, text: str) -> list[int]:
        """Return a text's token ids, of ``custom_get_token_ids`` or else of ``tokenizer``.

        Args:
            text: The text.

        Raises:
            ConfigurationError: There is neither.
        """
        from monster_core.token_counting import token_ids

        tokenizer = self.custom_get_token_ids or self.tokenizer
        if tokenizer is None:
            raise ConfigurationError(
                "Token ids need a tokenizer: pass tokenizer or custom_get_token_ids. Counts are "
                "estimated without one."
            )
        return token_ids(tokenizer, text)

    def get_num_tokens(self, text: str) -> int:
        """Return how many tokens a text has.

        Without a tokenizer it is an estimate that is rather too high: on Llama 3's vocabulary 1.0
        to 1.7 times the true number for English, code and JSON, up to 2.5 times for other scripts.

        Args:
            text: The text.
        """
        if self.custom_get_token_ids or self.tokenizer is not None:
            return len(self.get_token_ids(text))
        from monster_core.token_counting import estimate_tokens

        return estimate_tokens(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Return how many tokens a conversation takes of the context window.

        What is counted is what would be sent: calls, results and definitions as the text that
        they become, and the marks around each turn. An image counts as 1,000.

        Args:
            messages: The conversation.
            tools: Tools of any kind that ``bind_tools`` takes.

        Raises:
            InvalidRequestError: The conversation holds what cannot be sent.
        """
        from langchain_core.utils.function_calling import convert_to_openai_tool

        from langchain_monster.messages import to_core
        from monster_core.model_families import family_of
        from monster_core.token_counting import count_conversation

        with as_langchain_errors():
            return count_conversation(
                to_core(messages),
                [convert_to_openai_tool(tool) for tool in tools or ()],
                family_of(self.model or "", self.family),
                self.tool_format,
                self.get_num_tokens,
            )
