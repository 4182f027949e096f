"""Share connections: models that may use the same connections send through one httpx client.

A model that is made for a single web request must not bring a TLS handshake with it. So the first
model that talks to a server opens an httpx client for all that come after it in this process, and
for async calls one in each event loop. Keys and headers belong to requests, never to a client.

A client is closed by the last model's ``close()``, with its event loop, or at the end of the
process. Where the last model is garbage-collected instead, its client waits for the next one.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import ssl
import threading
import urllib.request
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx

from monster_core.errors import ConfigurationError
from monster_core.settings import is_loopback

if TYPE_CHECKING:
    from monster_core.transport.endpoint import Endpoint

__all__ = ["AsyncConnections", "Connections", "environment_proxy", "tls_context"]

# As many connections as there are calls at once. Few of them are kept: at each request, httpx's
# pool looks at every idle connection once for every connection there is, so that 100 kept ones cost
# more than opening new ones does (22 ms instead of 1.5 for each of 128 calls at once).
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30.0)
_MAX_UNUSED_CLIENTS = 4  # of models that were garbage-collected; the oldest one is closed first

_Loop = asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True)
class _Settings:
    """Hold what two models must have in common to share their connections."""

    origin: str
    uses_proxies: bool
    environment: int
    transport: str

    @classmethod
    def of(cls, endpoint: Endpoint, transport: str) -> _Settings:
        url = endpoint.url("")
        # A key may go to this machine unencrypted, and a proxy would carry it elsewhere.
        uses_proxies = not is_loopback(url.host)
        return cls(
            f"{url.scheme}://{url.netloc.decode('ascii')}",
            uses_proxies,
            hash((*_certificates(), *(sorted(_proxies().items()) if uses_proxies else ()))),
            transport,
        )

    def tls(self) -> ssl.SSLContext:
        if self.origin.startswith("https:"):
            return tls_context(*_certificates())
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # costs nothing, and trusts nobody


class _Shared:
    """Hold an httpx client, and count the models and the calls under way that use it."""

    __slots__ = ("calls", "is_ending", "maker", "models", "pid", "place", "settings")

    def __init__(self, settings: _Settings, place: _Place[Any]) -> None:
        self.settings = settings
        self.place = place
        self.maker = _maker_of_clients()
        self.pid = os.getpid()
        self.models = 0
        self.calls = 0
        self.is_ending = _is_exiting  # it is closed after the calls under way, and no model joins

    @property
    def is_usable(self) -> bool:
        return not self.is_ending and self.pid == os.getpid() and self.maker == _maker_of_clients()

    def end_call(self) -> bool:
        """Count a call that is over; return whether the client is to be closed."""
        with _lock:
            self.calls -= 1
            return self.is_ending and self.is_over()

    def is_over(self) -> bool:
        """Whether nobody uses the client any more; then it is taken out of its place."""
        if self.calls or not self.is_ending or self.pid != os.getpid():
            return False
        if self in self.place.clients:
            self.place.clients.remove(self)
        return True


class _SharedSync(_Shared):
    """Lend the client of this process's threads for one call."""

    __slots__ = ("client",)

    def __init__(self, settings: _Settings, place: _Place[_SharedSync]) -> None:
        super().__init__(settings, place)
        self.client = httpx.Client(
            verify=settings.tls(),
            trust_env=settings.uses_proxies,
            limits=_LIMITS,
            cookies=_NoCookies(),
        )

    def __enter__(self) -> httpx.Client:
        if self.place.discarded:
            for unused in self.place.take_discarded():
                unused.client.close()
        return self.client

    def __exit__(self, *_: object) -> None:
        if self.end_call():
            self.client.close()


class _SharedAsync(_Shared):
    """Lend an event loop's client for one call."""

    __slots__ = ("client",)

    def __init__(self, settings: _Settings, place: _Place[_SharedAsync]) -> None:
        super().__init__(settings, place)
        if settings.transport == "aiohttp":
            transport = _aiohttp_transport(settings)
            self.client = httpx.AsyncClient(transport=transport, cookies=_NoCookies())
        else:
            self.client = httpx.AsyncClient(
                verify=settings.tls(),
                trust_env=settings.uses_proxies,
                limits=_LIMITS,
                cookies=_NoCookies(),
            )

    async def __aenter__(self) -> httpx.AsyncClient:
        if self.place.discarded:
            for unused in self.place.take_discarded():
                await unused.client.aclose()
        return self.client

    async def __aexit__(self, *_: object) -> None:
        if self.end_call():
            await self.client.aclose()


