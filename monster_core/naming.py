"""Say which name a misspelt argument was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["unknown_name"]


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Describe an unknown name in one sentence, with the nearest known one.

    Args:
        kind: What the name names, such as "argument".
        name: The unknown name.
        known: Every name that is allowed.

    Returns:
        The sentence.
    """
    from difflib import get_close_matches

    candidates = sorted(known)
    near = get_close_matches(name, candidates, n=1, cutoff=0.5) or [
        candidate for candidate in candidates if _same_words(name, candidate)
    ]
    hint = f": did you mean {near[0]!r}?" if near else "."
    return f"Unknown {kind} {name!r}{hint}"


def _same_words(name: str, candidate: str) -> bool:
    words = set(name.lower().split("_"))
    return bool(words & set(candidate.split("_")) - {"max", "min", "http", "use"})
