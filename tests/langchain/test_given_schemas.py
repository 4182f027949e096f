"""Every kind of type and schema that ``with_structured_output`` and ``bind_tools`` are given."""

from __future__ import annotations

import enum
import json
import re
import typing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional

import pydantic
import pytest
from langchain_core.tools import StructuredTool, tool
from pydantic import BaseModel, RootModel
from pydantic.v1 import BaseModel as OldModel
from typing_extensions import NotRequired, ReadOnly, Required, TypedDict

from langchain_monster import ChatMonster
from langchain_monster.errors import (
    InvalidRequestError,
    StructuredAnswerError,
    TruncatedAnswerError,
)
from tests.langchain.answering import called, sent, whole
from tests.langchain.conftest import Scripted
from tests.recorded_endpoint import MODEL


class City(BaseModel):
    """A city."""

    name: str


class OldCity(OldModel):
    """A city."""

    name: str


class Branch(BaseModel):
    """A branch of a tree."""

    value: int
    children: list[Branch] = []


class Person(TypedDict):
    """A person."""

    name: str
    age: NotRequired[int]


class Partial(TypedDict, total=False):
    """A person, partly known."""

    name: Required[str]
    age: Annotated[int, ..., "In years."]


class Fixed(TypedDict):
    """A person who stays as they are."""

    name: ReadOnly[str]
    friends: list[Person]


class Family(TypedDict):
    """A family."""

    name: str
    children: list[Family]


class Untold(TypedDict):  # it has no docstring
    name: str
    home: Person | None


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Ages(RootModel[dict[str, int]]):
    """Ages by name."""


@dataclass
class Point:
    x: int
    label: str


class Own(typing.TypedDict):  # Python's own
    a: str
    b: Optional[int]  # noqa: UP045, another type at run time


class Marks(TypedDict):
    """Marks, some of which are not known."""

    marks: list[int | None]
    best: NotRequired[int | None]


OBJECTS: dict[str, tuple[Any, str, Any]] = {
    "pydantic": (City, '{"name": "Oslo"}', City(name="Oslo")),
    "pydantic 1": (OldCity, '{"name": "Oslo"}', OldCity(name="Oslo")),
    "recursive": (
        Branch,
        '{"value": 1, "children": [{"value": 2, "children": []}]}',
        Branch(value=1, children=[Branch(value=2)]),
    ),
    "not required": (Person, '{"name": "Ana"}', None),
    "total=False": (Partial, '{"name": "Ana", "age": 3}', None),
    "read only": (Fixed, '{"name": "Ana", "friends": [{"name": "Bo"}]}', None),
    "without a docstring": (Untold, '{"name": "Ana", "home": {"name": "Bo"}}', None),
    "Python's own": (Own, '{"a": "x", "b": 1}', None),
    "None for a key": (Own, '{"a": "x", "b": null}', None),
    "None for a key, within": (Untold, '{"name": "Ana", "home": null}', None),
    "None in a list": (Marks, '{"marks": [1, null], "best": null}', None),
    "recursive typed dict": (
        Family,
        '{"name": "A", "children": [{"name": "B", "children": []}]}',
        None,
    ),
    "root of a dict": (Ages, '{"Ana": 3}', Ages({"Ana": 3})),
    "dict": (dict[str, int], '{"Ana": 3}', None),
    "dataclass": (Point, '{"x": 1, "label": "a"}', Point(1, "a")),
}
OTHERS: dict[str, tuple[Any, str, Any]] = {
    "enum": (Colour, '"red"', Colour.RED),
    "literal": (Literal["a", "b"], '"a"', "a"),
    "int": (int, "7", 7),
    "list of models": (list[City], '[{"name": "Oslo"}]', [City(name="Oslo")]),
    "optional": (City | None, "null", None),
    "union": (City | Branch, '{"value": 1}', Branch(value=1)),
}


@pytest.mark.parametrize("schema, said, value", OBJECTS.values(), ids=OBJECTS)
async def test_an_object_is_read_with_every_method(
    scripted: Scripted, schema: Any, said: str, value: Any
) -> None:
    value = json.loads(said) if value is None else value
    llm, _ = scripted(whole({"content": said}))
    for method in ("json_mode", None):
        structured = llm.with_structured_output(schema, method=method)
        assert structured.invoke("Hi") == value
    caller, server = scripted(whole({"tool_calls": [called("f", said)]}))
    calling = caller.with_structured_output(schema, method="function_calling")
    assert await calling.ainvoke("Hi") == value
    assert sent(server)["tool_choice"]["type"] == "function"
    for described in (structured, calling):
        assert described.OutputType == schema
        assert pydantic.TypeAdapter(dict).validate_python(described.get_output_jsonschema())
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            assert described.get_output_schema() is schema


