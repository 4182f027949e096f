"""The pages of the documentation, their code blocks and their links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).with_suffix("").as_posix(): path for path in sorted(DOCS.rglob("*.md"))
}
"""Every page of the site, by its address."""

SITE = "https://monsterapi-integrations.github.io/monsterapi-integrations/"
REPOSITORY = "https://github.com/monsterapi-integrations/monsterapi-integrations/"

_FENCE = re.compile(
    r"^(?:<!-- needs: (?P<needs>[\w, -]+) -->\n)?"
    r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$"
    r"(?:\n+```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_INLINE_LINK = re.compile(r"\]\(([^)\s]+)\)")
_DEFINITION = re.compile(r"^\[[^\]]+\]: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One block of code.

    Args:
        language: What it is written in, such as "python" or "sh".
        text: The code.
        output: What the page says that it prints; None if it says nothing.
        needs: Packages that are not in the group of the tests.
        line: The number of its first line.
    """

    language: str
    text: str
    output: str | None
    needs: tuple[str, ...]
    line: int

    @property
    def is_test(self) -> bool:
        """Whether it is a file of tests for pytest."""
        return "\ndef test_" in self.text


def blocks(path: Path) -> Iterator[Block]:
    """Yield the code blocks of a page, and with each its output, which is a block of text.

    Args:
        path: The page.
    """
    text = path.read_text("utf-8")
    for found in _FENCE.finditer(text):
        yield Block(
            language=found["language"],
            text=found["text"],
            output=found["output"],
            needs=tuple((found["needs"] or "").replace(",", " ").split()),
            line=text.count("\n", 0, found.start("text")) + 1,
        )


def links(path: Path) -> list[str]:
    """Return the targets of a page's links.

    Args:
        path: The page.
    """
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [*_INLINE_LINK.findall(text), *_DEFINITION.findall(text)]
