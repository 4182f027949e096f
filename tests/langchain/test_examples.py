"""The examples run to their end, as a user would run them."""

from __future__ import annotations

import runpy

import pytest

from tests.conftest import ROOT

EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("langchain_*.py"))}

PRINTED = {
    "langchain_agent": [
        "The result is 22 degrees in Paris.",
        "The result is 22 degrees in Rome.",
        "city='Oslo' degrees=22",
    ],
    "langchain_streaming": [
        "Why was the cat on the computer? To keep an eye on the mouse.",
        "(62 tokens)",
        "{'name': 'Ana', 'city': 'L'}",
        "{'name': 'Ana', 'city': 'Lisbon'}",
        'get_weather {"city": "Rome"}',
    ],
    "langchain_structured_output": [
        "name='Ana' age=34 city='Lisbon'",
        "{'title': 'Dune', 'author': 'Frank Herbert'}",
        "{'customer': 'Miller', 'pieces': 3, 'total': 240.0}",
        "negative",
        "Priority.HIGH",
        "1, 2, 3, 4, 5",
        "17 * 3 = 51.",
        "Ana 45 tokens",
    ],
    "langchain_tools": [
        "The model calls get_weather {'city': 'Paris'}",
        "The result is 22 degrees and sunny in Paris.",
        "{'a': 3, 'b': 4}",
    ],
}


def test_every_example_is_run() -> None:
    assert EXAMPLES.keys() == PRINTED.keys()


@pytest.mark.vcr
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_what_it_is_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES[name]), run_name="__main__")
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in PRINTED[name] if line not in printed] == []
