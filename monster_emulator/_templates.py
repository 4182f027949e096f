"""What a model family's chat template refuses; Llama 3's, and any unknown one, refuses nothing.

The refusals are those of the published templates of Gemma 2 and Mistral 7B Instruct v0.2. That of
Phi 3 is in the emulator's own words.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._errors import Refusal
from ._messages import Turn


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
