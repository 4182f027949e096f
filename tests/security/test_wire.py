"""What leaves this machine, for where, and over which connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core.errors import (
    ConfigurationError,
    ConnectionFailedError,
    MonsterError,
    RedirectError,
)
from monster_core.settings import check_base_url
from tests.core.scripted_server import ScriptedServer, answer, events, reply, token
from tests.security.canaries import KEY, found
from tests.security.conftest import Make
from tests.security.conftest import answer as ask

Serve = Callable[..., ScriptedServer]
Call = Callable[..., Any]

STREAM = events(token("Hi"), token("", "stop"), "[DONE]")


@pytest.mark.parametrize("user_follows", [False, True])
def test_no_redirect_takes_the_key_along(
    make: Make, call: Call, serve: Serve, user_follows: bool
) -> None:
    elsewhere = serve(answer())
    to_elsewhere = {"location": f"{elsewhere.base_url}/chat/completions"}
    statuses = [301, 302, 303, 307, 308]
    at_home = serve(*[reply(status, b"", to_elsewhere) for status in statuses])
    with httpx.Client(follow_redirects=True, verify=False) as own:
        model = make(at_home.base_url, http_client=own if user_follows else None)
        for status in statuses:
            with pytest.raises(RedirectError) as caught:
                call(model)
            assert caught.value.status_code == status
    assert len(at_home.received) == len(statuses)
    assert not elsewhere.received


@pytest.mark.parametrize(
    "location",
    [
        "//elsewhere.example/v1",
        "https://user:secret@elsewhere.example/",
        "https://elsewhere.example/\x1b[2J\x07",
        "https://elsewhere.example:port/",
        "javascript:alert(1)",
        "http://[::1",
        "\\\\elsewhere.example\\v1",
        "x" * 50_000,
        "",
    ],
)
def test_no_location_makes_it_fail_otherwise(make: Make, serve: Serve, location: str) -> None:
    server = serve(reply(307, b"", {"location": location}))
    with pytest.raises(MonsterError) as caught:
        ask(make(server.base_url))
    assert len(server.received) == 1
    assert str(caught.value).isprintable()


OPENAI = {
    "OPENAI_API_KEY": "sk-of-openai",
    "OPENAI_ADMIN_KEY": "sk-admin-of-openai",
    "OPENAI_API_BASE": "http://127.0.0.1:9/openai",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/openai",
    "OPENAI_API_TYPE": "azure-of-openai",
    "OPENAI_API_VERSION": "version-of-openai",
    "OPENAI_ORGANIZATION": "org-of-openai",
    "OPENAI_ORG_ID": "org-of-openai",
    "OPENAI_PROJECT": "project-of-openai",
    "OPENAI_PROJECT_ID": "project-of-openai",
    "OPENAI_PROXY": "http://127.0.0.1:9/openai",
    "OPENAI_MODEL": "model-of-openai",
    "OPENAI_MODEL_NAME": "model-of-openai",
    "OPENAI_LOG": "debug",
    "OPENAI_TIMEOUT": "0.001",
    "OPENAI_CUSTOM_HEADERS": "x-of-openai: 1",
    "AZURE_OPENAI_API_KEY": "sk-azure-of-openai",
    "MONSTERAPI_KEY": "sk-of-openai-s-neighbour",
}


def test_no_variable_of_openai_is_read_or_sent(
    make: Make, call: Call, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(STREAM if "stream" in call.__name__ else answer())
    for name, value in OPENAI.items():
        monkeypatch.setenv(name, value)
    call(make(server.base_url))
    (sent,) = server.received
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    everything = f"{sent.line} {sent.headers} {sent.body!r}".lower()
    assert "openai" not in everything
    expected = {"host", "accept", "user-agent", "content-type", "content-length", "authorization"}
    offered = {"accept-encoding", "connection", "x-gateway"}
    assert sent.headers.keys() <= expected | offered


def test_no_key_of_openai_stands_in_for_a_missing_one(
    make: Make, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answer())
    for name, value in OPENAI.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match="MONSTER_API_KEY"):
        ask(make(server.base_url, api_key=None))
    assert not server.received


def test_no_file_is_read(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    said = f"MONSTER_API_KEY={KEY}\nMONSTER_API_BASE=https://of-the-file.example/v1\n"
    for name in (".env", "monster_api_key", "MONSTER_API_KEY", ".netrc", "_netrc"):
        (tmp_path / name).write_text(said)
    for llm in (ChatMonster(model="m"), MonsterLLM("m")):
        assert llm.api_key is None
        assert "of-the-file" not in repr(llm)


def test_a_netrc_does_not_replace_the_key(
    make: Make, call: Call, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(STREAM if "stream" in call.__name__ else answer())
    call(make(server.base_url))
    assert server.received[0].headers["authorization"] == f"Bearer {KEY}"


# --- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", ["\r\nx-admin: 1", "\nx-admin: 1", "\rx", "\0", "\x7f", "\x85", "\u2028"]
)
def test_no_key_and_no_header_can_add_another(make: Make, bad: str) -> None:
    for given in (
        {"api_key": f"k{bad}k"},
        {"default_headers": {"x-team": f"a{bad}b"}},
        {"default_headers": {f"x{bad}y": "a"}},
    ):
        with pytest.raises(ValueError, match=r"header|api_key"):
            make("https://a.example/v1", **given)


@pytest.mark.parametrize("text", ["m\r\nx-admin: 1", "m\0", "\u2028", '"}', "m\n\nGET / HTTP/1.1"])
def test_a_models_name_and_a_users_stay_in_the_body(
    make: Make, call: Call, serve: Serve, text: str
) -> None:
    server = serve(STREAM if "stream" in call.__name__ else answer())
    call(make(server.base_url, model=text, user=text))
    (sent,) = server.received
    assert sent.line == "POST /v1/chat/completions"
    assert "x-admin" not in sent.headers
    assert httpx.Response(200, content=sent.body).json()["model"] == text


def test_a_default_header_replaces_the_key_in_no_spelling(make: Make, serve: Serve) -> None:
    server = serve(answer())
    for name in ("Authorization", "AUTHORIZATION", "authorization"):
        ask(make(server.base_url, default_headers={name: "Bearer another"}))
    assert {one.headers["authorization"] for one in server.received} == {f"Bearer {KEY}"}


# --- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/v1",
        "http://10.0.0.1/v1",
        "http://0.0.0.0/v1",
        "http://localhost.a.example/v1",
        "http://127.0.0.1.a.example/v1",
        "http://a.example/127.0.0.1",
        "http://localhost@a.example/v1",
        "http://localhost:80@a.example/v1",
        "http://a.example\\@localhost/v1",
        "http://local\thost/v1",
        "http://localhost\n.a.example/v1",
        "http://[::ffff:10.0.0.1]/v1",
        "http://[fe80::1]/v1",
        "http://2130706434/v1",
        "http://\uff41.example/v1",
        "gopher://localhost/v1",
        "ws://localhost/v1",
        "localhost/v1",
    ],
)
def test_a_key_goes_unencrypted_to_this_machine_only(url: str) -> None:
    with pytest.raises(ConfigurationError):
        check_base_url(url, allow_http=False)


def test_no_proxy_sees_what_goes_to_this_machine(
    make: Make, call: Call, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(answer())
    server = serve(STREAM if "stream" in call.__name__ else answer())
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, proxy.base_url.removesuffix("/v1"))
            call(make(server.base_url))
    assert len(server.received) == 4
    assert not proxy.received


# --- TLS ----------------------------------------------------------------------------------------


def test_a_proxy_is_asked_for_a_tunnel_and_told_no_secret(
    make: Make, call: Call, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(reply(403))
    monkeypatch.setenv("HTTPS_PROXY", proxy.base_url.removesuffix("/v1"))
    with pytest.raises(MonsterError):
        call(make("https://a.example/v1"))
    (sent,) = proxy.received
    assert sent.line == "CONNECT a.example:443"
    told = f"{sent.headers} {sent.body!r}"
    assert not found(told)
    assert "authorization" not in told


@pytest.fixture
def tls() -> Iterator[ScriptedServer]:
    """Serve with a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with ScriptedServer(answer(), tls=context) as server:
        yield server


UNVERIFYING = {
    "MONSTER_VERIFY": "0",
    "MONSTER_VERIFY_SSL": "false",
    "MONSTER_SSL_VERIFY": "false",
    "MONSTER_INSECURE": "1",
    "MONSTER_ALLOW_HTTP": "1",
    "PYTHONHTTPSVERIFY": "0",
    "CURL_INSECURE": "1",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "REQUESTS_CA_BUNDLE": "",
    "OPENAI_VERIFY_SSL_CERTS": "0",
}


def test_no_variable_turns_verification_off(
    make: Make, call: Call, tls: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in UNVERIFYING.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConnectionFailedError, match=r"(?i)certificate"):
        call(make(tls.base_url))
    assert not tls.received
