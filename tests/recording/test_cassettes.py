"""What stands in ``cassettes/``: nothing unused, nothing secret."""

from __future__ import annotations

import re

from tests.conftest import CASSETTES, ROOT
from tests.files import files_of_the_repository
from tests.recorded_endpoint import KEPT_HEADERS
from tests.recording.key_shapes import find_keys

RECORDED = sorted(CASSETTES.rglob("*.yaml"))


def test_nothing_but_cassettes_and_their_readme_is_kept_there() -> None:
    kept = {path for path in CASSETTES.rglob("*") if path.is_file()}
    assert kept - set(RECORDED) == {CASSETTES / "README.md"}


HEADERS = re.compile(r"^    headers:\n((?:      .+\n)+)", re.MULTILINE)
"""The headers of a message: two levels deep, where no text of a body stands."""


def test_a_cassette_holds_listed_headers_only() -> None:
    for path in RECORDED:  # reading them as YAML takes a second
        text = path.read_text("utf-8")
        held = {
            line.partition(":")[0].strip().lower()
            for one in HEADERS.findall(text)
            for line in one.splitlines()
        }
        assert held, path
        assert held <= KEPT_HEADERS, path


def test_no_file_holds_what_looks_like_a_key() -> None:
    found = {
        str(path.relative_to(ROOT)): keys
        for path in files_of_the_repository()
        if (keys := find_keys(path.read_bytes().decode("utf-8", "replace")))
    }
    assert not found
