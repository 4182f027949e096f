"""Hypothesis strategies: a schema together with instances that satisfy it."""

from typing import Any

from hypothesis import strategies as st

# every character that JSON writes as it is or with one of its short escapes
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from('"\\\n\t'),
    max_size=12,
)
NAMES = st.sampled_from(
    ["id", "name", "a b", 'say "hi"', "größe", "back\\slash", "x.y", "$ref_", "z"]
)
PATTERNS = st.sampled_from(
    [
        "^[A-Z]{3}$",
        "^[0-9]{2}-[0-9]{4}$",
        "^(yes|no)$",
        r"^v[0-9]+(\.[0-9]+){0,2}$",
        "^[^,]+(,[^,]+)*$",
        "^ab",
    ]
)
FORMATS = {
    "date": "2024-02-29",
    "date-time": "2024-02-29T12:00:00.5+01:00",
    "time": "23:59:59Z",
    "uuid": "123e4567-E89b-12d3-a456-426614174000",
    "email": "ada.l+x@example.org",
    "uri": "https://example.org/a?b=c#d",
    "ipv4": "192.168.0.1",
    "ipv6": "2001:db8::1",
    "duration": "P1DT2H3.5S",
    "hostname": "a-b.example.org",
}

Pair = tuple[dict[str, Any], st.SearchStrategy[Any]]


@st.composite
def strings(draw: st.DrawFn) -> Pair:
    kind = draw(st.sampled_from(["plain", "length", "pattern", "format"]))
    if kind == "pattern":
        pattern = draw(PATTERNS)
        # the alphabet leaves out what no short escape of JSON can write
        values = st.from_regex(
            pattern,
            fullmatch=pattern.endswith("$"),
            alphabet=st.characters(min_codepoint=32, exclude_categories=["Cc", "Cs"]),
        )
        return {"type": "string", "pattern": pattern}, values
    if kind == "format":
        name = draw(st.sampled_from(sorted(FORMATS)))
        return {"type": "string", "format": name}, st.just(FORMATS[name])
    low, size = draw(st.integers(0, 3)), draw(st.integers(0, 30))
    if kind == "length":
        sized = st.text('ab"\\é😀', min_size=low, max_size=low + size)
        return {"type": "string", "minLength": low, "maxLength": low + size}, sized
    return {"type": "string"}, TEXT


@st.composite
def numbers(draw: st.DrawFn) -> Pair:
    kind = draw(st.sampled_from(["integer", "number"]))
    low = draw(st.integers(-40, 40))
    high = low + draw(st.integers(0, 400))
    bounds = draw(st.sampled_from([{}, {"minimum": low}, {"minimum": low, "maximum": high}]))
    least, most = bounds.get("minimum"), bounds.get("maximum")
    if kind == "integer":
        return {"type": kind, **bounds}, st.integers(least, most)
    values = st.floats(least, most, allow_nan=False, allow_infinity=False)
    return {"type": kind, **bounds}, values


@st.composite
def listed(draw: st.DrawFn) -> Pair:
    simple = TEXT | st.integers(-9, 9) | st.sampled_from([0.5, True, False, None])
    values = draw(st.lists(simple | st.just([1, "a"]) | st.just({"k": 1}), min_size=1, max_size=5))
    if draw(st.booleans()):
        return {"enum": values}, st.sampled_from(values)
    return {"const": values[0]}, st.just(values[0])


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    members = draw(st.dictionaries(NAMES, inner, max_size=4))
    required = [name for name in members if draw(st.booleans())]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: pair[0] for name, pair in members.items()},
        "required": required,
        "additionalProperties": False,
    }
    if members and draw(st.booleans()):
        name, *rest = members
        schema["properties"] = {key: schema["properties"][key] for key in rest}
        schema["allOf"] = [{"properties": {name: members[name][0]}}]
        del schema["additionalProperties"]
    needed = {name: members[name][1] for name in required}
    optional = {name: pair[1] for name, pair in members.items() if name not in required}
    return schema, st.fixed_dictionaries(needed, optional=optional)


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    schema, values = draw(inner)
    low = draw(st.integers(0, 2))
    high = low + draw(st.integers(0, 3))
    bounds = draw(st.sampled_from([{}, {"minItems": low}, {"minItems": low, "maxItems": high}]))
    lists = st.lists(values, min_size=bounds.get("minItems", 0), max_size=bounds.get("maxItems", 3))
    return {"type": "array", "items": schema, **bounds}, lists


@st.composite
def tuples(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    pairs = draw(st.lists(inner, min_size=1, max_size=3))
    schema = {"type": "array", "prefixItems": [schema for schema, _ in pairs], "items": False}
    return {**schema, "minItems": len(pairs)}, st.tuples(*(v for _, v in pairs)).map(list)


@st.composite
def maps(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    schema, values = draw(inner)
    entries = st.dictionaries(st.text("abcä ", max_size=5), values, max_size=3)
    return {"type": "object", "additionalProperties": schema}, entries


@st.composite
def unions(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    pairs = draw(st.lists(inner, min_size=1, max_size=3))
    return {"anyOf": [schema for schema, _ in pairs]}, st.one_of(values for _, values in pairs)


@st.composite
def nullable(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    schema, values = draw(inner)
    return {"nullable": True, **schema}, values | st.none()


def _extend(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    kinds = (objects, objects, arrays, tuples, maps, unions, nullable)
    return st.one_of(kind(inner) for kind in kinds)


LEAVES = strings() | numbers() | listed() | st.just(({"type": "boolean"}, st.booleans()))
SCHEMAS = st.recursive(LEAVES, _extend, max_leaves=8)


@st.composite
def schemas_with_instances(draw: st.DrawFn) -> tuple[dict[str, Any], Any]:
    schema, values = draw(SCHEMAS)
    return schema, draw(values)
