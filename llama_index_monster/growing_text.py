"""Keep a text that grows, as it was at any moment."""

from __future__ import annotations

__all__ = ["GrowingText"]


class GrowingText:
    """Collect pieces, and join them only as far as somebody asks."""

    __slots__ = ("_joined", "pieces")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._joined = (0, "")  # of how many pieces, and what they make; replaced as one

    def until(self, count: int) -> str:
        """Return the text of the first pieces.

        Args:
            count: How many; asking for ever more of them costs no more than the text is long.
        """
        joined, text = self._joined
        if count < joined:
            return "".join(self.pieces[:count])
        if count > joined:
            text += "".join(self.pieces[joined:count])
            self._joined = count, text
        return text