@pytest.mark.parametrize("schema, said, value", OTHERS.values(), ids=OTHERS)
def test_another_value_is_read_as_guided_json_and_refused_by_the_methods_of_objects(
    scripted: Scripted, schema: Any, said: str, value: Any
) -> None:
    llm, _ = scripted(whole({"content": said}))
    for method in ("guided_json", "json_schema"):
        structured = llm.with_structured_output(schema, method=method)
        assert structured.invoke("Hi") == value
        assert structured.OutputType == schema
        assert structured.get_output_jsonschema()
    assert llm.with_structured_output(schema).OutputType == schema
    with pytest.raises(InvalidRequestError, match="method='guided_json'"):
        llm.with_structured_output(schema, method="function_calling")


def test_json_mode_refuses_what_no_object_satisfies() -> None:
    for schema in (Colour, int, list[City]):
        with pytest.raises(InvalidRequestError, match="method='guided_json'"):
            ChatMonster(model=MODEL).with_structured_output(schema, method="json_mode")


def test_the_json_schema_of_a_dict_is_the_dict() -> None:
    schema = City.model_json_schema()
    structured = ChatMonster(model=MODEL).with_structured_output(schema)
    assert structured.OutputType == dict[str, Any]
    described = structured.get_output_jsonschema()
    assert described == schema
    described["properties"].clear()
    assert structured.get_output_jsonschema() == City.model_json_schema()
    raw = ChatMonster(model=MODEL).with_structured_output(City, include_raw=True)
    assert raw.get_output_jsonschema()["type"] == "object"


