"""Both classes ask an endpoint which release of vLLM it is, and only if they are asked to."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.errors import ConnectionFailedError, MonsterError
from monster_core.server_discovery import read_openapi, read_version
from monster_core.server_profiles import SERVER_PROFILES, ServerProfile
from tests.core.scripted_server import Reply, ScriptedServer, answer, reply

NOT_FOUND = reply(404, {"detail": "Not Found"})
Model = ChatMonster | MonsterLLM


def make(kind: type[Model], scripted: ScriptedServer, **arguments: Any) -> Model:
    address = "base_url" if kind is ChatMonster else "api_base"
    given: dict[str, Any] = {address: scripted.base_url, "model": "m", "max_retries": 0}
    return kind(**{**given, **arguments})


def discover(llm: Model) -> ServerProfile:
    with llm:
        return llm.discover_server()


def adiscover(llm: Model) -> ServerProfile:
    async def run() -> ServerProfile:
        async with llm:
            return await llm.adiscover_server()

    return asyncio.run(run())


EACH_CLASS = pytest.mark.parametrize("kind", [ChatMonster, MonsterLLM])
EACH_MODE = pytest.mark.parametrize("ask", [discover, adiscover])


def openapi(fields: dict[str, Any], **request: Any) -> dict[str, Any]:
    return {"components": {"schemas": {"ChatCompletionRequest": {"properties": fields, **request}}}}


@EACH_CLASS
@EACH_MODE
@pytest.mark.parametrize(
    "version, server, profile",
    [
        ("0.32.0", "vllm-0.32.0", "vllm"),
        ("0.8.5.post1", "vllm-0.8.5", "vllm-0.8.3"),
        ("0.5.0.post1", "vllm-0.5.0", "vllm-0.5"),
    ],
)
def test_the_version_beside_the_base_url_sets_the_server(
    kind: type[Model],
    ask: Callable[[Model], ServerProfile],
    version: str,
    server: str,
    profile: str,
) -> None:
    with ScriptedServer(reply(200, {"version": version})) as scripted:
        llm = make(kind, scripted, api_key="k")
        assert ask(llm) is SERVER_PROFILES[profile]
        assert llm.server == server
        assert [one.line for one in scripted.received] == ["GET /version"]


@EACH_CLASS
@EACH_MODE
def test_no_key_is_needed_and_none_is_made_up(
    kind: type[Model], ask: Callable[[Model], ServerProfile]
) -> None:
    with ScriptedServer(reply(200, {"version": "0.32.0"})) as scripted:
        ask(make(kind, scripted))
        assert "authorization" not in scripted.received[0].headers


@EACH_CLASS
@EACH_MODE
def test_without_a_version_the_fields_of_a_request_tell_the_release(
    kind: type[Model], ask: Callable[[Model], ServerProfile]
) -> None:
    page = reply(200, openapi({"structured_outputs": {}, "model": {}}))
    with ScriptedServer(NOT_FOUND, page) as scripted:
        llm = make(kind, scripted, api_key="k")
        assert ask(llm).name == llm.server == "vllm"
        assert scripted.received[1].line == "GET /openapi.json"


REQUIRED = {"anyOf": [{"const": "auto"}, {"const": "required"}, {"$ref": "#/x"}]}
REQUIRED_LISTED = {"anyOf": [{"enum": ["none", "auto", "required"]}]}
AUTO = {"anyOf": [{"const": "none"}, {"const": "auto"}, {"type": "null"}]}


@pytest.mark.parametrize(
    "fields, takes_unknown, server",
    [
        ({"guided_json": {}}, False, "vllm-0.5"),
        ({"guided_json": {}, "parallel_tool_calls": {}}, False, "vllm-0.6"),
        ({"guided_json": {}, "tool_choice": AUTO}, True, "vllm-0.6.6"),
        ({"guided_json": {}, "tool_choice": REQUIRED}, True, "vllm-0.8.3"),
        ({"guided_json": {}, "tool_choice": REQUIRED_LISTED}, True, "vllm-0.8.3"),
        ({"guided_json": {}, "structured_outputs": {}}, True, "vllm-0.11"),
        ({"structured_outputs": {}}, True, "vllm"),
        ({"model": {}, "tools": {}}, True, None),
    ],
)
def test_the_fields_of_each_release_are_known(
    fields: dict[str, Any], takes_unknown: bool, server: str | None
) -> None:
    page = openapi(fields, additionalProperties=takes_unknown)
    assert read_openapi(json.dumps(page).encode()) == server


@EACH_CLASS
@EACH_MODE
@pytest.mark.parametrize(
    "first",
    [
        NOT_FOUND,
        reply(401, {"error": "Unauthorized"}),
        reply(200, {"version": "0.4.2"}),
        reply(200, {"version": "2024.07"}),
        reply(200, "<html>a web page</html>"),
        reply(500, "Internal Server Error"),
    ],
)
def test_an_endpoint_that_does_not_tell_keeps_the_server_and_says_so(
    kind: type[Model], ask: Callable[[Model], ServerProfile], first: Reply
) -> None:
    with ScriptedServer(first, NOT_FOUND) as scripted:
        llm = make(kind, scripted, api_key="k", server="vllm-0.9")
        with pytest.warns(UserWarning, match=r"The server stays 'vllm-0\.9'.* Pass server= to set"):
            assert ask(llm).name == "vllm-0.8.3"
        assert llm.server == "vllm-0.9"


@EACH_CLASS
@EACH_MODE
def test_an_endpoint_that_cannot_be_reached_is_an_error(
    kind: type[Model], ask: Callable[[Model], ServerProfile]
) -> None:
    with ScriptedServer(NOT_FOUND) as scripted:
        llm = make(kind, scripted, api_key="k")
    with pytest.raises(MonsterError) as raised:
        ask(llm)
    assert isinstance(raised.value, ConnectionFailedError)
    assert llm.server is None


def test_nothing_is_asked_unless_the_user_asks() -> None:
    with ScriptedServer(answer()) as scripted:
        with ChatMonster(model="m", base_url=scripted.base_url, api_key="k") as chat:
            chat.invoke("Hello")
        with MonsterLLM(model="m", api_base=scripted.base_url, api_key="k") as llm:
            llm.complete("Hello")
        assert {one.line for one in scripted.received} == {"POST /v1/chat/completions"}


@EACH_CLASS
def test_what_was_found_is_used_and_kept_by_copies(kind: type[Model]) -> None:
    with ScriptedServer(reply(200, {"version": "0.32.0"}), answer("a")) as scripted:
        llm = make(kind, scripted, api_key="k", guided_choice=["a"])
        llm.discover_server()
        for copied in (llm, copy.copy(llm), copy.deepcopy(llm)):
            with copied:
                copied.invoke("Hi") if isinstance(copied, ChatMonster) else copied.complete("Hi")
            sent = json.loads(scripted.received[-1].body)
            assert sent["structured_outputs"] == {"choice": ["a"]}


@given(
    st.recursive(
        st.none() | st.text(max_size=3),
        lambda inner: st.dictionaries(
            st.sampled_from(
                [
                    "version",
                    "components",
                    "schemas",
                    "ChatCompletionRequest",
                    "properties",
                    "tool_choice",
                    "guided_json",
                    "anyOf",
                ]
            ),
            inner | st.lists(inner, max_size=2),
        ),
        max_leaves=12,
    )
)
def test_no_page_makes_reading_fail(page: Any) -> None:
    body = json.dumps(page).encode()
    assert read_version(body) is None or page["version"]
    read_openapi(body)
