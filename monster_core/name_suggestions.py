"""Say which name a misspelt argument was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["unknown_name"]

_ELSEWHERE = {
    "api_base": "base_url",
    "base_url": "api_base",
    "default_timeout": "timeout",
    "max_new_tokens": "max_tokens",
    "request_timeout": "timeout",
    "stop_sequences": "stop",
}
"""What other packages call arguments of ours."""

_LEAST_LIKENESS = 0.62
_SHARED_WORD = 0.15


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Describe an unknown name in one sentence, with the nearest known one.

    Args:
        kind: What the name names, such as "argument".
        name: The unknown name.
        known: Every name that is allowed.

    Returns:
        The sentence.
    """
    candidates = sorted(known)
    likeness, nearest = max(
        ((_likeness(name, candidate), candidate) for candidate in candidates), default=(0.0, "")
    )
    if _ELSEWHERE.get(name) in candidates:
        likeness, nearest = 1.0, _ELSEWHERE[name]
    hint = f": did you mean {nearest!r}?" if likeness >= _LEAST_LIKENESS else "."
    return f"Unknown {kind} {name!r}{hint}"


def _likeness(name: str, candidate: str) -> float:
    """Compare letters, and words: max_completion_tokens is max_tokens rather than min_tokens."""
    from difflib import SequenceMatcher

    shared = set(name.lower().split("_")) & set(candidate.split("_"))
    letters = SequenceMatcher(None, name.lower(), candidate).ratio()
    return letters + _SHARED_WORD * len(shared)