def test_a_key_that_is_not_required_is_not_required_of_the_answer(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": '{"age": 3}'}))
    with pytest.raises(StructuredAnswerError, match="name"):
        llm.with_structured_output(Partial).invoke("Hi")
    body = sent(server)
    assert body["guided_json"]["required"] == ["name"]
    assert "In years." in body["messages"][0]["content"]
    for schema, required in ((Own, ["a", "b"]), (Fixed, ["name", "friends"])):
        structured: Any = llm.with_structured_output(schema)
        assert structured.get_output_jsonschema()["required"] == required


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
DIALECTS: list[dict[str, Any]] = [
    {"title": "City", **SCHEMA},
    {"type": "json_schema", "json_schema": {"name": "City", "schema": SCHEMA, "strict": True}},
    {"type": "function", "function": {"name": "City", "parameters": SCHEMA, "strict": True}},
    {"name": "City", "input_schema": SCHEMA},
    {"toolSpec": {"name": "City", "inputSchema": {"json": SCHEMA}}},
]


def test_a_schema_and_a_tool_are_read_in_every_dialect(scripted: Scripted) -> None:
    good, bad = '{"name": "Oslo"}', '{"nome": "Oslo"}'
    for schema in DIALECTS:
        for method in ("guided_json", "json_mode", "function_calling"):
            calls = method == "function_calling"
            llm, server = scripted(
                *(
                    whole({"tool_calls": [called("City", said)]} if calls else {"content": said})
                    for said in (good, bad)
                )
            )
            structured = llm.with_structured_output(schema, method=method)
            assert structured.invoke("Hi") == {"name": "Oslo"}
            with pytest.raises(StructuredAnswerError, match="name"):
                structured.invoke("Hi")
            if method == "guided_json":
                assert list(sent(server)["guided_json"]["properties"]) == ["name"]
            if calls:
                function = sent(server)["tools"][0]["function"]
                assert (function["name"], function["description"]) == ("City", "The answer.")
        llm.bind_tools([schema], tool_choice="City").invoke("Hi")
        llm.invoke("Hi", tools=[schema], tool_choice="City")
        for number in (-2, -1):
            [function] = [one["function"] for one in sent(server, number)["tools"]]
            assert function["name"] == "City"
            assert list(function["parameters"]["properties"]) == ["name"]


@pytest.mark.parametrize(
    "given, said",
    [
        ({"type": "web_search"}, "'web_search' is one that another provider defines"),
        ({"googleSearch": {}}, "'googleSearch' is one that another"),
        ({"name": "f", "imput_schema": SCHEMA}, "did you mean 'input_schema'"),
        ({}, "A tool has no name"),
        ({"type": "function", "function": {"name": ""}}, "A tool has no name"),
        (3, "The tool '3' cannot be used: \\w.+ Give a function"),
    ],
    ids=str,
)
def test_what_is_not_a_function_is_refused_with_a_sentence(given: Any, said: str) -> None:
    llm = ChatMonster(model=MODEL)
    with pytest.raises(InvalidRequestError, match=said):
        llm.bind_tools([given])
    with pytest.raises(InvalidRequestError, match=said):
        llm.get_num_tokens_from_messages([], tools=[given])


@tool
def prune(branch: Branch, deep: bool = False) -> str:
    """Cut a branch."""
    return "Cut."


def graft(branch: Branch) -> str:
    """Graft a branch."""
    return "Grafted."


def mcp_tool(arguments: dict[str, Any]) -> StructuredTool:
    return StructuredTool(
        name="fetch", description="Fetch it.", args_schema=arguments, func=lambda **_: "Done."
    )


@pytest.mark.parametrize(
    "given, name, description",
    [
        (prune, "prune", "Cut a branch."),
        (graft, "graft", "Graft a branch."),
        (Branch, "Branch", "A branch of a tree."),
        (Family, "Family", "A family."),
        (mcp_tool(Branch.model_json_schema()), "fetch", "Fetch it."),
    ],
    ids=["tool", "function", "pydantic", "typed dict", "mcp"],
)
def test_a_recursive_tool_keeps_what_stands_inside(given: Any, name: str, description: str) -> None:
    bound: Any = ChatMonster(model=MODEL).bind_tools([given])
    function = bound.kwargs["tools"][0]["function"]
    assert (function["name"], function["description"]) == (name, description)
    written = json.dumps(function["parameters"])
    inner = "#/$defs/Family" if given is Family else "#/$defs/Branch"
    assert f'"$ref": "{inner}"' in written
    assert "{}" not in written


def test_null_for_a_keyword_of_a_tool_is_read_as_absent(scripted: Scripted) -> None:
    llm, server = scripted(whole({"tool_calls": [called("fetch", "{}")]}))
    nothing = {"type": "string", "enum": None, "description": None}
    tool = mcp_tool({"type": "object", "properties": {"a": nothing}, "required": None})
    for choice in (None, "fetch"):
        llm.bind_tools([tool], tool_choice=choice).invoke("Hi")
        body = sent(server, -1)
        shown = [body["messages"][0]["content"], body.get("tools")]
        assert not re.search(r":\s*null", json.dumps(shown))


def test_json_mode_alone_needs_no_schema(scripted: Scripted) -> None:
    llm, _ = scripted(whole({"content": '{"any": [1]}'}), whole({"content": "[1]"}))
    structured = llm.with_structured_output(method="json_mode")
    assert structured.OutputType == dict[str, Any]
    assert structured.invoke("Hi") == {"any": [1]}
    with pytest.raises(StructuredAnswerError):
        structured.invoke("Hi")
    with pytest.raises(InvalidRequestError, match="None is not a schema"):
        llm.with_structured_output()


@pytest.mark.parametrize("way", ["guided_json", "function_calling", "tool"])
def test_a_typed_dict_without_a_docstring_is_not_described_as_a_dict(
    scripted: Scripted, way: str
) -> None:
    llm, server = scripted(whole({"content": "Hi"}))
    if way == "tool":
        llm.bind_tools([Untold]).invoke("Hi")
    else:
        llm.with_structured_output(Untold, method=way, include_raw=True).invoke("Hi")
    prompt = sent(server)["messages"][0]["content"]
    assert "A person." in prompt
    assert "dict()" not in prompt


@pytest.mark.vcr
def test_a_real_answer_is_built_as_the_shape_that_was_given() -> None:
    class Person(BaseModel):
        name: str
        age: int

    class Colour(BaseModel):
        colour: str

    llm = ChatMonster(model=MODEL, temperature=0, max_tokens=300)
    for shape, kind in ((Point, Point), (Person | Colour, (Person, Colour)), (int, int)):
        answer = llm.with_structured_output(shape).invoke("Ana is 34 years old.")
        assert isinstance(answer, kind)
    people = llm.with_structured_output(list[Person]).invoke("Ana is 34 years old.")
    assert people
    assert all(isinstance(person, Person) for person in people)
    raw = ChatMonster(model=MODEL, temperature=0).with_structured_output(Person, include_raw=True)
    cut = raw.invoke("Ana is 34 years old.", max_tokens=3)
    assert cut["raw"].response_metadata["finish_reason"] == "length"
    assert isinstance(cut["parsing_error"], TruncatedAnswerError)
