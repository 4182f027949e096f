"""List where the emulator answers otherwise than the server, and why; nothing else may differ."""

from __future__ import annotations

DIFFERENCES: dict[str, tuple[str, ...]] = {
    "A token's id is its byte; the server's are its tokenizer's.": (
        "fields: stop_token_ids [111]",
        "fields: a stop token kept",
        "streams: a stop token",
        "streams: a stop token kept",
    ),
    "A pattern with a look-ahead is a 501; the server compiles some of them.": (
        "guides_that_cannot_be_served: a look-ahead",
        "guides_that_cannot_be_served: a look-ahead alone",
        "guides_that_cannot_be_served: a grammar of a look-ahead",
    ),
    "A grammar may be ambiguous; the server answers 500 to one that is not LALR(1).": (
        "guides_that_cannot_be_served: a grammar with a conflict",
    ),
    "Choices are numbered from 0; the server's beam search may leave numbers out.": (
        "several_answers: beam search for two",
    ),
}
"""Cases by the reason for which they differ; docs/emulator.md tells each reason."""


def is_listed(name: str) -> bool:
    """Tell whether a case is known to differ."""
    return any(name in names for names in DIFFERENCES.values())
