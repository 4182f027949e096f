"""The token rule: a token of an answer is one UTF-8 byte, and each special marker is one more.

A token's id is its byte (0 to 255); the special tokens follow.
"""

from __future__ import annotations

SPECIAL_TOKENS = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
)
FIRST_SPECIAL = 256
END_OF_TURN = FIRST_SPECIAL + SPECIAL_TOKENS.index("<|eot_id|>")
VOCABULARY = FIRST_SPECIAL + len(SPECIAL_TOKENS)

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Detokenizer:
    """Turns tokens back into text, holding a character back until its last byte has come."""

    def __init__(self, *, skip_special_tokens: bool) -> None:
        self._skip_special_tokens = skip_special_tokens
        self._held = b""

    def text_of(self, token: int) -> str:
        """Return the text that a token would add here, empty while a character is incomplete.

        As in the server, text is also held back while it ends in U+FFFD, which an incomplete
        character looks like (vllm/transformers_utils/detokenizer.py:305).
        """
        if token >= FIRST_SPECIAL:
            if self._skip_special_tokens:
                return ""
            return self._held.decode("utf-8", "replace") + SPECIAL_TOKENS[token - FIRST_SPECIAL]
        text = (self._held + bytes([token])).decode("utf-8", "replace")
        return "" if text.endswith(_REPLACEMENT) else text

    def take(self, token: int) -> str:
        """Take the next token and return the text it adds."""
        text = self.text_of(token)
        if text:
            self._held = b""
        elif token < FIRST_SPECIAL:
            self._held += bytes([token])
        return text
