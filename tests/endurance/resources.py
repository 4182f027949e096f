"""Count what a process holds: open files, memory."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path

__all__ = ["falls_to", "open_files", "resident_bytes"]


def open_files() -> int:
    """Return how many files and sockets this process has open."""
    gc.collect()
    return _files()


def falls_to(most: int) -> bool:
    """Whether no more files than this are open soon: a server in this process closes its ends, too.

    Args:
        most: How many may be open.
    """
    for attempt in range(500):
        if attempt % 25 == 0:
            gc.collect()
        if _files() <= most:
            return True
        time.sleep(0.01)
    return False


def _files() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_bytes() -> int:
    """Return how much memory this process has in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
