"""Translate an async stream item by item, so that it can be left at any time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, Generic, TypeVar

__all__ = ["AsyncResponses"]

From = TypeVar("From")
To = TypeVar("To")


class AsyncResponses(AsyncGenerator[To, None], Generic[From, To]):
    """Give a stream's items in another form; closing it closes the stream.

    No generator function: an event loop that ends closes all of its generators at once, and one
    that closes another one which is being closed fails.

    Args:
        items: The stream.
        translate: Makes of each item what is given.
    """

    def __init__(self, items: AsyncGenerator[From, None], translate: Callable[[From], To]) -> None:
        self._items = items
        self._translate = translate

    async def asend(self, value: None) -> To:
        """Return the next item."""
        return self._translate(await self._items.asend(value))

    async def athrow(self, *error: Any) -> To:
        """Raise an error inside the stream."""
        return self._translate(await self._items.athrow(*error))

    async def aclose(self) -> None:
        """Close the stream."""
        await self._items.aclose()
