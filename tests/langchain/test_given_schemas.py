"""Every kind of type and schema that ``with_structured_output`` and ``bind_tools`` are given."""

from __future__ import annotations

import enum
import json
import re
from typing import Annotated, Any, Literal, Optional

import pydantic
import pytest
from langchain_core.tools import StructuredTool, tool
from pydantic import BaseModel, RootModel, TypeAdapter
from pydantic.v1 import BaseModel as OldModel
from typing_extensions import NotRequired, ReadOnly, Required, TypedDict

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError, StructuredAnswerError
from tests.langchain.answering import TOOLS, WAYS, Way, whole
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


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Numbers(RootModel[list[int]]):
    """Some numbers."""


class Ages(RootModel[dict[str, int]]):
    """Ages by name."""


OBJECTS: dict[str, tuple[Any, str, Any]] = {
    "pydantic": (City, '{"name": "Oslo"}', City(name="Oslo")),
    "pydantic 1": (OldCity, '{"name": "Oslo"}', OldCity(name="Oslo")),
    "recursive": (
        Branch,
        '{"value": 1, "children": [{"value": 2, "children": []}]}',
        Branch(value=1, children=[Branch(value=2)]),
    ),
    "not required": (Person, '{"name": "Ana"}', {"name": "Ana"}),
    "total=False": (Partial, '{"name": "Ana", "age": 3}', {"name": "Ana", "age": 3}),
    "read only": (
        Fixed,
        '{"name": "Ana", "friends": [{"name": "Bo"}]}',
        {"name": "Ana", "friends": [{"name": "Bo"}]},
    ),
    "recursive typed dict": (
        Family,
        '{"name": "A", "children": [{"name": "B", "children": []}]}',
        {"name": "A", "children": [{"name": "B", "children": []}]},
    ),
    "root of a dict": (Ages, '{"Ana": 3}', Ages({"Ana": 3})),
    "dict": (dict[str, int], '{"Ana": 3}', {"Ana": 3}),
}
OTHERS: dict[str, tuple[Any, str, Any]] = {
    "enum": (Colour, '"red"', Colour.RED),
    "int enum": (Number, "2", Number.TWO),
    "literal": (Literal["a", "b"], '"a"', "a"),
    "int": (int, "7", 7),
    "float": (float, "0.5", 0.5),
    "bool": (bool, "true", True),
    "str": (str, '"Hi"', "Hi"),
    "list": (list[int], "[1, 2]", [1, 2]),
    "list of models": (list[City], '[{"name": "Oslo"}]', [City(name="Oslo")]),
    "root of a list": (Numbers, "[1, 2]", Numbers([1, 2])),
}
every_object = pytest.mark.parametrize("schema, said, value", OBJECTS.values(), ids=OBJECTS)
every_other = pytest.mark.parametrize("schema, said, value", OTHERS.values(), ids=OTHERS)
every_way = pytest.mark.parametrize("way", WAYS)


async def asked(llm: Any, way: Way) -> Any:
    return llm.invoke("Hi") if way == "sync" else await llm.ainvoke("Hi")


@every_object
@every_way
@pytest.mark.parametrize("method", [None, "guided_json", "json_schema", "json_mode"])
async def test_an_object_is_read_with_every_method(
    scripted: Scripted, schema: Any, said: str, value: Any, method: str | None, way: Way
) -> None:
    llm, _ = scripted(whole({"content": said}))
    assert await asked(llm.with_structured_output(schema, method=method), way) == value


@every_object
@every_way
async def test_an_object_is_read_from_the_arguments_of_a_function(
    scripted: Scripted, schema: Any, said: str, value: Any, way: Way
) -> None:
    llm, server = scripted(whole({"tool_calls": [{"function": {"name": "f", "arguments": said}}]}))
    structured = llm.with_structured_output(schema, method="function_calling")
    assert await asked(structured, way) == value
    assert json.loads(server.received[0].body)["tool_choice"]["type"] == "function"


@every_other
@pytest.mark.parametrize("method", ["guided_json", "json_schema"])
def test_another_value_is_read_as_guided_json(
    scripted: Scripted, schema: Any, said: str, value: Any, method: str
) -> None:
    llm, _ = scripted(whole({"content": said}))
    assert llm.with_structured_output(schema, method=method).invoke("Hi") == value


@every_other
@pytest.mark.parametrize("method", ["function_calling", "json_mode"])
def test_another_value_is_refused_by_the_methods_of_objects(
    schema: Any, said: str, value: Any, method: str
) -> None:
    with pytest.raises(InvalidRequestError, match="method='guided_json'"):
        ChatMonster(model=MODEL).with_structured_output(schema, method=method)


