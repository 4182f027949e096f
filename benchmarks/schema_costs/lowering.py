"""Lower many schemas: what becomes of them, and what that costs the client.

    python benchmarks/schema_costs/lowering.py [FOLDER ...] [--limit 5] [--write SCHEMAS.jsonl]

The schemas are those of tests/core/json_schema/corpus, and those of JSON files in the folders, such
as the families of JSONSchemaBench (github.com/guidance-ai/jsonschemabench, ``data/``). What is
written is the input of measure.py; with ``--limit 25`` it is what measured_costs.jsonl in the tests
was measured of.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from monster_core.json_schema import SchemaError, lower

_CORPUS = Path(__file__).parents[2] / "tests" / "core" / "json_schema" / "corpus"


def _schemas(folders: list[Path]) -> dict[str, Any]:
    found = {
        f"{file.stem}/{entry['name']}": entry["schema"]
        for file in sorted(_CORPUS.glob("*.jsonl"))
        for entry in map(json.loads, file.read_text(encoding="utf-8").splitlines())
    }
    for folder in folders:
        for file in sorted(folder.rglob("*.json")):
            found[f"{folder.name}/{file.stem}"] = json.loads(file.read_text(encoding="utf-8"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--limit", type=float, default=5.0)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    took: list[tuple[float, str]] = []
    outcomes: Counter[str] = Counter()
    lines: list[str] = []
    for name, schema in _schemas(options.folders).items():
        start = time.process_time()
        try:
            lowered = lower(schema, limit=options.limit)
        except SchemaError as error:
            outcomes["is not a schema"] += 1
            print(f"{name}: {error}")
            continue
        took.append((1000 * (time.process_time() - start), name))
        if lowered.guided:
            outcomes["is guided, all of it" if not lowered.relaxed else "is guided in part"] += 1
            lines.append(json.dumps({"name": name, "schema": lowered.schema}))
        else:
            outcomes["is too large, or impossible"] += 1
    worst = max(took)
    for outcome, count in outcomes.most_common():
        print(f"{count:5} {outcome}")
    print(f"median {median(ms for ms, _ in took):.2f} ms, worst {worst[0]:.0f} ms ({worst[1]})")
    if options.write:
        options.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
