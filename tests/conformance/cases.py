"""Read the corpus: one request a line, in one file a group.

A line holds a name and what its request differs in from a plain question: keys of the `body`,
keys `without` which it is sent, another `method` or `path`, a `text` in place of a body, a `key`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.recorded_endpoint import MODEL

CORPUS = Path(__file__).parent / "corpus"
GROUPS = sorted(path.stem for path in CORPUS.glob("*.jsonl"))
PLAIN = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}


@dataclass(frozen=True)
class Case:
    """Hold one request of the corpus."""

    name: str
    line: dict[str, Any]

    def send(self, base_url: str, api_key: str, client: httpx.Client) -> httpx.Response:
        """Send the request."""
        line, content = self.line, None
        headers = {"Content-Type": "application/json", **line.get("headers", {})}
        if key := line.get("key", api_key):
            headers["Authorization"] = f"Bearer {key}"
        if "body" in line:
            body = {**PLAIN, **line["body"]}
            kept = {key: body[key] for key in body if key not in line.get("without", ())}
            content = json.dumps(kept, ensure_ascii=False)
        url = base_url + line.get("path", "/chat/completions")
        content = line.get("text", content)
        return client.request(line.get("method", "POST"), url, headers=headers, content=content)


def cases(group: str) -> list[Case]:
    """Return the cases of a group."""
    lines = (CORPUS / f"{group}.jsonl").read_text(encoding="utf-8").splitlines()
    read = [json.loads(line) for line in lines]
    return [Case(f"{group}: {line['case']}", line) for line in read]
