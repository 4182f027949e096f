"""List the files of the repository, with git or without it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["files_of_the_repository"]

_ROOT = Path(__file__).parent.parent
_MADE_BY_MAKE = {".benchmarks", ".cache", ".site", "dist", "site"}
_UNTRACKED = {".git", "__pycache__", ".hypothesis", ".env", *_MADE_BY_MAKE}


def files_of_the_repository(directory: Path = _ROOT) -> list[Path]:
    """Return every file that is, or is going to be, part of the repository.

    Args:
        directory: Where to begin.
    """
    files: list[Path] = []
    for path in sorted(directory.iterdir()):
        begins = path.name.startswith((".coverage", ".venv"))
        if begins or path.name.endswith(("_cache", ".egg-info")) or path.name in _UNTRACKED:
            continue
        if path.is_dir():
            files += files_of_the_repository(path)
        elif path.is_file():
            files.append(path)
    return files
