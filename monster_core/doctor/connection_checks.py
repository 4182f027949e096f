"""Check the way to the endpoint: proxy, host name, connection and TLS."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator

import httpx

from monster_core.doctor.examination import Check, Examination
from monster_core.doctor.report import Finding
from monster_core.doctor.settings_in_use import check_variables, without_credentials
from monster_core.settings import is_loopback
from monster_core.transport.http import environment_proxy, tls_context

__all__ = ["CONNECTION_CHECKS", "speaks_tls", "tls_advice", "tls_error_in"]

_ADDRESS = "the base URL (MONSTER_API_BASE)"


def _check_settings(examination: Examination) -> Finding:
    _ = examination.endpoint  # raises what its settings make impossible
    return check_variables()


def _check_proxy(examination: Examination) -> Finding:
    proxy = environment_proxy(examination.url)
    if proxy is None:
        return Finding("ok", f"none: requests go to {examination.url.host} directly")
    examination.proxy = proxy
    shown, address = without_credentials(proxy), httpx.URL(proxy)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.host, port), examination.connect_seconds).close()
    except OSError as error:
        return Finding(
            "failed",
            f"The proxy {shown} cannot be reached: {_reason(error)}.",
            "Correct or unset the proxy variable (HTTPS_PROXY, HTTP_PROXY or ALL_PROXY), or add "
            f"{examination.url.host} to NO_PROXY.",
        )
    return Finding(
        "note",
        f"requests go through {shown}",
        f"If they should not, add {examination.url.host} to NO_PROXY.",
    )


def _check_dns(examination: Examination) -> Finding:
    host = examination.url.host
    if examination.proxy is not None:
        return Finding("skipped", "the proxy looks up the host")
    if _is_address(host):
        return Finding("ok", f"{host} is an address: nothing to look up")
    try:
        found = socket.getaddrinfo(host, examination.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return Finding(
            "failed",
            f"There is no host {host!r}: {_reason(error)}.",
            f"Check the spelling of {_ADDRESS}, and that this machine reaches a name server.",
        )
    addresses = list(dict.fromkeys(str(address[4][0]) for address in found))
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return Finding("ok", f"{host} is {addresses[0]}{more}")


def _check_connection(examination: Examination) -> Finding:
    if examination.proxy is not None:
        return Finding("skipped", "the proxy connects")
    place = f"{examination.url.host}:{examination.port}"
    try:
        with _connection(examination):
            return Finding("ok", f"{place} accepts connections")
    except ConnectionRefusedError:
        return Finding(
            "failed",
            f"Nothing listens on {place}.",
            f"Start the server, or correct the port in {_ADDRESS}.",
        )
    except TimeoutError:
        return Finding(
            "failed",
            f"{place} did not answer within {examination.connect_seconds:g} seconds.",
            "A firewall drops the connection, the host is down, or a proxy (HTTPS_PROXY) is "
            "needed here.",
        )
    except OSError as error:
        return Finding(
            "failed", f"No connection to {place}: {_reason(error)}.", "Check the network."
        )


def _check_tls(examination: Examination) -> Finding:
    host = examination.url.host
    if examination.url.scheme == "http":
        if is_loopback(host):
            return Finding("ok", "none: plain http to this machine")
        return Finding(
            "note",
            f"none: the key goes to {host} unencrypted",
            "Use https wherever others can read the network.",
        )
    if examination.proxy is not None:
        return Finding("skipped", "spoken through the proxy, with the next check")
    authorities = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    missing = [path for path in authorities if path and not os.path.exists(path)]
    if missing:
        return Finding(
            "failed", f"{missing[0]!r} is not there.", "Correct SSL_CERT_FILE or SSL_CERT_DIR."
        )
    try:
        return _shake_hands(examination, tls_context(*authorities))
    except (OSError, ValueError) as error:
        return Finding("failed", f"No TLS with {host}: {_reason(error)}.", tls_advice(error))


def _shake_hands(examination: Examination, context: ssl.SSLContext) -> Finding:
    with (
        _connection(examination) as plain,
        context.wrap_socket(plain, server_hostname=examination.url.host) as encrypted,
    ):
        version = encrypted.version()
        with contextlib.suppress(OSError):  # a server need not say goodbye
            encrypted.unwrap()
    return Finding("ok", f"{version}, the certificate is trusted")


def tls_advice(error: Exception) -> str:
    """Say in one sentence what to do about a handshake that failed.

    Args:
        error: What was raised.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code, _UNTRUSTED)
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return f"This port speaks plain http: write http:// in {_ADDRESS}, or use another port."
    return "A proxy or firewall may break TLS: try from another network, or ask who runs it."


def tls_error_in(error: BaseException | None) -> ssl.SSLError | None:
    """Return the TLS error that another error was raised from, if there is one.

    Args:
        error: The error.
    """
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def speaks_tls(examination: Examination) -> bool:
    """Whether a port that was asked in plain http answers a TLS handshake.

    Args:
        examination: The examination; nothing but the handshake is sent, whoever answers.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        contextlib.suppress(OSError),
        _connection(examination) as plain,
        context.wrap_socket(plain),
    ):
        return True
    return False


@contextlib.contextmanager
def _connection(examination: Examination) -> Iterator[socket.socket]:
    address = (examination.url.host, examination.port)
    with socket.create_connection(address, examination.connect_seconds) as connection:
        yield connection


_AUTHORITY = "name the PEM file of its authority in SSL_CERT_FILE"
_UNTRUSTED = f"If you trust the certificate, {_AUTHORITY}."
# X509_V_ERR_* of OpenSSL's x509_vfy.h
_BY_VERIFY_CODE = {
    9: "The certificate is not valid yet: check this machine's clock.",
    10: "The certificate has expired: renew it, or check this machine's clock.",
    18: "The certificate is self-signed: name its PEM file in SSL_CERT_FILE.",
    19: f"The certificate's authority signed itself: {_AUTHORITY}, a company's proxy may be one.",
    20: f"The certificate's authority is not known here: {_AUTHORITY}.",
    21: f"The certificate's authority is not known here: {_AUTHORITY}.",
    62: "The certificate is another host's: use the name that it was issued for.",
    64: "The certificate is not issued for this address: use the host's name.",
}
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")


CONNECTION_CHECKS = (
    Check("settings", _check_settings),
    Check("proxy", _check_proxy, ("settings",)),
    Check("DNS", _check_dns, ("settings", "proxy")),
    Check("connection", _check_connection, ("proxy", "DNS")),
    Check("TLS", _check_tls, ("connection",)),
)
