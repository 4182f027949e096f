"""Where a model may look for its endpoint and find none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from monster_emulator import Emulator

__all__ = [
    "name_that_does_not_exist",
    "port_that_speaks_no_tls",
    "proxy_that_is_down",
    "server_that_is_down",
    "server_with_a_certificate_of_its_own",
]

DEAD_PORT = "http://127.0.0.1:9"
ELSEWHERE = "https://llm.invalid/v1"


@contextmanager
def server_that_is_down(emulator: Emulator, *_: object) -> Iterator[str]:
    """Close the emulator's port."""
    with emulator.offline():
        yield emulator.base_url


@contextmanager
def name_that_does_not_exist(
    emulator: Emulator, patch: pytest.MonkeyPatch, *_: object
) -> Iterator[str]:
    """Let the name service know nobody."""

    def nobody(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    patch.setattr(socket, "getaddrinfo", nobody)
    yield ELSEWHERE


@contextmanager
def proxy_that_is_down(emulator: Emulator, patch: pytest.MonkeyPatch, *_: object) -> Iterator[str]:
    """Send everything through a port where nobody listens."""
    patch.setenv("HTTPS_PROXY", DEAD_PORT)
    yield ELSEWHERE


@contextmanager
def server_with_a_certificate_of_its_own(
    emulator: Emulator, patch: pytest.MonkeyPatch, folder: Path
) -> Iterator[str]:
    """Serve https with a certificate that nobody trusts."""
    chain = folder / "chain.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(chain))
    with Emulator(certfile=chain, model=emulator.model, api_key=emulator.api_key) as untrusted:
        yield untrusted.base_url
        assert untrusted.requests == []


@contextmanager
def port_that_speaks_no_tls(emulator: Emulator, *_: object) -> Iterator[str]:
    """Speak https to a server of http."""
    yield emulator.base_url.replace("http:", "https:")
