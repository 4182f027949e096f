"""Read the corpora: one request a line, in one file a group, in one folder a server.

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
GROUPS = sorted((path.parent.name, path.stem) for path in CORPUS.glob("*/*.jsonl"))
"""The folder of the server, and the group."""

_HELLO = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
PLAIN = {
    "vllm-0.5.0": _HELLO,
    # a model with real weights goes on and on, and each time otherwise
    "vllm-0.32.0": {**_HELLO, "max_tokens": 3, "temperature": 0},
}
"""The plain question to each server."""


@dataclass(frozen=True)
class Case:
    """Hold one request of a corpus."""

    name: str
    line: dict[str, Any]
    plain: dict[str, Any]

    def send(
        self, base_url: str, api_key: str, client: httpx.Client, *, bytes_per_token: int = 1
    ) -> httpx.Response:
        """Send the request; with limits of so many times as many tokens, where one is a byte."""
        line, content = self.line, None
        headers = {"Content-Type": "application/json", **line.get("headers", {})}
        if key := line.get("key", api_key):
            headers["Authorization"] = f"Bearer {key}"
        if "body" in line:
            body = {**self.plain, **line["body"]}
            for limit in ("min_tokens", "max_tokens"):
                if body.get(limit) in range(1, 1000):
                    body[limit] *= bytes_per_token
            kept = {key: body[key] for key in body if key not in line.get("without", ())}
            content = json.dumps(kept, ensure_ascii=False)
        url = base_url + line.get("path", "/chat/completions")
        content = line.get("text", content)
        return client.request(line.get("method", "POST"), url, headers=headers, content=content)


def cases(server: str, group: str) -> list[Case]:
    """Return the cases of a group."""
    lines = (CORPUS / server / f"{group}.jsonl").read_text(encoding="utf-8").splitlines()
    read = [json.loads(line) for line in lines]
    return [Case(f"{group}: {line['case']}", line, PLAIN[server]) for line in read]
