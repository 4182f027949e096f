"""Every schema of the corpus ends in one the server compiles in time, or in a named obstacle."""

import pytest

from monster_core.json_schema import lower
from monster_core.json_schema.emit import KEYWORDS

from .corpus import CORPUS
from .server_reading import expression

LIMIT = 25.0  # seconds
TOO_LARGE = {
    "configuration/openapi_fragment",
    "keywords/big_flat",
    "keywords/doubling_refs",
    "kubernetes/cronjob",
    "kubernetes/deployment",
    "kubernetes/pod",
}


def keywords(schema):
    yield from schema
    for keyword, value in schema.items():
        if keyword == "properties":
            for part in value.values():
                yield from keywords(part)
        elif keyword in ("anyOf", "prefixItems"):
            for part in value:
                yield from keywords(part)
        elif keyword in ("items", "additionalProperties"):
            yield from keywords(value)


def test_the_corpus_is_large():
    assert len(CORPUS) > 200


def test_it_is_lowered_to_what_the_server_compiles_in_time():
    for name in CORPUS.keys() - TOO_LARGE:
        lowered = lower(CORPUS[name], limit=LIMIT)
        assert lowered.guided, name
        assert set(keywords(lowered.schema)) <= KEYWORDS, name
        assert lowered.seconds <= LIMIT, name
        expression(lowered.schema)  # asserts that the server has an expression for every part


@pytest.mark.parametrize("name", sorted(TOO_LARGE))
def test_an_obstacle_names_the_part_that_is_too_large(name):
    lowered = lower(CORPUS[name], limit=LIMIT)
    assert not lowered.guided
    assert lowered.schema == {}
    assert lowered.obstacle is not None
    assert lowered.obstacle.startswith("$")
    assert "too large" in lowered.obstacle
