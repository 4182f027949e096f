"""Parse the regular expressions that schemas carry: ECMA 262's, as far as Python shares them."""

from __future__ import annotations

import re

from .ast import (
    DIGIT,
    DOT,
    EMPTY,
    SPACE,
    WORD,
    Anchor,
    Chars,
    Choice,
    Part,
    Repeat,
    Sequence,
    UnsupportedPattern,
    chars,
    one,
)

_CLASSES = {"d": DIGIT, "w": WORD, "s": SPACE}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_GROUP = re.compile(r"\?(?:(:|=|!|<=|<!)|P?<[A-Za-z_]\w*>)")
_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")


def parse(source: str) -> Part:
    """Parse a regular expression; look-around, which only narrows, is left out.

    Raises:
        UnsupportedPattern: It uses what the server cannot express.
    """
    parser = _Parser(source)
    part = parser.choice()
    if parser.at < len(source):
        raise UnsupportedPattern("an unmatched ')'")
    return part


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def choice(self) -> Part:
        options = [self.sequence()]
        while self.takes("|"):
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Part:
        parts: list[Part] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            parts.append(self.quantified(self.atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def takes(self, text: str) -> bool:
        found = self.source.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def next(self) -> str:
        if self.at >= len(self.source):
            raise UnsupportedPattern("an unfinished expression")
        self.at += 1
        return self.source[self.at - 1]

    def atom(self) -> Part:
        match self.next():
            case "(":
                return self.group()
            case "[":
                return self.set()
            case ".":
                return DOT
            case "^":
                return Anchor(end=False)
            case "$":
                return Anchor(end=True)
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise UnsupportedPattern("a quantifier with nothing to repeat")
            case character:
                return one(character)

    def quantified(self, part: Part) -> Part:
        low, high = 1, None
        if count := _COUNT.match(self.source, self.at):
            low = int(count[1])
            high = low if count[2] is None else int(count[3]) if count[3] else None
            self.at = count.end()
        elif self.takes("*"):
            low = 0
        elif self.takes("?"):
            low, high = 0, 1
        elif not self.takes("+"):
            return part
        if not self.takes("?") and self.takes("+"):
            raise UnsupportedPattern("a possessive quantifier")
        if isinstance(part, Anchor) or (high is not None and high < low):
            raise UnsupportedPattern("a quantifier that repeats nothing")
        return Repeat(part, low, high)

    def group(self) -> Part:
        kind = _GROUP.match(self.source, self.at)
        if kind:
            self.at = kind.end()
        elif self.source.startswith("?", self.at):
            raise UnsupportedPattern("a special group")
        part = self.choice()
        if not self.takes(")"):
            raise UnsupportedPattern("an unclosed group")
        looks_around = kind is not None and kind[1] not in (None, ":")
        return EMPTY if looks_around else part

    def escape(self) -> Part:
        if code := _CODE.match(self.source, self.at):
            self.at = code.end()
            return one(self.code_point(code))
        letter = self.next()
        if letter.lower() in _CLASSES:
            found = _CLASSES[letter.lower()]
            return chars(found.ranges, negated=letter.isupper())
        if letter in _CONTROLS:
            return one(_CONTROLS[letter])
        if letter in "AZz":
            return Anchor(end=letter != "A")
        if letter.isalnum():
            raise UnsupportedPattern(f"'\\{letter}'")
        return one(letter)

    @staticmethod
    def code_point(code: re.Match[str]) -> str:
        number = int(next(digits for digits in code.groups() if digits), 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise UnsupportedPattern("half of a character")
        return chr(number)

    def set(self) -> Chars:
        negated = self.takes("^")
        ranges: list[tuple[int, int]] = []
        while not self.takes("]"):
            low = self.member()
            if self.source.startswith("-", self.at) and not self.source.startswith("-]", self.at):
                self.at += 1
                high = self.member()
                if len(low.ranges) != 1 or low.ranges[0][0] > high.ranges[0][0]:
                    raise UnsupportedPattern("a range that runs backwards")
                ranges.append((low.ranges[0][0], high.ranges[0][1]))
            else:
                ranges += low.ranges
        return chars(ranges, negated)

    def member(self) -> Chars:
        character = self.next()
        if character != "\\":
            return one(character)
        if self.takes("b"):
            return one("\b")
        part = self.escape()
        if not isinstance(part, Chars):
            raise UnsupportedPattern("an anchor among characters")
        return part
