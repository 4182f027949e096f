"""What the model sees of a conversation, what its chat template refuses, and how long it is.

The refusals are those of the published templates of Gemma 2 and Mistral 7B Instruct v0.2; that of
Phi 3 is in the emulator's own words. Llama 3's, and any unknown one, refuses nothing.

A prompt is counted in Llama 3's frame whatever the model is called: a marker at the beginning, then
for each turn two markers around the role, a blank line, the content and a marker at the end. Four
bytes count as a token, about what real vocabularies need, so that what fits a real context fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ._errors import Refusal
from ._tokens import SPECIAL_TOKENS

_MARKER = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))


class Turn(NamedTuple):
    """What the model sees of one message."""

    role: str
    content: str


def text_of(content: str) -> str:
    """Return a text as the server's tokenizer reads it: a lone surrogate becomes U+FFFD."""
    return content.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def check_roles(turns: Sequence[Turn], model: str) -> None:
    """Refuse a conversation that the model's chat template would refuse."""
    if not turns:
        raise Refusal("list index out of range")
    name = model.lower()
    if "gemma" in name:
        if turns[0].role == "system":
            raise Refusal("System role not supported")
        _check_alternation(turns)
    elif "mistral" in name or "mixtral" in name:
        _check_alternation(turns)
        _check_known(turns, "user", "assistant")
    elif "phi-3" in name:
        _check_known(turns, "system", "user", "assistant")


def _check_alternation(turns: Sequence[Turn]) -> None:
    for position, turn in enumerate(turns):
        if (turn.role == "user") != (position % 2 == 0):
            raise Refusal("Conversation roles must alternate user/assistant/user/assistant/...")


def _check_known(turns: Sequence[Turn], *roles: str) -> None:
    if any(turn.role not in roles for turn in turns):
        *first, last = roles
        raise Refusal(f"Only {', '.join(first)} and {last} roles are supported!")


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
