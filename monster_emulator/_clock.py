"""An event loop whose clock goes on when a test stops or moves time.

freezegun replaces ``time.monotonic`` wherever a module holds it, but not in the defaults of a
function. With a clock that stands still the server would wait for ever, also for its own end. The
pytest plugin imports this module when pytest starts, before a test can have stopped the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

__all__ = ["EventLoop"]


class EventLoop(asyncio.SelectorEventLoop):
    """Run the server, whatever time a test says it is."""

    def time(self, clock: Callable[[], float] = time.monotonic) -> float:
        """Return the seconds since some moment."""
        return clock()
