"""Schemas as they are met: functions, configuration, events, documents, classes, odd corners."""

import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent / "corpus"

CORPUS: dict[str, Any] = {
    f"{file.stem}/{entry['name']}": entry["schema"]
    for file in sorted(_HERE.glob("*.jsonl"))
    for entry in map(json.loads, file.read_text(encoding="utf-8").splitlines())
}
