"""TLS is spoken, checked and kept alive alike, without and with async."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from monster_core import errors
from tests.core.drivers import Driver
from tests.core.scripted_server import ScriptedServer, answer, events, token

Serve = Callable[..., ScriptedServer]
Connect = Callable[..., Driver]

AUTHORITY = trustme.CA()


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Trust the tests' own authority, as SSL_CERT_FILE says."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def test_answers_and_streams_come_over_one_connection(serve: Serve, connect: Connect) -> None:
    stream = events(*(token("word " * 50) for _ in range(400)), token("", "stop"), "[DONE]")
    server = serve(answer("Hello"), stream, answer("Bye"), tls=server_context(AUTHORITY))
    client = connect(server)
    assert client.answer().choices[0].text == "Hello"
    assert sum(len(chunk.text) for chunk in client.stream()) == 400 * 250
    assert client.answer().choices[0].text == "Bye"
    assert server.connections == 1


def test_a_piece_of_text_arrives_before_the_next_is_sent(serve: Serve, connect: Connect) -> None:
    server = serve(events(token("now"), 0.2, token("", "stop")), tls=server_context(AUTHORITY))
    chunks = connect(server).stream()
    assert next(chunks).text == "now"
    assert [chunk.is_last for chunk in chunks][-1]


@pytest.mark.parametrize(
    "context",
    [server_context(trustme.CA()), server_context(AUTHORITY, "elsewhere.example")],
    ids=["unknown authority", "another host"],
)
def test_a_certificate_that_cannot_be_trusted_is_refused(
    serve: Serve, connect: Connect, context: ssl.SSLContext
) -> None:
    server = serve(answer(), tls=context)
    with pytest.raises(errors.ConnectionFailedError, match="CERTIFICATE_VERIFY_FAILED"):
        connect(server).answer()
    assert server.received == []
