"""Measure what outlines 0.0.44 spends on schemas, as vLLM 0.5.0 uses it.

    python benchmarks/schema_costs/measure.py SCHEMAS.jsonl [--index NAME ...] > measured.jsonl

Each line of the input is ``{"name": ..., "schema": ...}``, the schema as it is sent. Each line of
the output says of one how many states its automaton has, how many of them are wide (most characters
lead out of them, as inside a free string), and how many seconds of one core building it took.
With ``--index`` the whole compilation runs for these names, every state held against a vocabulary
of 128,000 generated tokens, and ``index_seconds`` is what that took.

It runs in an environment of its own, because outlines of that time needs numpy 1:

    pip install numpy==1.26.4 numba interegular==0.3.3 lark nest-asyncio cloudpickle diskcache \
        jsonschema pydantic tqdm
    pip install --no-deps outlines==0.0.44
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import signal
import sys
import time
import types
from pathlib import Path
from typing import Any

_VOCABULARY_SIZE = 128_000
_WIDE_BYTES = 64  # of the 95 printable ones; a digit's or a name's state has far fewer
_MAX_SECONDS = 120


def _outlines() -> tuple[Any, Any]:
    """Import two modules of outlines without what its package imports: torch and transformers."""
    found = importlib.util.find_spec("outlines")
    assert found is not None
    assert found.origin is not None
    package = types.ModuleType("outlines")
    package.__path__ = [str(Path(found.origin).parent)]
    sys.modules["outlines"] = package
    inner = types.ModuleType("outlines.fsm")
    inner.__path__ = [str(Path(found.origin).parent / "fsm")]
    sys.modules["outlines.fsm"] = inner
    import outlines.fsm.json_schema as schemas
    import outlines.fsm.regex as automata

    return schemas, automata


def automaton(schemas: Any, automata: Any, schema: dict[str, Any]) -> Any:
    """Build the automaton of a schema, as outlines does in ``create_states_mapping``."""
    import interegular

    regex = schemas.build_regex_from_schema(json.dumps(schema))
    characters = interegular.parse_pattern(regex).to_fsm().reduce()
    by_bytes = automata.make_byte_level_fsm(characters, keep_utf8=True)
    return automata.make_deterministic_fsm(by_bytes)[0]


def wide_states(fsm: Any) -> int:
    """Count the states out of which most characters lead."""
    from interegular.fsm import anything_else

    symbols = dict.fromkeys(range(len(fsm.alphabet.by_transition)), 0)
    for key, characters in fsm.alphabet.by_transition.items():
        # the symbol for any other character stands for all those that are not named
        named = [c for c in characters if c != anything_else and len(c) == 1]
        symbols[key] = sum(" " <= character <= "~" for character in named)
    named_at_all = sum(symbols.values())
    other = fsm.alphabet[anything_else]
    symbols[other] = max(symbols[other], 95 - named_at_all)
    return sum(
        sum(symbols[symbol] for symbol in transitions) >= _WIDE_BYTES
        for transitions in fsm.map.values()
    )


def vocabulary() -> list[str]:
    """Generate words, numbers and punctuation of the lengths that a real vocabulary has."""
    generator = random.Random(7)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    tokens = {chr(code) for code in range(0x20, 0x7F)}
    while len(tokens) < _VOCABULARY_SIZE:
        length = min(1 + int(generator.expovariate(0.2)), 16)
        kind = generator.random()
        if kind < 0.85:
            word = "".join(generator.choices(letters, range(26, 0, -1), k=length))
            word = word.title() if kind < 0.2 else word
            tokens.add((" " if kind > 0.45 else "") + word)
        elif kind < 0.9:
            tokens.add("".join(generator.choices("0123456789", k=min(length, 3))))
        elif kind < 0.95:
            tokens.add("".join(generator.choices(".,:;\"'(){}[]<>=-_/\\\n\t ", k=min(length, 5))))
        else:
            tokens.add("".join(chr(generator.randrange(0x4E00, 0x9FA5)) for _ in range(2)))
    return sorted(tokens)


def indexer(automata: Any) -> Any:
    """Return a function that holds an automaton against the vocabulary."""
    import numba
    import numpy as np

    kinds = numba.types.Tuple((numba.types.unicode_type, numba.int64[:]))
    words = numba.typed.List.empty_list(kinds)
    for number, token in enumerate(vocabulary()):
        words.append((token, np.array([number], dtype="int64")))
    return lambda fsm: automata.create_fsm_index_end_to_end(fsm.fsm_info, words)


def _too_long(*_: Any) -> None:
    raise TimeoutError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schemas", type=Path)
    parser.add_argument("--index", nargs="*", default=[])
    options = parser.parse_args()
    schemas, automata = _outlines()
    automaton(schemas, automata, {"type": "integer"})  # warms up
    index = indexer(automata) if options.index else None
    if index is not None:
        index(automaton(schemas, automata, {"type": "integer"}))
    signal.signal(signal.SIGALRM, _too_long)
    for line in options.schemas.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if index is not None and entry["name"] not in options.index:
            continue
        start = time.process_time()
        signal.alarm(_MAX_SECONDS)
        try:
            final = automaton(schemas, automata, entry["schema"])
        except Exception as error:
            found: dict[str, Any] = {"error": f"{type(error).__name__}: {error}"}
        else:
            found = {
                "build_seconds": round(time.process_time() - start, 3),
                "states": len(final.states),
                "wide": wide_states(final),
            }
            if index is not None:
                signal.alarm(0)
                start = time.process_time()
                index(final)
                found["index_seconds"] = round(time.process_time() - start, 3)
        signal.alarm(0)
        print(json.dumps({"name": entry["name"], **found}), flush=True)


if __name__ == "__main__":
    main()
