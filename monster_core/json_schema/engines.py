"""Describe what holds an answer to a schema on a server: its engines, and what each can take.

Everything the compiler knows of an engine is here: a pass reads a feature, never an engine's name.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LM_FORMAT_ENFORCER", "OUTLINES", "SchemaEngine"]


@dataclass(frozen=True, slots=True)
class SchemaEngine:
    """Hold what one engine can be given.

    Attributes:
        name: Its name as a value of the request field ``guided_decoding_backend``.
        takes_originals: Whether it takes a schema as its author wrote it, without
            ``refused_keywords`` and unknown formats. Any other engine is given a schema that is
            written anew, of the few keywords that mean one thing to it.
        compiles: Whether it compiles a schema before the first token of an answer, which takes the
            server the seconds that ``cost`` estimates.
        has_patterns: Whether it holds strings to a regular expression; one that is written anew
            is over JSON text, and matches the whole string.
        has_tuples: Whether it holds the positions of an array to schemas of their own.
        needs_required: Whether an object must have a required property: for others its time
            doubles with every property.
        unwritable: Characters that it can write neither in the names of properties nor in listed
            values.
        max_values: How many values an ``enum`` may list; None for any number.
        refused_keywords: Keywords for which it refuses a whole schema, where it takes originals.
        formats: The formats that it knows, where it refuses a schema with another one; None where
            it ignores them.
    """

    name: str
    takes_originals: bool = False
    compiles: bool = False
    has_patterns: bool = False
    has_tuples: bool = False
    needs_required: bool = False
    unwritable: str = ""
    max_values: int | None = None
    refused_keywords: frozenset[str] = frozenset()
    formats: frozenset[str] | None = None


_CONTROL_CHARACTERS = "".join(map(chr, range(0x20)))

OUTLINES = SchemaEngine(
    name="outlines",
    compiles=True,
    has_patterns=True,
    has_tuples=True,
    needs_required=True,
    max_values=600,
)
"""outlines 0.0.44, which vLLM 0.5 uses by default: one regular expression for the whole answer."""

LM_FORMAT_ENFORCER = SchemaEngine(name="lm-format-enforcer", unwritable='"\\' + _CONTROL_CHARACTERS)
"""lm-format-enforcer 0.10.1, vLLM 0.5's other engine: it follows the schema while it writes.

Its ``JsonSchemaParser`` ends an answer where it meets a pattern or an escape in a name, and lets a
model write properties in any order, white space between all tokens, and JSON's near misses: a comma
before the end of an object, a number such as ``.5`` or ``007``.
"""
