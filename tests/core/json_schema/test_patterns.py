"""A pattern becomes one over JSON text that matches whole."""

import json
import re

import pytest

from monster_core.json_schema.patterns import UnsupportedPattern, translate


def matches(pattern, value):
    source = translate(pattern)[0].source
    return re.fullmatch(source, json.dumps(value, ensure_ascii=False)[1:-1]) is not None


@pytest.mark.parametrize(
    "pattern,yes,no",
    [
        ("^[A-Z]{2}$", ["AB"], ["ABC", "A", "ab"]),
        ("^ab", ["ab", "abc"], ["xab"]),
        ("^(a|bc)$", ["a", "bc"], ["ac", "b"]),
        ("^a$|^bc$", ["a", "bc"], ["abc"]),
        ("(^a$)|(^b$)", ["a", "b"], ["ab"]),
        ("^(?:^x$)$", ["x"], ["xx"]),
        ('^"\\\\$', ['"\\'], ["x"]),
        ("^.$", ["a", '"', "\\", "é", "😀"], ["\n", "ab"]),
        (r"^\s$", [" ", "\t", "\n"], ["x"]),
        (r"^\S+$", ['a"b\\'], ["a b"]),
        (r"^\D\W\d\w$", ["a-1b"], ["1a1b"]),
        (r"^[^a-c\n]$", ["d", '"', "é"], ["a", "\n"]),
        (r"^[\]\\^-]+$", ["]\\^-"], ["a"]),
        (r"^[-a]$", ["-", "a"], ["b"]),
        (r"^[\b]$", ["\b"], ["b"]),
        (r"^\x41\u00e9\u{1F600}\/\.\t$", ["Aé😀/.\t"], ["A"]),
        (r"^a{2,3}b{2}c?d*e+f{1,}$", ["aabbef", "aaabbcddeeff"], ["abbef"]),
        (r"^a+?b*?$", ["ab", "aa"], ["b"]),
        (r"^(?P<x>a)(?<y>b)$", ["ab"], ["a"]),
        (r"^a{,2}$", ["a{,2}"], ["aa"]),
        (r"\Aa\Z", ["a"], ["b"]),
        ("^[\u4e00-\u9fff]+$", ["日本", "é"], ["a"]),
        ("^[à-ü]$", ["é"], ["z"]),
        ("^(?!x)[a-z]{2}$", ["ab", "xy"], ["a"]),
        ("^(?=.*1).{2}$", ["ab"], ["a"]),
        ("", ["", "anything"], []),
        ("^", ["", "anything"], []),
        ("[a-c]{3}x|[0-9]{2}(yz|z[a-z])", ["abcx", "12yz", "12zz!"], ["12y", "ab"]),
        ("[0-9]{4}-[0-9]{2}", ["2024-01", "2024-01-01"], ["x"]),
        ("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", ["a", "a-b", "x" * 90], ["-a"]),
        ("^[a-f]{200}$", ["a" * 200, "a" * 64], ["g"]),
    ],
)
def test_it_accepts_what_the_pattern_accepts(pattern, yes, no):
    assert all(matches(pattern, value) for value in yes)
    assert not any(matches(pattern, value) for value in no)


@pytest.mark.parametrize(
    "pattern,exact",
    [("^[a-z]{2}$", True), ("^[a-z]{1,99}$", False), ("^(?=a).b$", False), ("[a-z]{4}", False)],
)
def test_it_says_whether_it_means_the_same(pattern, exact):
    assert translate(pattern)[1] is exact


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1$",
        r"^\p{L}+$",
        r"^\bword\b$",
        "^(?i)a$",
        "^a++$",
        "^*a$",
        "*a$",
        "^(a$",
        "^a)$",
        "^[a$",
        "^[z-a]$",
        "^[\\",
        r"^[\w-z]$",
        r"^[\Z]$",
        "^a{3,2}$",
        "^^{2}a$",
        r"^\ud800$",
        "^(a^b)c$",
        "^(^a)*$",
        "^[]$",
        "^\x01$",
        "foo",
        r"\.pdf$",
        "(a|bcdef)",
        "^" + "ab" * 40 + "$",
    ],
)
def test_what_the_server_cannot_express_is_refused(pattern):
    with pytest.raises(UnsupportedPattern):
        translate(pattern)
