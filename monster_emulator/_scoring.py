"""How likely each token is said to be: what `logprobs` shows and what `logit_bias` moves."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from ._tokens import VOCABULARY

# the distance between two preferred tokens, and from the last of them to the rest
_STEP = 6.0
_BEST = 30.0
_IMPOSSIBLE = -9999.0  # what the server writes for minus infinity


def rank(
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
