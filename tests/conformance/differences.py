"""List where the emulator answers otherwise than the server, and why; nothing else may differ."""

from __future__ import annotations

_OF_0_5: dict[str, tuple[str, ...]] = {
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

_OF_TODAY: dict[str, tuple[str, ...]] = {
    "llguidance alone reads patterns and schemas; the server tries xgrammar first.": (
        "guides_that_cannot_be_served: a pattern of unicode",
        "guides_that_cannot_be_served: a pattern in part anchored",
        "guides_that_cannot_be_served: a pattern with flags",
        "schemas: a pattern without anchors",
        "schemas: few members",
        "schemas: a pattern too large",
        "schemas: a pattern of unicode",
        "schemas: a pattern with a look-ahead",
        "structured_outputs: a grammar that cannot be read",
    ),
    "A structural tag is a 501.": (
        "structured_outputs: a structural tag",
        "structured_outputs: a structural tag of the older kind",
        "structured_outputs: a structural tag that is an object",
        "structured_outputs: a structural tag that is no json",
        "structured_outputs: a structural tag that says nothing",
    ),
    "A guide that allows the empty answer only is a 400.": (
        "structured_outputs: a choice of an empty text",
        "structured_outputs: an empty pattern",
    ),
    "Token ids and the prompt's log probabilities are a 501, and missing beside an echo.": (
        "fields: a prompt's own likelihoods",
        "fields: token ids",
        "conversations: an assistant last, echoed",
        "conversations: a user echoed",
        "conversations: an echo of another role",
    ),
    "`continuous_usage_stats` is passed over.": ("streams: with usage all along",),
    "What is wrong with a message of the history is said in other words.": (
        "conversations: an image",
        "conversations: a call without an id",
        "conversations: a call with arguments as an object",
    ),
}

DIFFERENCES = {"vllm-0.5.0": _OF_0_5, "vllm-0.32.0": _OF_TODAY}
"""For each server, cases by the reason for which they differ; docs/emulator.md tells each."""


def is_listed(server: str, name: str) -> bool:
    """Tell whether a case is known to differ."""
    return any(name in names for names in DIFFERENCES[server].values())
