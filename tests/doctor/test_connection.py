"""The doctor finds what is wrong on the way to the endpoint, each in one sentence."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from monster_emulator import Emulator
from tests.core.scripted_server import ScriptedServer, answer, reply
from tests.doctor.conftest import Examined

Examine = Callable[..., Examined]
Serve = Callable[..., ScriptedServer]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_host_that_is_not_there(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_host(*where: object, **how: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    found = examine("https://llm.monsterappi.ai/v1")
    assert found.status == 1
    found.expect_failure("DNS", "no host 'llm.monsterappi.ai'", "spelling of the base URL")
    assert "since DNS failed" in found.said("guided answer")


def test_a_port_on_which_nothing_listens(examine: Examine) -> None:
    port = free_port()
    found = examine(f"http://127.0.0.1:{port}/v1")
    found.expect_failure("connection", f"Nothing listens on 127.0.0.1:{port}", "correct the port")


def test_plain_http_to_another_machine_is_refused_before_anything_is_sent(
    examine: Examine,
) -> None:
    found = examine("http://10.0.0.7/v1")
    found.expect_failure("settings", "would send the key unencrypted")
    assert len(found.names("skipped")) == len(found.report["checks"]) - 1


@pytest.mark.parametrize(
    "name, told",
    [("127.0.0.1", "its authority in SSL_CERT_FILE"), ("elsewhere.example", "not issued for")],
)
def test_a_certificate_that_cannot_be_trusted(
    examine: Examine, serve: Serve, tmp_path: Path, name: str, told: str
) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "authority.pem"
    (trustme.CA() if name == "127.0.0.1" else authority).cert_pem.write_to_path(str(trusted))
    server = serve(reply(), tls=server_context(authority, name))
    found = examine(server, SSL_CERT_FILE=str(trusted))
    found.expect_failure("TLS", told)
    assert server.received == []


def test_a_self_signed_certificate(examine: Examine, serve: Serve) -> None:
    authority = trustme.CA()
    context = server_context(authority)
    found = examine(serve(reply(), tls=context))
    found.expect_failure("TLS", "SSL_CERT_FILE")


def test_a_trusted_certificate(examine: Examine, tmp_path: Path) -> None:
    authority, trusted, own = trustme.CA(), tmp_path / "authority.pem", tmp_path / "server.pem"
    authority.cert_pem.write_to_path(str(trusted))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(own))
    with Emulator(certfile=own) as emulator:
        found = examine(emulator, SSL_CERT_FILE=str(trusted))
    assert found.status == 0
    assert "TLSv1.3" in found.said("TLS")


def test_a_file_of_authorities_that_is_not_there(examine: Examine, serve: Serve) -> None:
    server = serve(reply(), tls=server_context(trustme.CA()))
    found = examine(server, SSL_CERT_FILE="/nowhere/authority.pem")
    found.expect_failure("TLS", "Correct SSL_CERT_FILE")


def test_https_to_a_port_of_plain_http(examine: Examine) -> None:
    with Emulator() as emulator:
        found = examine(emulator.base_url.replace("http:", "https:"))
    found.expect_failure("TLS", "This port speaks plain http")


def test_plain_http_to_a_port_of_tls(examine: Examine, serve: Serve) -> None:
    server = serve(reply(), tls=server_context(trustme.CA()))
    found = examine(server.base_url.replace("https:", "http:"))
    found.expect_failure("endpoint", "Write https://")


def test_a_proxy_that_cannot_be_reached(examine: Examine) -> None:
    proxy = f"http://me:hidden-word@127.0.0.1:{free_port()}"
    found = examine("https://llm.example/v1", HTTPS_PROXY=proxy)
    found.expect_failure("proxy", "http://***@127.0.0.1", "NO_PROXY")
    assert "hidden-word" not in str(found.report)


def test_a_proxy_that_refuses_to_connect(examine: Examine, serve: Serve) -> None:
    proxy = serve(reply(407, "Proxy Authentication Required"))
    found = examine(
        "https://llm.example/v1",
        HTTPS_PROXY=proxy.base_url.removesuffix("/v1"),
    )
    assert found.check("proxy")["status"] == "note"
    found.expect_failure("endpoint", "407")
    assert proxy.received[0].line == "CONNECT llm.example:443"


def test_a_proxy_that_answers_for_the_server(examine: Examine, serve: Serve) -> None:
    listed = {"data": [{"id": "m", "max_model_len": 8192}]}
    proxy = serve(reply(200, listed), reply(200, {"version": "0.5.0"}), answer())
    found = examine(
        "http://llm.example/v1",
        "--model",
        "m",
        HTTP_PROXY=proxy.base_url.removesuffix("/v1"),
        MONSTER_ALLOW_HTTP="1",
    )
    assert found.check("proxy")["status"] == "note"
    assert [found.check(name)["status"] for name in ("DNS", "connection")] == ["skipped"] * 2
    assert "unencrypted" in found.said("TLS")
    assert found.check("completion")["status"] == "ok"
    assert proxy.received[0].line == "GET http://llm.example/v1/models"


def test_no_proxy_is_used_where_none_is_wanted(examine: Examine, serve: Serve) -> None:
    proxy = serve(reply(500))
    with Emulator() as emulator:
        found = examine(emulator, HTTP_PROXY=proxy.base_url)
    assert found.check("proxy")["status"] == "ok"
    assert proxy.received == []


def test_a_server_behind_a_gateway_that_names_itself(examine: Examine, serve: Serve) -> None:
    listed = {"data": [{"id": "m", "max_model_len": 8192}]}
    server = serve(reply(200, listed, {"via": "1.1 squid"}), reply(500))
    found = examine(server)
    found.expect("endpoint", "note", "through 1.1 squid")


@pytest.mark.parametrize("proxy", ["proxy.example:port", "ftp://proxy.example", "http://a:b/c@d"])
def test_a_proxy_variable_that_holds_no_address(examine: Examine, proxy: str) -> None:
    found = examine("https://llm.example/v1", HTTPS_PROXY=proxy)
    found.expect_failure("proxy", "holds an address that cannot be used")


@pytest.mark.parametrize(
    "variable, meant",
    [("MONSTER_APIBASE", "MONSTER_API_BASE"), ("MONSTER_BASE_URL", "MONSTER_API_BASE")],
)
def test_a_misspelt_variable(
    examine: Examine, monster_emulator: Emulator, variable: str, meant: str
) -> None:
    found = examine(monster_emulator, **{variable: "x"})
    assert f"did you mean {meant!r}?" in found.said("settings")


def test_a_variable_that_is_like_no_setting(examine: Examine, monster_emulator: Emulator) -> None:
    found = examine(monster_emulator, MONSTER_FOO="x")
    assert "Unknown variable 'MONSTER_FOO'. " in found.said("settings")
