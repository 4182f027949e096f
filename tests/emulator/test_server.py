"""The running emulator: its start and end, the key, the list of models, what it remembers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import nullcontext

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


@pytest.mark.parametrize(
    "imported, absent",
    [
        (
            "import monster_emulator, monster_emulator.pytest_plugin",
            {"uvicorn", "starlette", "pydantic", "httpx"},
        ),
        (
            "from monster_emulator import Emulator",
            {"monster_core", "langchain_monster", "llama_index_monster", "httpx"},
        ),
    ],
    ids=["the package and its plugin", "the emulator"],
)
def test_importing_it_loads_no_more_than_it_needs(imported, absent):
    program = f"import sys; {imported}; print({absent} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    for name in ("_server", "_thread"):
        monkeypatch.delitem(sys.modules, f"monster_emulator.{name}")
        monkeypatch.delattr(monster_emulator, name)
    with pytest.raises(ModuleNotFoundError, match=r"monsterapi-integrations\[emulator\]"):
        monster_emulator.Emulator  # noqa: B018


@pytest.mark.clock
def test_it_stops_at_once_although_a_client_keeps_its_connection():
    threads = threading.active_count()
    with Emulator() as emulator, httpx.Client(trust_env=False) as http:
        assert http.get(f"{emulator.base_url.removesuffix('/v1')}/health").status_code == 200
        began = time.monotonic()
        emulator.__exit__(None, None, None)
        assert time.monotonic() - began < 0.1
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


def test_it_listens_on_ipv6():
    try:
        with Emulator(host="::1") as emulator:
            assert emulator.base_url.startswith("http://[::1]:")
            assert httpx.get(f"{emulator.base_url}/models", trust_env=False).status_code == 401
    except OSError as error:  # pragma: no cover
        pytest.skip(f"no IPv6 here: {error}")


def test_models_are_listed_with_their_context(emulate):
    cards = emulate(model=["a", "b"], max_model_len=512).http.get("/models").json()["data"]
    listed = [(card["id"], card["root"], card["max_model_len"]) for card in cards]
    assert listed == [("a", "a", 512), ("b", "a", 512)]


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


def test_requests_are_remembered_without_the_key_and_counted(emulate):
    endpoint = emulate()
    emulator = endpoint.emulator
    endpoint.http.get("/models")
    endpoint.http.post("/chat/completions", content=b"{")
    endpoint.ask("hi", user="me", top_p=9)
    endpoint.chunks()
    listed, broken, asked, _ = emulator.requests
    assert (listed.method, listed.path, listed.body) == ("GET", "/v1/models", None)
    assert broken.body is None
    assert asked.body == endpoint.body("hi", user="me", top_p=9)
    assert asked.headers["content-type"] == "application/json"
    assert emulator.api_key not in repr(emulator.requests)
    assert (emulator.served, emulator.aborted, emulator.in_progress) == (4, 0, 0)


@pytest.mark.parametrize("stream", [True, False])
def test_generation_stops_when_the_client_leaves(emulate, stream):
    endpoint = emulate()
    emulator = endpoint.emulator
    emulator.pace = 0.02
    request = endpoint.body("count to 1000", stream=stream)
    expected = nullcontext() if stream else pytest.raises(httpx.ReadTimeout)
    with expected, endpoint.http.stream("POST", "/chat/completions", json=request, timeout=0.2):
        assert emulator.in_progress == 1
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
    with pytest.raises(httpx.RemoteProtocolError) if stream else nullcontext():
        assert endpoint.ask(logit_bias={"999": 1}, stream=stream).status_code == 500
    assert not endpoint.emulator.alive
    with pytest.raises(httpx.RemoteProtocolError):
        endpoint.ask(stream=True)
    assert endpoint.http.get("../health").status_code == 500
