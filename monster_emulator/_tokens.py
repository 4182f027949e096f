"""The token rule: an answer's token is one UTF-8 byte, and each special marker is one token more.

A prompt counts four bytes as a token, about what real vocabularies need, so that what fits a real
context fits this one.

A token's id is its byte (0 to 255); the special tokens follow. Prompts are counted in Llama 3's
frame whatever the model is called: a marker at the beginning, then for each turn two markers
around the role, a blank line, the content and a marker at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ._messages import Turn

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

_MARKER = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def count_tokens(text: str, bytes_per_token: int = 1) -> int:
    """Count the tokens of a text; a special marker written out in it is one token."""
    plain, markers = _MARKER.subn("", text)
    return markers + -(-len(plain.encode()) // bytes_per_token)


def prompt_tokens(
    turns: Iterable[Turn], *, add_generation_prompt: bool, bytes_per_token: int = 1
) -> int:
    """Count the tokens of a rendered conversation."""
    text = SPECIAL_TOKENS[0] + "".join(f"{_header(t.role)}{t.content}<|eot_id|>" for t in turns)
    whole = text + _header("assistant") if add_generation_prompt else text
    return count_tokens(whole, bytes_per_token)


def _header(role: str) -> str:
    # Llama 3's template calls the role of a tool's result "ipython"
    shown = "ipython" if role == "tool" else role
    return f"<|start_header_id|>{shown}<|end_header_id|>\n\n"


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
