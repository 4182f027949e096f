"""Let the API pages read docstrings in which Sphinx's roles and code blocks stand.

mkdocstrings reads docstrings as Markdown. This extension of griffe, which zensical.toml names,
rewrites the two forms of reStructuredText that this package's docstrings use.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

_ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):`~?([^`]+)`")
_CODE_BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\n\n((?:\1 +.*\n?|\n)+)", re.MULTILINE)
_LITERAL_BLOCK = re.compile(r"^( *)(.*)::\n\n((?:\1 +.*\n?|\n)+)", re.MULTILINE)


class SphinxRoles(griffe.Extension):
    """Rewrite every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite one object's docstring.

        Args:
            obj: The object.
        """
        if obj.docstring is not None:
            obj.docstring.value = to_markdown(obj.docstring.value)


def to_markdown(text: str) -> str:
    """Return a docstring with its roles as code and its code blocks fenced.

    Args:
        text: The docstring.
    """
    text = _CODE_BLOCK.sub(lambda found: _fenced(found[1], found[2], found[3]), text)
    text = _LITERAL_BLOCK.sub(
        lambda found: (
            (f"{found[1]}{found[2]}:\n\n" if found[2] else "") + _fenced(found[1], "text", found[3])
        ),
        text,
    )
    return _ROLE.sub(r"`\1`", text)


def _fenced(indent: str, language: str, code: str) -> str:
    block = f"```{language}\n{textwrap.dedent(code).strip()}\n```\n"
    return textwrap.indent(block, indent) + "\n"
