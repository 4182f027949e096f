"""Lower many schemas as a request does: which engine each goes to, and what that costs the client.

    python benchmarks/schema_costs/lowering.py [PATH ...] [--limit 5] [--write SCHEMAS.jsonl]

The schemas are those of tests/core/json_schema/corpus, and of each path: a file of lines
``{"name": ..., "schema": ...}`` such as those that shapes.py writes, or a folder of JSON files such
as the families of JSONSchemaBench (github.com/guidance-ai/jsonschemabench, ``data/``). What is
refused is printed with its reason. What ``--write`` writes is the input of measure.py: each schema
as it is lowered for outlines, or for ``--engine``; with ``--limit 25`` it is what was measured for
measured_costs.jsonl in the tests.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from monster_core.json_schema import SchemaError, lower
from monster_core.json_schema.engines import ENGINES
from monster_core.json_schema.lower import lower_for_best

_ENGINES = {engine.name: engine for engine in ENGINES}
_CORPUS = Path(__file__).parents[2] / "tests" / "core" / "json_schema" / "corpus"


def _schemas(path: Path) -> Iterator[tuple[str, Any]]:
    if path.suffix == ".jsonl":
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            yield f"{path.stem}/{entry['name']}", entry["schema"]
        return
    for file in sorted([*path.glob("*.jsonl"), *path.rglob("*.json")]):
        if file.suffix == ".jsonl":
            yield from _schemas(file)
        else:
            yield f"{path.name}/{file.stem}", json.loads(file.read_text(encoding="utf-8"))


class _Group:
    """Count what becomes of the schemas of one path."""

    def __init__(self) -> None:
        self._took: list[tuple[float, str]] = []
        self._outcomes: Counter[str] = Counter()
        self._loosened = 0

    def add(self, name: str, schema: Any, limit: float) -> None:
        start = time.process_time()
        try:
            lowered = lower_for_best(schema, limit=limit)
        except SchemaError as error:
            self._outcomes["not a schema"] += 1
            print(f"{name}: not a schema: {error}")
            return
        self._took.append((1000 * (time.process_time() - start), name))
        if not lowered.guided:
            self._outcomes["refused"] += 1
            print(f"{name}: refused: {lowered.obstacle}")
            return
        self._outcomes[lowered.engine.name] += 1
        self._loosened += lowered.is_reduced

    def report(self, path: Path) -> None:
        counts = ", ".join(f"{count} {name}" for name, count in self._outcomes.most_common())
        print(
            f"== {path.name}: {sum(self._outcomes.values())} schemas: {counts}; "
            f"{self._loosened} are loosened for their cost"
        )
        worst, name = max(self._took)
        middle = median(took for took, _ in self._took)
        print(f"   client: median {middle:.2f} ms, worst {worst:.0f} ms ({name})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--limit", type=float, default=5.0)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--engine", choices=_ENGINES, default="outlines")
    options = parser.parse_args()
    lines: list[str] = []
    for path in [_CORPUS, *options.paths]:
        group = _Group()
        for name, schema in _schemas(path):
            if options.write is None:
                group.add(name, schema, options.limit)
                continue
            lowered = lower(schema, engine=_ENGINES[options.engine], limit=options.limit)
            if lowered.guided:
                lines.append(json.dumps({"name": name, "schema": lowered.schema}))
        if options.write is None:
            group.report(path)
    if options.write is not None:
        options.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