_S = TypeVar("_S", _SharedSync, _SharedAsync)


class _Place(Generic[_S]):
    """Hold the clients that this process's threads share, or the coroutines of one event loop."""

    __slots__ = ("clients", "discarded")

    def __init__(self) -> None:
        self.clients: list[_S] = []
        self.discarded: list[_S] = []  # to be closed by whoever comes next

    def find_or_add(self, settings: _Settings, open_shared: Callable[..., _S]) -> _S:
        """Return the client for some settings, a new one if there is none."""
        for shared in self.clients:
            if shared.settings == settings and shared.is_usable:
                return shared
        unused = [one for one in self.clients if not (one.models or one.calls)]
        for waiting in unused[: -_MAX_UNUSED_CLIENTS or None]:
            self.clients.remove(waiting)
            self.discarded.append(waiting)
        with _unusable_environment():
            added = open_shared(settings, self)
        self.clients.append(added)
        return added

    def take_discarded(self) -> list[_S]:
        discarded, self.discarded = self.discarded, []
        return discarded


class _Connections(Generic[_S]):
    """Find the shared clients of one model, and leave them when it is closed or collected.

    Args:
        endpoint: Where the model's requests go.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._joined: dict[_Loop | None, _S] = {}
        weakref.finalize(self, _abandoned.append, self._joined).atexit = False

    def _begin_call(self, loop: _Loop | None) -> _S:
        with _lock:
            shared = self._joined.get(loop)
            if shared is None or not shared.is_usable:
                shared = self._join(loop)
            shared.calls += 1
            return shared

    def _join(self, loop: _Loop | None) -> _S:
        _forget_abandoned()
        unusable = self._joined.pop(loop, None)
        if unusable is not None:
            unusable.models -= 1
        for other in [one for one in self._joined if one is not None and one.is_closed()]:
            del self._joined[other]
        shared = self._find_or_open(loop)
        shared.models += 1
        self._joined[loop] = shared
        return shared

    def _leave(self, loop: _Loop | None) -> _S | None:
        """Do without a client; return it if it is to be closed."""
        with _lock:
            _forget_abandoned()
            shared = self._joined.pop(loop, None)
            if shared is None:
                return None
            shared.models -= 1
            shared.is_ending = not shared.models
            return shared if shared.is_over() else None

    def _find_or_open(self, loop: _Loop | None) -> _S:
        raise NotImplementedError


class Connections(_Connections[_SharedSync]):
    """Lend a model the client that this process's threads share."""

    def use(self) -> _SharedSync:
        """Return a context manager that gives the client for one call."""
        return self._begin_call(None)

    def close(self) -> None:
        """Close the client if no other model uses it, after the calls that are under way."""
        shared = self._leave(None)
        if shared is not None:
            shared.client.close()

    def _find_or_open(self, loop: _Loop | None) -> _SharedSync:
        return _threads.find_or_add(_Settings.of(self._endpoint, "httpx"), _SharedSync)


class AsyncConnections(_Connections[_SharedAsync]):
    """Lend a model the client that the coroutines of the running event loop share."""

    def use(self) -> _SharedAsync:
        """Return an async context manager that gives the client for one call."""
        return self._begin_call(asyncio.get_running_loop())

    async def aclose(self) -> None:
        """Close the client if no other model uses it, after the calls that are under way."""
        shared = self._leave(asyncio.get_running_loop())
        if shared is not None:
            await shared.client.aclose()

    def _find_or_open(self, loop: _Loop | None) -> _SharedAsync:
        assert loop is not None
        settings = _Settings.of(self._endpoint, self._endpoint.async_transport)
        return _place_of(loop).find_or_add(settings, _SharedAsync)


@lru_cache(maxsize=4)
def tls_context(*certificates: str | None) -> ssl.SSLContext:
    """Return the process's TLS context: building one takes tens of milliseconds.

    Args:
        certificates: The environment variables that name other authorities to trust.
    """
    return httpx.create_ssl_context()


def _certificates() -> tuple[str | None, ...]:
    return os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")


