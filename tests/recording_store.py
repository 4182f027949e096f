"""Keep one recording of each distinct request, for every test that sends it.

The recordings of a server stand in one folder, ``cassettes/<server>``, in files named after the
first thing that the user says in the conversation. vcrpy calls the store in place of its own
reading and writing of files.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from vcr.cassette import CassetteNotFoundError
from vcr.request import Request
from vcr.serialize import deserialize, serialize

from tests.cassette_format import CassetteFormat

__all__ = ["RecordingStore", "file_of", "interactions_in"]

_MAX_NAME_CHARS = 60
_Interaction = tuple[Request, dict[str, Any]]


class RecordingStore:
    """Read all recordings of a server, and write new ones to where they belong.

    Args:
        root: The folder that holds one folder for each server.
        record_mode: The mode in which pytest-recording runs; None means "none".
    """

    def __init__(self, root: Path, record_mode: str | None) -> None:
        self._root = root
        self._record_mode = record_mode

    def load_cassette(self, path: str, serializer: ModuleType) -> tuple[list[Any], list[Any]]:
        """Return the requests and replies of the folder that a path lies in, to add others to them.

        While nothing is recorded they are none: vcrpy would copy them all for each test, so
        the cassette takes them from :func:`interactions_in`.

        Args:
            path: A file in the folder of a server, which need not exist; or a cassette elsewhere.
            serializer: Reads a file's text.
        """
        file = Path(path)
        if file.parent.parent != self._root:
            if not file.exists():
                raise CassetteNotFoundError(path)
            return deserialize(file.read_text("utf-8"), serializer)
        if self._record_mode == "rewrite":
            raise CassetteNotFoundError(path)  # so that each request is sent, and recorded anew
        found = interactions_in(file.parent) if self._record_mode == "new_episodes" else []
        return [request for request, _ in found], [reply for _, reply in found]

    def save_cassette(self, path: str, recorded: dict[str, Any], serializer: ModuleType) -> None:
        """Write each interaction into the file of its conversation.

        Args:
            path: As in :meth:`load_cassette`.
            recorded: The requests and replies.
            serializer: Writes a file's text.
        """
        file = Path(path)
        if file.parent.parent != self._root:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(serialize(recorded, serializer), "utf-8")
            return
        by_file: dict[Path, list[_Interaction]] = defaultdict(list)
        for one in zip(recorded["requests"], recorded["responses"], strict=True):
            by_file[file.parent / file_of(one[0])].append(one)
        for target, interactions in by_file.items():
            _add(target, interactions, serializer)
        interactions_in.cache_clear()


@cache
def interactions_in(folder: Path) -> list[_Interaction]:
    """Return every interaction that a server's folder holds."""
    serializer: Any = CassetteFormat()
    return [one for path in sorted(folder.glob("*.yaml")) for one in _read(path, serializer)]


def file_of(request: Request) -> str:
    """Return the name of the file that holds a request.

    Args:
        request: The request, as it is recorded.
    """
    body = _json(request)
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages:
        return f"{_slug(request.path)}.yaml"
    users = [one for one in messages if isinstance(one, dict) and one.get("role") == "user"]
    first = (users or messages)[0]
    content = first.get("content") if isinstance(first, dict) else None
    if isinstance(content, list):
        content = " ".join(str(part.get("text", part.get("type"))) for part in content)
    return f"{_slug(str(content))}.yaml"


def _add(path: Path, interactions: list[_Interaction], serializer: ModuleType) -> None:
    kept = {_key(one[0]): one for one in (_read(path, serializer) if path.exists() else [])}
    for one in interactions:
        kept[_key(one[0])] = one
    path.parent.mkdir(parents=True, exist_ok=True)
    requests = [request for request, _ in kept.values()]
    replies = [reply for _, reply in kept.values()]
    path.write_text(serialize({"requests": requests, "responses": replies}, serializer), "utf-8")


def _read(path: Path, serializer: ModuleType) -> list[_Interaction]:
    requests, replies = deserialize(path.read_text("utf-8"), serializer)
    for request in requests:
        request.recorded_in = path
    return list(zip(requests, replies, strict=True))


def _key(request: Request) -> str:
    return json.dumps([request.method, request.uri, _json(request)], sort_keys=True)


def _json(request: Request) -> Any:
    try:
        return json.loads(request.body or b"null")
    except ValueError:
        return str(request.body)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_MAX_NAME_CHARS].strip("-") or "-"
