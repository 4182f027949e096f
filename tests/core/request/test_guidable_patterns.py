"""A regular expression is sent as the server compiles it, or refused in one sentence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.errors import InvalidRequestError
from monster_core.request.structured import guidable_pattern
from tests.core.response.strategies import many


@pytest.mark.parametrize(
    "source, sent",
    [
        ("^a|b$", "a|b"),
        (r"\Aa\Z", "a"),
        (r"a\$", r"a\$"),
        (r"a\\$", r"a\\"),
        (r"C:\\Z", r"C:\\Z"),
        (r"[$€]\d+", r"[$€]\d+"),
        (r"[^^$]x", r"[^^$]x"),
        (r"[]^]x", r"[]^]x"),
        (r"\^\[^]", None),
        (r"(?:a|b)(?P<c>d)", r"(?:a|b)(?P<c>d)"),
    ],
)
def test_anchors_at_the_ends_are_left_out(source: str, sent: str | None) -> None:
    if sent is None:
        with pytest.raises((InvalidRequestError, re.error)):
            guidable_pattern(re.compile(source))
    else:
        assert guidable_pattern(re.compile(source)) == sent


@pytest.mark.parametrize(
    "source",
    [
        *("(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", "(a)\\1", "(?P<n>a)(?P=n)", "a\\b", "a\\Bb"),
        *(
            "a^b",
            "(^a)",
            "(a$)",
            "a$|b",
            "(a)(?(1)b|c)",
            "(?#note)a",
            "\\[^a",
            "\\u00e9",
            "[\\u00e9]",
        ),
        *("\\N{DIGIT ONE}", "\\0"),
    ],
)
def test_what_the_server_cannot_compile_is_refused(source: str) -> None:
    with pytest.raises(
        InvalidRequestError, match=r"guided_regex cannot use '.*': the server compiles"
    ):
        guidable_pattern(re.compile(source))


parts = st.sampled_from(
    [
        *("^", "$", "\\A", "\\Z", "a", "b", "Z", "|", "(", ")", "(?:", "[ab$]", "[^a]", "[]]", "]"),
        *("\\\\", "\\$", "\\^", "\\[", "\\.", "\\d", "[\\]]", ".", "*", "?", "{2}"),
    ]
)


@many
@given(st.lists(parts, min_size=1, max_size=7).map("".join), st.text("abAZ$^\\.]1\n", max_size=6))
def test_whatever_the_sent_pattern_matches_the_original_matches(source: str, text: str) -> None:
    try:
        pattern = re.compile(source)
        sent = guidable_pattern(pattern)
    except (re.error, InvalidRequestError):
        return
    assert bool(re.fullmatch(sent, text)) == bool(pattern.fullmatch(text))