@contextlib.contextmanager
def _unusable_environment() -> Iterator[None]:
    """Say which variable keeps httpx from making a client, without its value: it may be secret."""
    try:
        yield
    except ImportError:
        said = f"{_PROXY_VARIABLES} names a SOCKS proxy: pip install 'httpx[socks]'."
    except OSError:  # which an error of TLS is, too
        said = "SSL_CERT_FILE or SSL_CERT_DIR names certificates that cannot be read: correct it."
    except (httpx.InvalidURL, ValueError):
        said = (
            f"{_PROXY_VARIABLES} holds an address that cannot be used: write it as "
            "http://host:port, or unset the variable."
        )
    else:
        return
    raise ConfigurationError(said)


_PROXY_VARIABLES = "A proxy variable (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY)"


def _proxies() -> dict[str, str]:
    return urllib.request.getproxies()


class _NoCookies(CookieJar):
    """Stay empty: a cookie of one model's is not for the next one."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep none, without parsing the headers of every response."""


def _aiohttp_transport(settings: _Settings) -> httpx.AsyncBaseTransport:
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0, keepalive_timeout=_LIMITS.keepalive_expiry, ssl=settings.tls()
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(client=session, proxy=_proxy_for(settings))


def environment_proxy(url: httpx.URL) -> str | None:
    """Return the environment's proxy for a server, as httpx finds it for its own transport.

    Args:
        url: An address of the server.
    """
    if is_loopback(url.host) or urllib.request.proxy_bypass(url.netloc.decode("ascii")):
        return None
    proxies = _proxies()
    address = proxies.get(url.scheme) or proxies.get("all")
    if not address:
        return None
    with _unusable_environment():
        address = address if "://" in address else f"http://{address}"
        httpx.Proxy(address)
    return address


def _proxy_for(settings: _Settings) -> httpx.Proxy | None:
    address = environment_proxy(httpx.URL(settings.origin))
    return httpx.Proxy(address) if address else None


# --- what all models share --------------------------------------------------------------------


_lock = threading.RLock()  # the garbage collector may close another model meanwhile
_threads: _Place[_SharedSync] = _Place()
_loops: dict[_Loop, _Place[_SharedAsync]] = {}
_abandoned: deque[dict[Any, Any]] = deque()  # what models had joined that were collected
_inherited: list[object] = []
_is_exiting = False


def _maker_of_clients() -> tuple[object, ...]:
    """Return what makes httpx's clients: mocks and tracers that replace it see the next request."""
    return httpx.Client, httpx.Client.__init__, httpx.AsyncClient, httpx.AsyncClient.__init__


def _forget_abandoned() -> None:
    """Count out the models that were garbage-collected: their finalizers wait for no lock."""
    with contextlib.suppress(IndexError):
        while True:
            for shared in _abandoned.popleft().values():
                shared.models -= 1


def _place_of(loop: _Loop) -> _Place[_SharedAsync]:
    if loop not in _loops:
        for other in [one for one in _loops if one.is_closed()]:
            del _loops[other]
        _loops[loop] = _Place()
        _close_before(loop)
    return _loops[loop]


def _close_before(loop: _Loop) -> None:
    """Let a loop close its clients just before it is closed itself.

    A connection of asyncio's can be closed only while its loop can still run, and a loop tells
    nobody that it is about to be closed: ``asyncio.run`` shuts down async generators, which could
    watch for that, but other callers do not.
    """
    close = loop.close

    def close_clients_first() -> None:
        try:
            if not (loop.is_closed() or loop.is_running() or _in_a_running_loop()):
                with _lock:
                    place = _loops.pop(loop, None)
                if place is not None:
                    loop.run_until_complete(_close_place(place))
        finally:
            close()

    with contextlib.suppress(AttributeError):  # a loop that takes no attributes
        loop.close = close_clients_first  # type: ignore[method-assign]


def _in_a_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _close_place(place: _Place[_SharedAsync]) -> None:
    for shared in [*place.take_discarded(), *place.clients]:
        await shared.client.aclose()


@atexit.register
def _close_at_exit() -> None:
    """Close what no call uses; what is opened from now on is closed after one call."""
    global _is_exiting
    with _lock:
        _is_exiting = True
        clients = list(_threads.clients)
        for shared in clients:
            shared.is_ending = True
    for shared in clients:
        if not shared.calls:
            shared.client.close()


def _after_fork() -> None:
    """Leave the parent process its connections, and begin with none."""
    global _lock, _threads, _loops
    _inherited.extend((_threads, _loops))  # to collect them would warn that they are open
    _lock, _threads, _loops = threading.RLock(), _Place(), {}
    _abandoned.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
