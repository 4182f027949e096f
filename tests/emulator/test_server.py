from __future__ import annotations

import re
import subprocess
import sys
import threading
import time

import httpx
import pytest

import monster_emulator
from monster_emulator import Emulator


def eventually(condition, seconds=3.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def test_the_public_names_are_there():
    assert monster_emulator.__all__ == sorted(monster_emulator.__all__)
    assert all(hasattr(monster_emulator, name) for name in monster_emulator.__all__)
    assert not hasattr(monster_emulator, "Emulators")


def test_importing_the_package_and_its_plugin_loads_no_server():
    program = (
        "import sys, monster_emulator, monster_emulator.pytest_plugin\n"
        "print([n for n in ('uvicorn', 'starlette', 'pydantic', 'httpx') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_the_emulator_loads_nothing_of_the_integrations():
    program = (
        "import sys; from monster_emulator import Emulator\n"
        "ours = {'monster_core', 'langchain_monster', 'llama_index_monster', 'httpx'}\n"
        "print(sorted(ours & {name.partition('.')[0] for name in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    for name in ("_server", "_thread"):
        monkeypatch.delitem(sys.modules, f"monster_emulator.{name}")
        monkeypatch.delattr(monster_emulator, name)
    with pytest.raises(ModuleNotFoundError, match=r"monsterapi-integrations\[emulator\]"):
        monster_emulator.Emulator  # noqa: B018


@pytest.mark.clock
def test_it_starts_and_stops_within_a_second():
    threads = threading.active_count()
    began = time.monotonic()
    with Emulator() as emulator:
        assert httpx.get(f"{emulator.base_url.removesuffix('/v1')}/health").status_code == 200
    assert time.monotonic() - began < 1
    assert threading.active_count() <= threads  # one of another test may have ended
    with pytest.raises(httpx.ConnectError):
        httpx.get(emulator.base_url)


def test_it_has_no_address_before_it_runs():
    with pytest.raises(RuntimeError, match="with"):
        _ = Emulator().base_url


def test_a_port_in_use_is_an_error(endpoint):
    port = int(endpoint.emulator.base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="in use"), Emulator(port=port):
        pass


def test_models_are_listed_with_their_context(emulate):
    endpoint = emulate(model=["first", "second"], max_model_len=512)
    answer = endpoint.http.get("/models").json()
    assert answer["object"] == "list"
    first, second = answer["data"]
    assert (first["id"], second["id"], second["root"]) == ("first", "second", "first")
    assert {first["max_model_len"], second["max_model_len"]} == {512}
    assert first.keys() == {
        *("id", "object", "created", "owned_by", "root", "parent", "max_model_len", "permission")
    }
    (permission,) = first["permission"]
    assert re.fullmatch(r"modelperm-[0-9a-f]{32}", permission["id"])
    assert len(permission) == 12


@pytest.mark.parametrize("given", [None, "", "Bearer wrong", "bearer sk-emulator", "sk-emulator"])
@pytest.mark.parametrize("path", ["/models", "/chat/completions", "/nowhere"])
def test_a_request_without_the_key_is_a_401(endpoint, given, path):
    headers = {} if given is None else {"Authorization": given}
    response = httpx.post(endpoint.emulator.base_url + path, headers=headers)
    assert response.status_code == 401
    assert response.json() == {"error": "Unauthorized"}


def test_an_empty_key_lets_everybody_in(emulate):
    endpoint = emulate(api_key="")
    assert httpx.get(f"{endpoint.emulator.base_url}/models").status_code == 200
    assert endpoint.ask().status_code == 200


@pytest.mark.parametrize(
    "method, path, status, detail",
    [
        ("GET", "/models/info", 404, "Not Found"),
        ("GET", "/chat/completions", 405, "Method Not Allowed"),
        ("POST", "/models", 405, "Method Not Allowed"),
    ],
)
def test_other_paths_and_methods_are_refused(endpoint, method, path, status, detail):
    response = endpoint.http.request(method, path)
    assert (response.status_code, response.json()) == (status, {"detail": detail})


def test_requests_are_remembered_without_the_key(emulate):
    endpoint = emulate()
    endpoint.http.get("/models")
    endpoint.http.post("/chat/completions", content=b"{")
    endpoint.ask("hi", user="me", top_p=9)
    listed, broken, asked = endpoint.emulator.requests
    assert (listed.method, listed.path, listed.body) == ("GET", "/v1/models", None)
    assert broken.body is None
    assert asked.body == endpoint.body("hi", user="me", top_p=9)
    assert asked.headers["content-type"] == "application/json"
    assert endpoint.emulator.api_key not in repr(endpoint.emulator.requests)


def test_answers_and_refusals_are_counted_as_served(emulate):
    endpoint = emulate()
    endpoint.ask()
    endpoint.ask(top_p=9)
    endpoint.chunks()
    emulator = endpoint.emulator
    assert (emulator.served, emulator.aborted, emulator.in_progress) == (3, 0, 0)


def test_generation_stops_when_the_client_leaves_a_stream(emulate):
    endpoint = emulate(pace=0.02)
    emulator = endpoint.emulator
    request = endpoint.body("count to 1000", stream=True)
    with endpoint.http.stream("POST", "/chat/completions", json=request) as response:
        lines = response.iter_lines()
        next(lines)
        assert emulator.in_progress == 1
    eventually(lambda: emulator.in_progress == 0)
    assert (emulator.served, emulator.aborted) == (0, 1)


def test_generation_stops_when_the_client_gives_up_a_full_answer(emulate):
    endpoint = emulate(pace=0.02)
    emulator = endpoint.emulator
    with pytest.raises(httpx.ReadTimeout):
        endpoint.http.post("/chat/completions", json=endpoint.body("count to 1000"), timeout=0.1)
    eventually(lambda: emulator.aborted == 1)
    assert (emulator.served, emulator.in_progress) == (0, 0)


def test_the_pace_may_change_while_it_runs(emulate):
    endpoint = emulate()
    endpoint.emulator.pace = 0.05
    began = time.monotonic()
    endpoint.content("repeat abc")
    assert time.monotonic() - began > 0.15


@pytest.mark.parametrize("stream", [False, True])
def test_a_token_that_does_not_exist_ends_the_engine(emulate, stream):
    endpoint = emulate()
    with pytest.raises(httpx.RemoteProtocolError) if stream else _nothing():
        assert endpoint.ask(logit_bias={"999": 1}, stream=stream).status_code == 500
    assert not endpoint.emulator.alive
    assert endpoint.ask().status_code == 500
    with pytest.raises(httpx.RemoteProtocolError):
        endpoint.ask(stream=True)
    assert endpoint.refusal(top_p=7) == "top_p must be in (0, 1], got 7.0."
    assert endpoint.http.get("/models").status_code == 200
    assert endpoint.http.get("../health").status_code == 500


def test_a_token_that_is_not_a_number_is_refused_and_ends_the_engine(emulate):
    endpoint = emulate()
    assert endpoint.refusal(logit_bias={"x": 1}) == "invalid literal for int() with base 10: 'x'"
    assert not endpoint.emulator.alive


class _nothing:
    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


def test_it_listens_on_ipv6():
    try:
        with Emulator(host="::1") as emulator:
            assert emulator.base_url.startswith("http://[::1]:")
            assert httpx.get(f"{emulator.base_url}/models", trust_env=False).status_code == 401
    except OSError as error:  # pragma: no cover
        pytest.skip(f"no IPv6 here: {error}")
