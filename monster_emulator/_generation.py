"""How an answer grows, token by token, and when it ends: stop strings, stop tokens, length."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ._decoding import Guided, PlainText
from ._sampling import Sampling
from ._tokens import END_OF_TURN, VOCABULARY, Detokenizer

# the distance between two preferred tokens, and from the last of them to the rest
_STEP = 6.0
_BEST = 30.0
_IMPOSSIBLE = -9999.0  # what the server writes for minus infinity


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The text of a token, how likely it was, and the likeliest tokens at its place."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...]


class Answer:
    """One choice of a request, while it is generated."""

    def __init__(
        self,
        index: int,
        decoding: PlainText | Guided,
        sampling: Sampling,
        logit_bias: dict[int, float],
        end_reason: str,
    ) -> None:
        self.index = index
        self.tokens: list[int] = []
        self.text = ""
        self.likelihoods: list[Likelihood] = []
        self.finish_reason: str | None = None
        self.stop_reason: int | str | None = None
        self._decoding = decoding
        self._sampling = sampling
        self._logit_bias = logit_bias
        self._end_reason = end_reason
        self._detokenizer = Detokenizer(skip_special_tokens=sampling.skip_special_tokens)

    @property
    def shown(self) -> str:
        """The text that may be sent: all but what a stop string could still take back."""
        held = 0 if self.finish_reason else self._sampling.held_back
        return self.text[:-held] if held else self.text

    def step(self) -> None:
        """Generate one token and find out whether it was the last.

        The order of the checks is that of vllm/engine/output_processor/stop_checker.py:30.
        """
        token, ranking = self._choose()
        if self._sampling.top_logprobs is not None:
            self.likelihoods.append(self._likelihood(token, ranking))
        self.tokens.append(token)
        added = self._detokenizer.take(token)
        self.text += added
        if len(self.tokens) >= self._sampling.min_tokens:
            self._end_after(token, added)

    def _choose(self) -> tuple[int, Sequence[tuple[int, float]]]:
        preferred, allowed = self._decoding.next_tokens(self.tokens)
        forbidden: frozenset[int] = frozenset()
        if len(self.tokens) < self._sampling.min_tokens:
            forbidden = self._sampling.stop_token_ids | {END_OF_TURN}
        if self._logit_bias or self._sampling.top_logprobs is not None or forbidden:
            ranking = _rank(preferred, forbidden, self._logit_bias, len(self.tokens), allowed)
            return ranking[0][0], ranking
        return preferred[0], ()

    def _likelihood(self, token: int, ranking: Sequence[tuple[int, float]]) -> Likelihood:
        text_of = self._detokenizer.text_of
        top = ranking[: self._sampling.top_logprobs]
        return Likelihood(
            text=text_of(token),
            logprob=ranking[0][1],
            top=tuple((text_of(other), logprob) for other, logprob in top),
        )

    def _end_after(self, token: int, added: str) -> None:
        sampling = self._sampling
        ended = token == END_OF_TURN and not sampling.ignore_eos
        if ended or token in sampling.stop_token_ids:
            if added and not sampling.include_stop_str_in_output:
                self.text = self.text[: -len(added)]
            self.finish_reason = self._end_reason if ended else "stop"
            self.stop_reason = None if ended else token
        elif added and self._stop_string(len(added)):
            self.finish_reason = "stop"
        elif len(self.tokens) >= sampling.max_tokens:
            self.finish_reason = "length"

    def _stop_string(self, added: int) -> bool:
        """Cut the text at the first stop string that the added characters complete."""
        for stop in self._sampling.stop:
            found = self.text.find(stop, max(0, len(self.text) - added - len(stop)))
            if found >= 0:
                kept = found + len(stop) if self._sampling.include_stop_str_in_output else found
                self.text = self.text[:kept]
                self.stop_reason = stop
                return True
        return False


@dataclass(slots=True)
class Delta:
    """What one step added to one choice.

    Attributes:
        answer: The choice.
        content: The text that may be sent now.
        likelihoods: Those of the new tokens.
    """

    answer: Answer
    content: str
    likelihoods: list[Likelihood] = field(default_factory=list)


def steps(answers: Sequence[Answer]) -> Iterator[list[Delta]]:
    """Generate all answers side by side."""
    sent = [0] * len(answers)
    while running := [answer for answer in answers if not answer.finish_reason]:
        deltas = []
        for answer in running:
            answer.step()
            shown = answer.shown
            deltas.append(Delta(answer, shown[sent[answer.index] :], answer.likelihoods[-1:]))
            sent[answer.index] = max(sent[answer.index], len(shown))
        yield deltas


def _rank(
    preferred: Sequence[int],
    forbidden: Collection[int],
    logit_bias: Mapping[int, float],
    place: int,
    allowed: Sequence[int] | None = None,
) -> list[tuple[int, float]]:
    """Return every token with its log probability, best first.

    What is forbidden comes last, unless a guide allows nothing else; `place`, the token's place
    in the answer, orders the rest of the vocabulary.
    """
    scores = {token: _noise(token, place) for token in range(VOCABULARY)}
    for position, token in reversed(list(enumerate(preferred))):
        scores[token] = _BEST - _STEP * min(position, 3)
    for token, bias in logit_bias.items():
        scores[token] += min(100.0, max(-100.0, bias))
    excluded = set() if allowed is None else scores.keys() - set(allowed)
    if scores.keys() - excluded - set(forbidden):
        excluded |= set(forbidden)
    for token in excluded:
        del scores[token]
    highest = max(scores.values())
    total = highest + math.log(sum(math.exp(score - highest) for score in scores.values()))
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return [
        *((token, score - total) for token, score in ranked),
        *((token, _IMPOSSIBLE) for token in sorted(excluded, reverse=True)),
    ]


def _noise(token: int, place: int) -> float:
    return (token * 7919 + place * 104729) % 1009 / 1009
