"""docs/what-happens-when.md says of every fault of the matrix what the matrix says."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.faults.matrix import MATRIX
from tests.faults.outcomes import Fails

PAGE = (ROOT / "docs" / "what-happens-when.md").read_text("utf-8")
TOLD = {
    name.strip(): (seen.strip(), advice.strip())
    for happens, seen, advice in re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    for name in happens.split("<br>")
}


def test_the_page_and_the_matrix_hold_the_same_faults() -> None:
    names = [row.name for row in MATRIX]
    assert len(names) == len(set(names))
    assert TOLD.keys() - {"what happens", "---"} == set(names)


def test_the_page_names_what_is_raised() -> None:
    for row in MATRIX:
        seen, advice = TOLD[row.name]
        outcomes = [row.call, row.stream]
        raised = {one.kind.__name__ for one in outcomes if isinstance(one, Fails)}
        assert set(re.findall(r"`(\w+Error)`", seen)) == raised, row.name
        is_answered = any(not isinstance(one, Fails) for one in outcomes)
        assert ("nothing" in seen) is is_answered, row.name
        assert advice.endswith("."), row.name


def test_the_page_says_whether_it_is_sent_again() -> None:
    for row in MATRIX:
        if isinstance(row.call, Fails):
            is_sent_again = row.call.requests == 3 or row.at is not None
            assert ("after the retries" in TOLD[row.name][0]) is is_sent_again, row.name
