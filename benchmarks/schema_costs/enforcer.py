"""Let lm-format-enforcer 0.10.1 write at random, and measure what each token costs it.

    python benchmarks/schema_costs/enforcer.py walk SCHEMAS.jsonl [--walks 5] > texts.jsonl
    python benchmarks/schema_costs/enforcer.py time SCHEMAS.jsonl

Each line of the input is ``{"name": ..., "schema": ...}``, the schema as it is sent: lowering.py
writes it with ``--engine lm-format-enforcer``. ``walk`` picks allowed tokens at random, as a model
without any knowledge would, and writes each text with how it ended: ``eos`` (the schema was
satisfied), ``open`` (the engine gave up and allowed only the end), or ``long``. ``time`` walks with
a vocabulary of 128,000 generated tokens, and prints milliseconds of one core: building the parser
with the first token, and the median and the worst of the later ones.

It runs in the environment of measure.py, with ``lm-format-enforcer==0.10.1`` and ``packaging``.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from measure import vocabulary

_WORDS = 300  # of the vocabulary of a walk, beside the single characters
_MAX_TOKENS = 200
_MAX_WALK_SECONDS = 8
_TIMED_TOKENS = 60
_SLOW_MS = 100
_END = -1


def _enforcer(tokens: list[str]) -> tuple[Any, Any]:
    import lmformatenforcer as enforcer

    regular = [(number, token, False) for number, token in enumerate(tokens)]
    data = enforcer.TokenEnforcerTokenizerData(
        regular, lambda ids: "".join(tokens[number] for number in ids if number >= 0), _END
    )
    return enforcer, data


class _Walk:
    """Write one text, a random allowed token after another."""

    def __init__(self, enforcer: Any, data: Any, schema: Any, tokens: list[str], seed: str) -> None:
        self._random = random.Random(seed)
        self._tokens = tokens
        start = time.process_time()
        self._enforcer = enforcer.TokenEnforcer(data, enforcer.JsonSchemaParser(schema))
        self._ids: list[int] = []
        self._allowed = self._enforcer.get_allowed_tokens([])
        self.milliseconds = [1000 * (time.process_time() - start)]
        self.ending = "long"

    @property
    def text(self) -> str:
        return "".join(self._tokens[number] for number in self._ids)

    def run(self, most: int) -> None:
        """Walk until the text ends, or so many tokens are written."""
        for _ in range(most):
            if sum(self.milliseconds) > 1000 * _MAX_WALK_SECONDS:
                return
            chosen = self._choose()
            if chosen == _END:
                can_end = self._enforcer.prefix_states[tuple(self._ids)].parser.can_end()
                self.ending = "eos" if can_end else "open"
                return
            self._ids.append(chosen)
            start = time.process_time()
            self._allowed = self._enforcer.get_allowed_tokens(self._ids)
            self.milliseconds.append(1000 * (time.process_time() - start))

    def _choose(self) -> int:
        """Choose a token; what closes a string or a value is likelier, since walks are to end."""
        if _END in self._allowed and self._random.random() < 0.7:
            return _END
        few = self._random.choices(self._allowed, k=8)
        closing = [n for n in few if n != _END and self._tokens[n].strip()[:1] in ('"', "}", "]")]
        if not closing and self._random.random() < 0.5:
            closing = [n for n in self._allowed if n != _END and self._tokens[n] in ('"', "}", "]")]
        if closing and self._random.random() < 0.6:
            return self._random.choice(closing)
        return self._random.choice(few)


def _walk(entries: list[dict[str, Any]], walks: int) -> None:
    every = vocabulary()
    tokens = [token for token in every if len(token) == 1] + ["\n", "\t"]
    tokens += random.Random(5).sample([token for token in every if len(token) > 1], _WORDS)
    tokens += ['": ', '", "', '"}', "},", "[{", ' "', '{"', "\\n", '\\"', "[]", "{}", " {", " ["]
    # a character that is not a token of its own ends the answer, as it would with real tokens
    tokens = list(dict.fromkeys([*tokens, *"".join(tokens)]))
    enforcer, data = _enforcer(tokens)
    for entry in entries:
        for number in range(walks):
            seed = f"{entry['name']}/{number}"
            walk = _Walk(enforcer, data, entry["schema"], tokens, seed)
            walk.run(_MAX_TOKENS)
            found = {"name": entry["name"], "ending": walk.ending, "text": walk.text}
            print(json.dumps(found), flush=True)


def _time(entries: list[dict[str, Any]], walks: int) -> None:
    tokens = [*vocabulary(), "\n", "\t"]
    enforcer, data = _enforcer(tokens)
    _Walk(enforcer, data, {"type": "object"}, tokens, "warms up").run(3)
    for entry in entries:
        first: list[float] = []
        later: list[float] = []
        for number in range(walks):
            walk = _Walk(enforcer, data, entry["schema"], tokens, f"{entry['name']}/{number}")
            walk.run(_TIMED_TOKENS)
            first.append(walk.milliseconds[0])
            later += walk.milliseconds[1:]
        slow = sum(took > _SLOW_MS for took in later)
        print(
            f"{entry['name']}: first {median(first):.0f} ms; {len(later)} later tokens: "
            f"median {median(later):.1f} ms, worst {max(later):.0f} ms, "
            f"{slow} of more than {_SLOW_MS} ms",
            flush=True,
        )


def main() -> None:
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("does", choices=["walk", "time"])
    parser.add_argument("schemas", type=Path)
    parser.add_argument("--walks", type=int, default=5)
    options = parser.parse_args()
    sys.setrecursionlimit(20_000)
    lines = options.schemas.read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    if options.does == "walk":
        _walk(entries, options.walks)
    else:
        _time(entries, options.walks)


if __name__ == "__main__":
    main()
