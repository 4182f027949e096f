"""The examples run to their end, as a user would run them."""

from __future__ import annotations

import runpy
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.llama_index.consumers.surroundings import OVERLOOKED, closed_memories, offline_settings

EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("llama_index_*.py"))}

PRINTED = {
    "llama_index_agent": [
        "The model calls get_weather {'city': 'Paris'}",
        "{'a': 3, 'b': 4}",
        "5",
        "The result is 22 degrees in Paris.",
        "The result is 22 degrees in Rome.",
        "{'city': 'Oslo', 'degrees': 22}",
    ],
    "llama_index_rag": [
        "Paris. | The capital of France is Paris, a city on the Seine.",
        "Why was the cat on the computer? To keep an eye on the mouse.",
        "69 tokens written",
    ],
    "llama_index_structured_output": [
        "name='Ana' age=34 city='Lisbon'",
        "name='Ana' age=34 city='L'",
        "Ana lives in Lisbon",
        "negative",
        "1, 2, 3, 4, 5",
    ],
}

pytestmark = OVERLOOKED


@pytest.fixture(autouse=True)
def surroundings() -> Iterator[None]:
    with offline_settings(), closed_memories():
        yield


def test_every_example_is_run() -> None:
    assert EXAMPLES.keys() == PRINTED.keys()


@pytest.mark.vcr
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_what_it_is_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES[name]), run_name="__main__")
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in PRINTED[name] if line not in printed] == []