@every_object
def test_the_output_type_and_the_json_schema_are_the_classs(
    schema: Any, said: str, value: Any
) -> None:
    for method in ("guided_json", "json_mode", "function_calling"):
        structured = ChatMonster(model=MODEL).with_structured_output(schema, method=method)
        assert structured.OutputType == schema
        described = structured.get_output_jsonschema()
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            assert structured.get_output_schema() is schema
            assert described == schema.model_json_schema()
        assert pydantic.TypeAdapter(dict).validate_python(described)


@every_other
def test_other_types_are_described_too(schema: Any, said: str, value: Any) -> None:
    for method in ("guided_json", None):
        structured = ChatMonster(model=MODEL).with_structured_output(schema, method=method)
        assert structured.OutputType == schema
        assert structured.get_output_jsonschema()
    assert TypeAdapter(structured.OutputType).json_schema()


def test_the_json_schema_of_a_dict_is_the_dict() -> None:
    schema = City.model_json_schema()
    structured = ChatMonster(model=MODEL).with_structured_output(schema)
    assert structured.OutputType == dict[str, Any]
    assert structured.get_output_jsonschema() == schema


def test_a_runnable_with_the_raw_message_can_be_described() -> None:
    structured = ChatMonster(model=MODEL).with_structured_output(City, include_raw=True)
    assert structured.get_output_jsonschema()["type"] == "object"


def test_a_key_that_is_not_required_is_not_required_of_the_answer(scripted: Scripted) -> None:
    llm, server = scripted(whole({"content": '{"age": 3}'}))
    with pytest.raises(StructuredAnswerError, match="name"):
        llm.with_structured_output(Partial).invoke("Hi")
    body = json.loads(server.received[0].body)
    assert body["guided_json"]["required"] == ["name"]
    assert "In years." in body["messages"][0]["content"]


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
DIALECTS: list[dict[str, Any]] = [
    {"title": "City", **SCHEMA},
    {"name": "City", "schema": SCHEMA, "strict": True},
    {"type": "json_schema", "json_schema": {"name": "City", "schema": SCHEMA, "strict": True}},
    {"type": "json_schema", "name": "City", "schema": SCHEMA},
    {"type": "function", "function": {"name": "City", "parameters": SCHEMA, "strict": True}},
    {"type": "function", "name": "City", "parameters": SCHEMA},
    {"name": "City", "parameters": SCHEMA},
    {"name": "City", "input_schema": SCHEMA},
    {"toolSpec": {"name": "City", "inputSchema": {"json": SCHEMA}}},
]
every_dialect = pytest.mark.parametrize("schema", DIALECTS, ids=lambda schema: " ".join(schema))


@every_dialect
@pytest.mark.parametrize("method", ["guided_json", "function_calling", "json_mode"])
def test_a_schema_is_read_in_every_dialect(
    scripted: Scripted, schema: dict[str, Any], method: str
) -> None:
    good, bad = '{"name": "Oslo"}', '{"nome": "Oslo"}'
    replies = [
        whole({"tool_calls": [{"function": {"name": "City", "arguments": said}}]})
        if method == "function_calling"
        else whole({"content": said})
        for said in (good, bad)
    ]
    llm, server = scripted(*replies)
    structured = llm.with_structured_output(schema, method=method)
    assert structured.invoke("Hi") == {"name": "Oslo"}
    with pytest.raises(StructuredAnswerError, match="name"):
        structured.invoke("Hi")
    body = json.loads(server.received[0].body)
    if method == "guided_json":
        assert list(body["guided_json"]["properties"]) == ["name"]
    if method == "function_calling":
        assert body["tools"][0]["function"]["name"] == "City"


@every_dialect
def test_a_tool_is_read_in_every_dialect(scripted: Scripted, schema: dict[str, Any]) -> None:
    llm, server = scripted(whole({"tool_calls": []}))
    llm.bind_tools([schema], tool_choice="City").invoke("Hi")
    [function] = [one["function"] for one in json.loads(server.received[0].body)["tools"]]
    assert function["name"] == "City"
    assert list(function["parameters"]["properties"]) == ["name"]


