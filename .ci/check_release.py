"""Check that a tag, the version and the changelog agree: ``python .ci/check_release.py v1.2.3``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def problems(tag: str, version_file: str, changelog: str) -> list[str]:
    """Return what does not agree, a sentence each.

    Args:
        tag: The tag's name.
        version_file: The text of monster_core/version.py.
        changelog: The text of CHANGELOG.md.
    """
    found = re.search(r'__version__ = "([^"]+)"', version_file)
    version = found[1] if found else "?"
    newest = re.search(r"^## \[([^\]]+)\] - (.+)$", changelog, re.MULTILINE)
    said = []
    if tag != f"v{version}":
        said.append(f"The tag is {tag}, and monster_core/version.py says {version}.")
    if newest is None or newest[1] != version:
        listed = newest[1] if newest else "none"
        said.append(f"The newest version in CHANGELOG.md is {listed}, not {version}.")
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", newest[2]):
        said.append(f"CHANGELOG.md dates {version} {newest[2]!r}: write the day, YYYY-MM-DD.")
    return said


if __name__ == "__main__":
    found = problems(
        sys.argv[1],
        (ROOT / "monster_core" / "version.py").read_text("utf-8"),
        (ROOT / "CHANGELOG.md").read_text("utf-8"),
    )
    sys.exit("\n".join(found) or None)
