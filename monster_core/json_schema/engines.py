"""Describe what holds an answer to a schema on a server: its engines, and what each can take.

Everything the compiler knows of an engine is here: a pass reads a feature, never an engine's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ENGINES", "LM_FORMAT_ENFORCER", "OUTLINES", "XGRAMMAR", "SchemaEngine"]


@dataclass(frozen=True, slots=True)
class SchemaEngine:
    """Hold what one engine can be given.

    Attributes:
        name: Its name as a value of the request field ``guided_decoding_backend``.
        compiles: Whether it compiles a schema before the first token of an answer, which takes the
            server the seconds that ``cost`` estimates.
        has_patterns: Whether it holds strings to a regular expression; one that is written anew
            is over JSON text, and matches the whole string.
        has_wide_patterns: Whether it does so in time where most characters may follow, and with
            escapes; another one cannot hold a string to its least length either.
        has_tuples: Whether it holds the positions of an array to schemas of their own.
        nests_arrays: Whether an array may hold several arrays.
        counts_words: Whether it counts each item of an array that is true, false, null or a listed
            number; another one forgets it when white space follows, and waits for the least number
            of items without end.
        keeps_alternatives: Whether it takes no longer while several objects may be meant; another
            one looks at each token in turn until a property tells them apart.
        has_bounds: Whether it holds numbers to their bounds, and strings to their length.
        is_open: Whether it lets a model add properties unless it is told not to.
        escapes: Whether it writes names and listed values as JSON itself; others paste them into an
            expression as they are.
        needs_required: Whether an object must have a required property: for others its time
            doubles with every property.
        writable: Matches the names of properties and the listed values that it can write; None
            where it can write any.
        writes_json: Whether what it lets a model write is JSON, and white space only where JSON has
            it between two tokens; otherwise ``mend_stream`` makes it so.
        max_values: How many values an ``enum`` may list; None for any number.
    """

    name: str
    compiles: bool = False
    has_patterns: bool = False
    has_wide_patterns: bool = False
    has_tuples: bool = False
    nests_arrays: bool = False
    counts_words: bool = False
    keeps_alternatives: bool = False
    has_bounds: bool = False
    is_open: bool = False
    escapes: bool = False
    needs_required: bool = False
    writable: re.Pattern[str] | None = None
    writes_json: bool = True
    max_values: int | None = None

    def can_write(self, text: str) -> bool:
        """Return whether a name or a listed value can be written.

        Args:
            text: The name or value.
        """
        return self.writable is None or self.writable.fullmatch(text) is not None


OUTLINES = SchemaEngine(
    name="outlines",
    compiles=True,
    has_patterns=True,
    has_wide_patterns=True,
    has_tuples=True,
    nests_arrays=True,
    counts_words=True,
    keeps_alternatives=True,
    needs_required=True,
    max_values=600,
)
"""outlines 0.0.44, which vLLM 0.5 uses by default: one regular expression for the whole answer."""

LM_FORMAT_ENFORCER = SchemaEngine(
    name="lm-format-enforcer",
    has_patterns=True,
    writable=re.compile(r"(?! )[ !#-\[\]-~À-ÿ]*"),
    writes_json=False,
)
"""lm-format-enforcer 0.10.1, vLLM 0.5's other engine: it follows the schema while it writes.

Read from its ``JsonSchemaParser`` and ``TokenEnforcer``, and tried with 49,152 tokens: where a type
list, an empty schema, an anchor, or a name or value with an escape or with a character that is not
a token of its own comes up, it ends the answer. While a pattern allows most characters, it looks at
each token in turn (half a second a token). Below a string's ``minLength`` it takes ASCII characters
only, and ends the answer at another one. Its models write properties in any order, and near
misses of JSON: a comma before the end of an object, numbers such as ``.5`` and ``007``.
"""

XGRAMMAR = SchemaEngine(
    name="xgrammar",
    has_patterns=True,
    has_wide_patterns=True,
    has_tuples=True,
    nests_arrays=True,
    counts_words=True,
    keeps_alternatives=True,
    has_bounds=True,
    is_open=True,
    escapes=True,
)
"""xgrammar as of vLLM 0.32, which follows the schema while it writes.

vLLM gives a schema to llguidance where xgrammar cannot take it (``backend_xgrammar.py``): with
``uniqueItems``, ``contains``, ``multipleOf``, an unknown format, or a pattern beside a length.
None of these is sent, since llguidance refuses some of them, and takes a pattern to be over the
string itself. xgrammar ignores further ones (``not``, ``if``, several branches of ``allOf``), and
fails at a count of more than 255 in a pattern. What is sent holds none of these either.
"""

ENGINES = (OUTLINES, LM_FORMAT_ENFORCER)
"""The engines of vLLM 0.5, the one that it uses by default first."""