@pytest.mark.parametrize(
    "schema, said",
    [
        ({"title": "City", "type": "object", "propertys": {}}, "did you mean 'properties'"),
        ({"name": "City", "shema": SCHEMA}, "did you mean 'schema'"),
        ({"name": "string"}, "no keyword of JSON schema"),
    ],
    ids=str,
)
def test_a_misspelt_schema_is_refused(schema: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        ChatMonster(model=MODEL).with_structured_output(schema)


@pytest.mark.parametrize(
    "given, said",
    [
        ({"type": "web_search"}, "'web_search' is one that another provider defines"),
        ({"type": "web_search_20250305", "name": "web_search"}, "function of your own"),
        ({"type": "computer_20250124", "name": "computer"}, "function of your own"),
        ({"type": "mcp", "server_label": "docs"}, "'mcp' is one that another"),
        ({"googleSearch": {}}, "'googleSearch' is one that another"),
        ({"type": "custom", "name": "sql"}, "'custom' is one that another"),
        ({"name": "f", "paramaters": SCHEMA}, "did you mean 'parameters'"),
        ({"name": "f", "imput_schema": SCHEMA}, "did you mean 'input_schema'"),
        ({}, "A tool has no name"),
        (SCHEMA, "A tool has no name"),
        (3, "cannot be used"),
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
    "given",
    [prune, graft, Branch, Family, mcp_tool(Branch.model_json_schema())],
    ids=["tool", "function", "pydantic", "typed dict", "mcp"],
)
def test_a_recursive_tool_keeps_what_stands_inside(given: Any) -> None:
    bound: Any = ChatMonster(model=MODEL).bind_tools([given])
    written = json.dumps(bound.kwargs["tools"][0]["function"]["parameters"])
    inner = "#/$defs/Family" if given is Family else "#/$defs/Branch"
    assert written.count(f'"$ref": "{inner}"') >= 1
    assert "{}" not in written


@pytest.mark.parametrize(
    "arguments",
    [
        {"type": "object", "properties": None, "required": None},
        {"type": "object", "properties": {"a": {"type": "string", "enum": None}}, "required": None},
        {"type": "object", "properties": {"a": {"type": "string", "description": None}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("choice", [None, "fetch"])
def test_null_for_a_keyword_of_a_tool_is_read_as_absent(
    scripted: Scripted, arguments: dict[str, Any], choice: str | None
) -> None:
    called = {"function": {"name": "fetch", "arguments": "{}"}}
    llm, server = scripted(whole({"tool_calls": [called]}))
    llm.bind_tools([mcp_tool(arguments)], tool_choice=choice).invoke("Hi")
    body = json.loads(server.received[0].body)
    shown = [message["content"] for message in body["messages"]]
    assert not re.search(r":\s*null", json.dumps([shown, body.get("tools")]))


def test_optional_keys_of_pythons_own_typed_dict_are_read() -> None:
    import typing

    own: Any = typing.TypedDict("own", {"a": str, "b": Optional[int]})  # type: ignore[misc]  # noqa: UP045
    structured = ChatMonster(model=MODEL).with_structured_output(own)
    assert structured.get_output_jsonschema()["required"] == ["a", "b"]


def test_a_choice_of_tools_is_named_alike_in_every_dialect(scripted: Scripted) -> None:
    llm, _ = scripted(whole({"content": "Hi"}))
    flat = {"type": "function", **TOOLS[0]["function"]}
    assert llm.bind_tools([flat], tool_choice="none").invoke("Hi").text == "Hi"


@every_way
async def test_json_mode_needs_no_schema(scripted: Scripted, way: Way) -> None:
    llm, _ = scripted(whole({"content": '{"any": [1]}'}), whole({"content": "[1]"}))
    structured = llm.with_structured_output(method="json_mode")
    assert await asked(structured, way) == {"any": [1]}
    assert structured.OutputType == dict[str, Any]
    with pytest.raises(StructuredAnswerError):
        await asked(structured, way)


def test_another_method_needs_one() -> None:
    with pytest.raises(InvalidRequestError, match="None is not a schema"):
        ChatMonster(model=MODEL).with_structured_output()


class Untold(TypedDict):  # it has no docstring
    name: str
    home: Person


@pytest.mark.parametrize("way", ["guided_json", "function_calling", "tool"])
def test_a_typed_dict_without_a_docstring_is_not_described_as_a_dict(
    scripted: Scripted, way: str
) -> None:
    llm, server = scripted(whole({"content": "Hi"}))
    if way == "tool":
        llm.bind_tools([Untold]).invoke("Hi")
    else:
        llm.with_structured_output(Untold, method=way, include_raw=True).invoke("Hi")
    prompt = json.loads(server.received[0].body)["messages"][0]["content"]
    assert "A person." in prompt
    assert "dict()" not in prompt
