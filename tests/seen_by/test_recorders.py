"""vcrpy records what is sent, and replays it when the endpoint is gone."""

from __future__ import annotations

from pathlib import Path

import vcr

from monster_emulator import Emulator
from tests.seen_by.ways import EVERY_WAY, Way


@EVERY_WAY
async def test_vcrpy_records_and_replays(ask: Way, is_stream: bool, tmp_path: Path) -> None:
    cassette = str(tmp_path / "cassette.yaml")
    options = {"filter_headers": ["authorization"], "record_mode": "once"}
    with Emulator() as emulator:
        where = {"base_url": emulator.base_url, "api_key": emulator.api_key}
        with vcr.use_cassette(cassette, **options):
            said = await ask(**where)
        assert len(emulator.requests) == 1
    assert said
    assert emulator.api_key not in Path(cassette).read_text("utf-8")
    with vcr.use_cassette(cassette, **options) as replayed:
        assert await ask(**where) == said
    assert replayed.all_played
