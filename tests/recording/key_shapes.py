"""Recognise what looks like a key or token of a provider."""

from __future__ import annotations

import re

__all__ = ["find_keys"]

_SHAPES = re.compile(
    r"\b(?:sk|pk|rk|hf|gh[opsu]|github_pat|xox[abp]|ms)[-_][A-Za-z0-9_-]{20,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{20,}"
    r"|\bBearer\s+[A-Za-z0-9._~+/-]{20,}"
)


def find_keys(text: str) -> list[str]:
    """Return what looks like a key, cut to its first characters.

    Args:
        text: Any text.
    """
    return [f"{found[:8]}..." for found in _SHAPES.findall(text) if re.search(r"\d", found)]
