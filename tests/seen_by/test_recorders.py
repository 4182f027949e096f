"""vcrpy records what is sent, and replays it when the endpoint is gone.

It replaces methods of httpx's classes, so that it sees requests over open connections too. It is in
the group ``test`` of pyproject.toml with the rest: this project's own recorded tests stand on it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import vcr
from vcr.errors import CannotOverwriteExistingCassetteException

from tests.core.scripted_server import Reply, ScriptedServer
from tests.seen_by.ways import EVERY_WAY, KEY, TEXT, Way

Serve = Callable[[Reply], ScriptedServer]

OPTIONS: dict[str, Any] = {"filter_headers": ["authorization"], "record_mode": "once"}


@EVERY_WAY
@pytest.mark.parametrize("is_open", [False, True], ids=["first call", "open connection"])
async def test_what_is_recorded_is_replayed_when_the_endpoint_is_gone(
    way: Way, is_open: bool, tmp_path: Path
) -> None:
    cassette = tmp_path / "cassette.yaml"
    with ScriptedServer(way.served()) as server:
        model = way.make(base_url=server.base_url)
        if is_open:
            await way.ask(model)
        with vcr.use_cassette(str(cassette), **OPTIONS) as recorded:
            assert await way.ask(model) == TEXT
        assert len(recorded) == 1
        assert (len(server.received), server.connections) == (1 + is_open, 1)
    assert KEY not in cassette.read_text("utf-8")
    with vcr.use_cassette(str(cassette), **OPTIONS) as replayed:
        assert await way.ask(model) == TEXT
    assert replayed.all_played


@EVERY_WAY
async def test_nothing_leaves_that_was_not_recorded(way: Way, tmp_path: Path, serve: Serve) -> None:
    server = serve(way.served())
    model = way.make(base_url=server.base_url)
    await way.ask(model)
    cassette = str(tmp_path / "cassette.yaml")
    with (
        vcr.use_cassette(cassette, record_mode="none"),
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        await way.ask(model)
    assert (len(server.received), server.accepted) == (1, 1)
