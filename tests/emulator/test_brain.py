from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monster_emulator._brain import reply
from monster_emulator._messages import Turn


def said(*texts: str, choice: int = 0) -> str:
    return reply([Turn("user", text) for text in texts], choice)


@pytest.mark.parametrize(
    "text, answer",
    [
        ("count to 4", "1, 2, 3, 4"),
        ("Please count from 3 up to 5.", "3, 4, 5"),
        ("Repeat after me: so be it", "so be it"),
        ("On 2024-05-06 it rained", "You said: On 2024-05-06 it rained"),
        ("", "You said: "),
    ],
)
def test_plain_texts_get_sensible_answers(text, answer):
    assert said(text) == answer


def test_choices_differ():
    assert said("hello", choice=0) != said("hello", choice=1)


def test_counting_ends_somewhere():
    assert said("count to 999999999").endswith("1000")


@given(st.text(), st.integers(0, 9))
def test_every_text_has_one_answer(text, choice):
    assert said(text, choice=choice) == said(text, choice=choice)


@given(st.text(st.characters(categories=["Lo", "Nd", "Zs"])))
def test_what_no_rule_knows_is_said_back(text):
    assume(text.strip())
    assert said(text) == f"You said: {text}"
