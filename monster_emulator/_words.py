"""The values that a user's words hold: numbers, names and places, and what was said of what."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?|\d+(?:\.\d+)?")
_NUMERALS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_QUOTED = re.compile(r'"([^"\n]+)"|“([^”\n]+)”|(?<!\w)\'([^\'\n]+)\'(?!\w)')
_CAPITAL = r"[^\W\d_a-zß-ÿ][\w'-]*"
_NAMES = re.compile(rf"{_CAPITAL}(?:,? {_CAPITAL})*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+|\n)$")
_BEFORE = re.compile(r"(\w+)\W*$")
_OPENING_WORDS = """
    a add all an and answer are as at be book buy by call can check compute convert could count
    create do does extract find for from get give hello hey hi how i if in is it json list look
    make multiply my name no not on or our please read remind say schedule search send set show
    tell thank that the their then there these they this to translate use was we what when where
    which who why will with would write yes you your
"""
_LABELS_OF_PLACES = "address city country destination location origin place region state town"
_LABELS_OF_TEXTS = """
    answer body content description input message prompt query question reason summary text
    thought topic
"""
_OPENERS = frozenset(_OPENING_WORDS.split())
_PLACE_LABELS = frozenset(_LABELS_OF_PLACES.split())
_TEXT_LABELS = frozenset(_LABELS_OF_TEXTS.split())
_MAKERS = frozenset({"artist", "author", "composer", "director", "writer"})
_BEFORE_PLACES = frozenset({"at", "from", "in", "near", "to"})
_BEFORE_MAKERS = frozenset({"by"})
_NO = re.compile(r"\b(?:no|not|never|none|without)\b|n't\b", re.I)
LONGEST = 80


def words_of(text: str) -> list[str]:
    """Split a text or an identifier into words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.findall(r"[^\W_]+", spaced.lower())


class Words:
    """Hands out what stands in a text, each value once."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.numbers = _numbers(self.text)
        self.phrases = _phrases(self.text)
        self._said = words_of(self.text)

    @property
    def is_negative(self) -> bool:
        """Whether the text says no."""
        return bool(_NO.search(self.text))

    def mentions(self, text: str) -> bool:
        """Return whether every word of a text was said."""
        words = words_of(text)
        return bool(words) and all(word in self._said for word in words)

    def number(self, label: str) -> str | None:
        """Take the number that belongs to a label, or else the next one."""
        name = re.escape(label.replace("_", " ").removesuffix("s"))
        for pattern in (
            rf"(-?\d+(?:\.\d+)?) {name}",
            rf"\b{name}\w*\W+(?:is |of )?(-?\d+(?:\.\d+)?)",
        ):
            found = re.search(pattern, self.text, re.I) if label else None
            if found and found[1] in self.numbers:
                self.numbers.remove(found[1])
                return found[1]
        return self.numbers.pop(0) if self.numbers else None

    def phrase(self, label: str) -> str | None:
        """Take the phrase that belongs to a label, or else the next one."""
        words = set(words_of(label))
        name = re.escape(label.replace("_", " "))
        value = rf'"([^"]+)"|({_CAPITAL}(?: {_CAPITAL})*)'
        stated = re.search(rf"\b{name}\b(?: is|:| =| called| named)? *(?:{value})", self.text)
        candidates = [stated[1] or stated[2]] if stated and label else []
        if words & _TEXT_LABELS:
            quoted = [found[1] for found in _QUOTED.finditer(self.text) if found[1]]
            return quoted[0] if quoted else self.text[:LONGEST] or None
        before = _BEFORE_MAKERS if words & _MAKERS else _BEFORE_PLACES
        is_after = bool(words & (_MAKERS | _PLACE_LABELS))
        candidates += [phrase for phrase, word in self.phrases if (word in before) == is_after]
        candidates += [phrase for phrase, _ in self.phrases]
        taken = candidates[0] if candidates else None
        self.phrases = [pair for pair in self.phrases if pair[0] != taken]
        return taken

    def spans(self, most: int = 6) -> Iterable[str]:
        """List the parts of the text: phrases, numbers, then every run of words."""
        yield from (phrase for phrase, _ in self.phrases)
        yield from self.numbers
        words = [word.strip(".,;:!?\"'()") for word in self.text.split()[:40]]
        for length in range(min(most, len(words)), 0, -1):
            for start in range(len(words) - length, -1, -1):
                yield " ".join(words[start : start + length])


def _numbers(text: str) -> list[str]:
    found = [(match.start(), match[0]) for match in _NUMBER.finditer(text)]
    for value, numeral in enumerate(_NUMERALS, start=2):
        found += [(m.start(), str(value)) for m in re.finditer(rf"\b{numeral}\b", text, re.I)]
    return [number for _, number in sorted(found)]


def _phrases(text: str) -> list[tuple[str, str]]:
    """Find what is quoted, then names, each with the word before it; sentence openings last."""
    quoted = [next(filter(None, found.groups())) for found in _QUOTED.finditer(text)]
    named: list[tuple[str, str]] = []
    opening: list[tuple[str, str]] = []
    for found in _NAMES.finditer(_QUOTED.sub(lambda match: " " * len(match[0]), text)):
        before = text[: found.start()]
        is_opening = bool(_SENTENCE_START.search(before))
        words = found[0].split()
        while words and words[0].strip(",").lower() in _OPENERS:
            words.pop(0)
            is_opening = False
        if words:
            previous = _BEFORE.search(before)
            pair = (" ".join(words).rstrip(","), previous[1].lower() if previous else "")
            (opening if is_opening else named).append(pair)
    return [*((phrase, "") for phrase in quoted), *named, *opening]
