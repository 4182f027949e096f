"""What decides the next token of an answer: a text to spell out, or one within a constraint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from ._guide import Guide
from ._tokens import END_OF_TURN

_FILLER = b" and so on"

# where no wanted text fits: the end, then what closes something, then what is short
_FAVOURITES = (
    END_OF_TURN,
    *b'"}])>',
    *b"0123456789",
    *b",:;.-_/@+*=",
    *b"abcdefghijklmnopqrstuvwxyz",
    *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
)
_PLACES = {token: place for place, token in enumerate(_FAVOURITES)}


class Decoding(Protocol):
    """Decides the tokens of one answer, one after the other."""

    def prefer(self, produced: Sequence[int]) -> Sequence[int]:
        """Return the tokens that may come next, best first; any other is less likely than these."""

    def allowed(self) -> Sequence[int] | None:
        """Return the tokens that may come where `prefer` was called last; None if any may."""


class PlainText:
    """Spells a text out, then ends the turn.

    Where the end is put off (`min_tokens`) or a token is forbidden (`logit_bias`), filler
    stands in, and the text goes on at its place.
    """

    def __init__(self, text: str) -> None:
        self._bytes = text.encode()

    def prefer(self, produced: Sequence[int]) -> Sequence[int]:
        """Return the next byte of the text, or its end, and then a byte of filler."""
        place = len(produced)
        wanted = self._bytes[place] if place < len(self._bytes) else END_OF_TURN
        return (wanted, _FILLER[place % len(_FILLER)])

    def allowed(self) -> None:
        """Allow every token."""


class Guided:
    """Spells out the first text that a guide accepts; without one, finds its way to an end."""

    def __init__(self, guide: Guide, wanted: Sequence[str]) -> None:
        self._guide = guide.copy()
        texts = list(dict.fromkeys(text.encode() for text in wanted))
        # sorting is stable: a text that cannot be said to its end may still lead a part of the way
        self._wanted = sorted(texts, key=lambda text: not guide.accepts(text))
        self._taken = 0
        self._allowed: Sequence[int] = ()
        self._walked: Counter[tuple[Any, int]] = Counter()

    def prefer(self, produced: Sequence[int]) -> Sequence[int]:
        """Return the token to take, one of those that are allowed."""
        for token in produced[self._taken :]:
            self._guide.take(token)
        self._taken = len(produced)
        self._allowed = self._guide.allowed()
        said = bytes(token for token in produced if token != END_OF_TURN)
        self._wanted = [text for text in self._wanted if text.startswith(said)]
        ways = (text[len(said)] if len(text) > len(said) else END_OF_TURN for text in self._wanted)
        wanted = next((token for token in ways if token in self._allowed), None)
        return (self._any_way(tuple(produced[-2:])) if wanted is None else wanted,)

    def allowed(self) -> Sequence[int]:
        """List the tokens that the guide allows."""
        return self._allowed

    def _any_way(self, before: tuple[int, ...]) -> int:
        """Take what was taken least often in the same surroundings, so that no loop lasts."""
        here = (before, tuple(self._allowed))

        def weariness(token: int) -> tuple[int, int]:
            return self._walked[here, token], _PLACES.get(token, len(_PLACES))

        chosen = min(self._allowed, key=weariness)
        self._walked[here, chosen] += 1
        return chosen
