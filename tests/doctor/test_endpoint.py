"""The doctor finds what is wrong with the address, the key, the model and the server."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from monster_emulator import Emulator
from tests.core.scripted_server import Reply, ScriptedServer, answer, events, reply, token
from tests.doctor.conftest import KEY, Examined

Examine = Callable[..., Examined]
Serve = Callable[..., ScriptedServer]

MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct"
LISTED = reply(200, {"data": [{"id": "m", "max_model_len": 8192}]})
RELEASE = reply(200, {"version": "0.5.0.post1"})
STREAM = events(*(token(f"{number} ") for number in range(10)), token("", "stop"), "[DONE]")
CHECKS = [
    *("settings", "proxy", "DNS", "connection", "TLS", "endpoint", "key", "server", "model"),
    *("context window", "completion", "stream", "forced tool", "guided answer", "offered tool"),
]


def test_everything_works_with_the_emulator(examine: Examine) -> None:
    with Emulator(max_model_len=131072) as emulator:
        found = examine(emulator, "--model", emulator.model)
    assert found.status == 0
    assert found.report["ok"] is True
    assert [check["name"] for check in found.report["checks"]] == CHECKS
    assert found.names("ok") == CHECKS
    assert all(check["seconds"] >= 0 for check in found.report["checks"])


@pytest.mark.parametrize(
    "path", ["", "/chat/completions", "/v1/chat/completions", "/v1/models", "/v1/completions"]
)
def test_a_base_url_with_the_wrong_path(examine: Examine, path: str) -> None:
    with Emulator() as emulator:
        origin = emulator.base_url.removesuffix("/v1")
        found = examine(f"{origin}{path}")
        assert found.names("failed") == ["endpoint"]
        assert f"Set the base URL (MONSTER_API_BASE) to {origin}/v1." in found.said("endpoint")


def test_a_base_url_of_a_web_page(examine: Examine, serve: Serve) -> None:
    page = reply(200, "<!DOCTYPE html><title>Welcome</title>", {"content-type": "text/html"})
    found = examine(serve(page))
    found.expect_failure("endpoint", "a web page", "not that of a web site")


def test_a_base_url_that_redirects(examine: Examine, serve: Serve) -> None:
    moved = reply(301, "", {"location": "https://api.example/v1"})
    found = examine(serve(moved))
    found.expect_failure("endpoint", "https://api.example/v1")


def test_a_wrong_key(examine: Examine) -> None:
    with Emulator(api_key="sk-another-one") as emulator:
        found = examine(emulator)
    found.expect_failure("key", "401", "MONSTER_API_KEY")
    assert found.check("completion")["status"] == "skipped"
    assert KEY not in str(found.report)


@pytest.mark.parametrize(
    "asked, told", [("sk-1234567", "to your key"), ("", "any value, EMPTY by custom")]
)
def test_no_key(examine: Examine, monkeypatch: pytest.MonkeyPatch, asked: str, told: str) -> None:
    monkeypatch.delenv("MONSTER_API_KEY")
    with Emulator(api_key=asked) as emulator:
        found = examine(emulator)
    found.expect_failure("key", told)


def test_a_wrong_model_name(examine: Examine) -> None:
    with Emulator(model=["llama-3.1-8b", "gemma-2-9b"]) as emulator:
        found = examine(emulator, "--model", "llama-3.1-9b")
    found.expect_failure(
        "model", "did you mean 'llama-3.1-8b'", "Served are llama-3.1-8b, gemma-2-9b."
    )


def test_a_model_that_a_gateway_serves_without_listing_it(examine: Examine, serve: Serve) -> None:
    server = serve(LISTED, RELEASE, answer())
    found = examine(server, "--model", "another")
    found.expect("model", "note", "answers, although it is not listed")


def test_no_model_is_named(examine: Examine) -> None:
    with Emulator() as emulator:
        found = examine(emulator)
    assert found.check("model")["status"] == "note"
    assert MODEL in found.said("model")
    assert found.check("completion")["status"] == "ok"


@pytest.mark.parametrize("window, told", [(512, "little for tools"), (8192, "of 131,072")])
def test_a_context_window_that_is_smaller_than_it_could_be(
    examine: Examine, window: int, told: str
) -> None:
    with Emulator(max_model_len=window) as emulator:
        found = examine(emulator, "--model", emulator.model)
    assert found.check("context window")["status"] == "note"
    assert told in found.said("context window")
    assert f"context_window={window}" in found.said("context window")


def test_a_context_window_that_nothing_fits(examine: Examine) -> None:
    with Emulator(max_model_len=16) as emulator:
        found = examine(emulator, "--model", emulator.model)
    found.expect_failure("completion", "maximum context length is 16 tokens", "lower max_tokens")


def call(name: str, arguments: str) -> Reply:
    function = {"name": name, "arguments": arguments}
    message = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "call-1", "type": "function", "function": function}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return reply(200, {"id": "cmpl-1", "model": "m", "choices": [choice]})


def serve_up_to_the_stream(serve: Serve, *replies: Reply) -> ScriptedServer:
    """Serve what the checks before those of tools and guides ask for, then the replies."""
    return serve(LISTED, reply(200, {"version": "0.32.0"}), answer(), STREAM, *replies)


def test_a_server_of_another_release_that_ignores_guides(examine: Examine, serve: Serve) -> None:
    server = serve_up_to_the_stream(
        serve, call("get_weather", '{"city": "Rome"}'), answer("Paris."), answer("Sunny, I guess.")
    )
    found = examine(server, "--model", "m")
    assert found.names("failed") == ["server", "guided answer"]
    assert "The server is vllm-0.32.0, but requests are written for vllm-0.5." in found.said(
        "server"
    )
    assert "'Paris.'" in found.said("guided answer")
    for check in ("server", "guided answer"):
        assert "MONSTER_SERVER=vllm-0.32.0" in found.said(check)
    found.expect("offered tool", "note", "Sunny, I guess.", "tool_format=")


def test_a_gateway_that_drops_guides(examine: Examine, serve: Serve) -> None:
    server = serve_up_to_the_stream(
        serve, call("get_weather", '{"city": "Rome"}'), answer("Paris."), answer("Sunny.")
    )
    found = examine(server, "--model", "m", MONSTER_SERVER="vllm")
    found.expect_failure("guided answer", "before the server may drop")


@pytest.mark.parametrize(
    "given, told",
    [
        (answer("Hello!"), "did not call the tool"),
        (call("get_weather", '"adde"'), "not a whole JSON object"),
        (call("get_weather", '{"town": "Rome"}'), "do not fit"),
    ],
    ids=["text", "no object", "other arguments"],
)
def test_a_server_that_does_not_force_a_tool(
    examine: Examine, serve: Serve, given: Reply, told: str
) -> None:
    guided = answer(json.dumps({"zq417": "kwx-903"}))
    server = serve_up_to_the_stream(
        serve, given, guided, answer('{"name": "get_weather", "parameters": {"city": "Rome"}}')
    )
    found = examine(server, "--model", "m")
    assert found.names("failed") == ["server", "forced tool"]
    assert told in found.said("forced tool")
    assert found.check("offered tool")["status"] == "ok"


def test_a_stream_that_a_proxy_collects(examine: Examine, serve: Serve) -> None:
    tokens = [json.dumps(token(f"{number} ")) for number in range(10)]
    together = "".join(f"data: {one}\n\n" for one in [*tokens, json.dumps(token("", "stop"))])
    server = serve(
        LISTED,
        RELEASE,
        answer(),
        events(0.6, together.encode(), "[DONE]"),
        reply(503),
    )
    found = examine(server, "--model", "m")
    found.expect("stream", "note", "collects the stream")


def test_a_server_that_is_broken(examine: Examine) -> None:
    with Emulator() as emulator:
        emulator.fail(503, body="overloaded")
        found = examine(emulator)
    found.expect_failure("endpoint", "503: overloaded")


def test_a_request_is_never_sent_twice(examine: Examine, serve: Serve) -> None:
    server = serve(LISTED, RELEASE, reply(429, "slow"))
    found = examine(server, "--model", "m")
    assert found.names("failed") == ["completion"]
    assert len(server.received) == 3


def test_a_key_that_a_server_repeats_is_masked(examine: Examine, serve: Serve) -> None:
    found = examine(serve(reply(403, f"no: {KEY}")))
    found.expect_failure("key", "no: ***")
    assert KEY not in str(found.report)
