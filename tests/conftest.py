"""Give every test a closed network and an empty environment, and recorded tests their cassette."""

from __future__ import annotations

import gc
import importlib
import ipaddress
import os
import pkgutil
import re
import socket
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from coverage import Coverage
from vcr import VCR
from vcr.cassette import Cassette

from tests import cassette_playback as playback
from tests.cassette_format import CassetteFormat
from tests.recorded_endpoint import REPLAYED, Endpoint, keep_listed_headers
from tests.recording_store import RecordingStore, interactions_in

ROOT = Path(__file__).parent.parent
CASSETTES = ROOT / "cassettes"
LOOPBACK = ["127.0.0.1", "::1"]
OVER_AIOHTTP = {
    "tests.core.test_transport",
    "tests.endurance.test_cancellation",
}
"""The modules whose async tests show what a transport has to do: they run over aiohttp as well."""
REPEATING = {"benchmarks", "docs", "real_weights", "security", "seen_by", "todays_server"}
"""The folders whose tests run code that those of the other folders cover."""
PACKAGES = ("monster_core", "langchain_monster", "llama_index_monster", "monster_emulator")
LIBRARIES = ("langchain_core.language_models", "llama_index.core", "starlette", "uvicorn")
"""What our packages import that takes long."""
NAMED_ENDPOINT = Endpoint.from_environment()
"""The endpoint of the environment in which pytest was started: for recording and live tests."""
NAMED_SERVER = os.environ.get("MONSTER_SERVER") or "vllm-0.5"
"""Which server that endpoint is: only what belongs to it is recorded."""

UNUSED = pytest.StashKey[set[str]]()
PLAYED = pytest.StashKey[set[str]]()
"""The recordings that tests have used, each as its file and its place in the file."""

# how long an example takes depends on what else the machine does
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    max_examples=50,
    derandomize=bool(os.environ.get("CI")),  # the same examples for the same commit
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# by hand, after a change: pytest tests/security --hypothesis-profile=campaign
hypothesis.settings.register_profile(
    "campaign", hypothesis.settings.get_profile("suite"), max_examples=5_000
)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the suite run over either transport of async requests."""
    parser.addoption(
        "--async-transport",
        choices=["httpx", "aiohttp"],
        default="httpx",
        help="what models send async requests with (MONSTER_ASYNC_TRANSPORT)",
    )
    parser.addoption(
        "--without",
        default="",
        metavar="PACKAGES",
        help="leave out the files of tests that import one of these, separated by commas",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to record from nowhere."""
    config.stash[PLAYED] = set()
    if _is_recording(config) and NAMED_ENDPOINT is None:
        raise pytest.UsageError(_NO_ENDPOINT)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that need a package which is not to be had beside others' lowest versions."""
    packages = config.getoption("--without").replace(",", "|")
    if not packages or collection_path.suffix != ".py":
        return None
    needed = re.compile(rf"^\s*(?:from|import) (?:{packages})\b(?!_)", re.MULTILINE)
    return True if needed.search(collection_path.read_text("utf-8")) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat over aiohttp what shows that a transport does what it has to do."""
    is_usual = metafunc.config.getoption("--async-transport") == "httpx"
    if is_usual and metafunc.module.__name__ in OVER_AIOHTTP:
        metafunc.parametrize("async_transport", ["httpx", "aiohttp"], indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let tests connect to this machine only, live and recording ones anywhere.

    What takes down the server that is recorded from comes last. What repeats others is left out
    of coverage, which would double its time.
    """
    items[:] = [item for item in items if not _needs_no_aiohttp(item)]
    items.sort(key=lambda item: item.get_closest_marker("ends_the_server") is not None)
    for item in items:
        if REPEATING & {*item.nodeid.split("/")[:2]}:
            item.add_marker("no_cover")
        is_online = item.get_closest_marker("live") or (
            _is_recorded(item) and _is_recording(config)
        )
        mark = pytest.mark.enable_socket if is_online else pytest.mark.allow_hosts(LOOPBACK)
        item.add_marker(mark)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Measure what importing our packages covers, but neither libraries nor collecting.

    Coverage doubles the time of both, in each process of pytest-xdist that runs tests.
    """
    coverage = Coverage.current()
    if coverage is None or session.config.getoption("dist", default="no") != "no":
        return (yield)
    coverage.stop()
    _import(LIBRARIES)
    coverage.start()
    _import(_modules_of(PACKAGES))
    coverage.stop()
    try:
        return (yield)
    finally:
        coverage.start()


def pytest_collection_finish() -> None:
    """Leave what is imported out of garbage collection: many tests collect, and it is large."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Note which recordings a test has used, also one that is expected to fail."""
    try:
        return (yield)
    finally:
        cassette = getattr(item, "funcargs", {}).get("vcr")
        if cassette is not None:
            item.config.stash[PLAYED] |= playback.played(cassette)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of the whole suite that leaves recordings unused."""
    config = session.config
    if hasattr(config, "workeroutput"):  # a process of pytest-xdist: the main one decides
        config.workeroutput["played"] = sorted(config.stash[PLAYED])
    elif session.exitstatus == pytest.ExitCode.OK and _is_whole_suite(config):
        unused = playback.recordings(CASSETTES) - config.stash[PLAYED]
        if unused:
            config.stash[UNUSED] = unused
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_testnodedown(node: Any) -> None:
    """Collect what the processes of pytest-xdist have used."""
    node.config.stash[PLAYED] |= set(getattr(node, "workeroutput", {}).get("played", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the recordings that no test uses."""
    for one in sorted(terminalreporter.config.stash.get(UNUSED, ())):
        terminalreporter.write_line(f"FAILED no test uses the recording {one}: delete it", red=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say of a request that no cassette holds which key of its body differs."""
    report = yield
    drift = playback.find_drift(call.excinfo.value) if call.excinfo else None
    if drift is not None and report.failed:
        report.longrepr = playback.drift_message(drift.cassette, drift.failed_request)
    return report


def pytest_recording_configure(config: pytest.Config, vcr: VCR) -> None:
    """Write cassettes in this project's format, and match requests by their JSON."""
    secrets = [NAMED_ENDPOINT.api_key] if NAMED_ENDPOINT and _is_recording(config) else []
    vcr.register_serializer("yaml", CassetteFormat(secrets))
    vcr.register_persister(RecordingStore(CASSETTES, config.getoption("--record-mode")))
    vcr.register_matcher("same_request", playback.same_request)


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """Name the server that the tests of a module were recorded from."""
    return str(CASSETTES / "vllm-0.5.0")


@pytest.fixture(autouse=True)
def vcr(
    vcr: Cassette | None, vcr_cassette_dir: str, request: pytest.FixtureRequest
) -> Cassette | None:
    """Return the cassette of a recorded test, with all recordings of its server."""
    folder = Path(vcr_cassette_dir)
    if vcr is not None and folder.parent == CASSETTES and not _is_recording(request.config):
        vcr.data = interactions_in(folder)
    return vcr


@pytest.fixture
def vcr_config(endpoint: Endpoint) -> dict[str, Any]:
    """Match on method, path and JSON body; keep neither host nor key."""
    return {
        "match_on": ["same_request"],
        "before_record_request": endpoint.strip,
        "before_record_response": keep_listed_headers,
        "decode_compressed_response": True,
        "allow_playback_repeats": True,  # a recording serves every test that sends the request
    }


@pytest.fixture
def recorded_server() -> str:
    """Name the server that a test is recorded from, as the argument ``server`` does."""
    return "vllm-0.5"


@pytest.fixture
def endpoint(request: pytest.FixtureRequest, recorded_server: str) -> Endpoint:
    """Return the endpoint that a live or recording test talks to, else the placeholder."""
    is_recording = _is_recorded(request.node) and _is_recording(request.config)
    if not (request.node.get_closest_marker("live") or is_recording):
        return REPLAYED
    if NAMED_ENDPOINT is None:
        pytest.fail(_NO_ENDPOINT, pytrace=False)
    if is_recording and recorded_server != NAMED_SERVER:
        pytest.skip(f"recorded from another server: MONSTER_SERVER={recorded_server}")
    return NAMED_ENDPOINT


@pytest.fixture
def async_transport(request: pytest.FixtureRequest) -> str:
    """Name what models send async requests with."""
    given: str = getattr(request, "param", request.config.getoption("--async-transport"))
    return given


@pytest.fixture(autouse=True)
def environment(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: Endpoint,
    async_transport: str,
) -> None:
    """Hide the developer's settings; recorded and live tests find their endpoint's."""
    for name in list(os.environ):
        if name.startswith(("MONSTER_", "OPENAI_", "LANGCHAIN_", "LANGSMITH_", "LC_")) or (
            name.lower().endswith("_proxy")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MONSTER_ASYNC_TRANSPORT", async_transport)
    if _is_recorded(request.node) or request.node.get_closest_marker("live"):
        monkeypatch.setenv("MONSTER_API_BASE", endpoint.base_url)
        monkeypatch.setenv("MONSTER_API_KEY", endpoint.api_key)


@pytest.fixture(autouse=True)
def closed_name_service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look up no name but this machine's: asking for one would already leave it."""
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *args: Any, **options: Any) -> Any:
        if not _is_this_machine(host):
            pytest.fail(f"A test looked up {host!r}: tests reach this machine only.")
        return resolve(host, *args, **options)

    if not request.node.get_closest_marker("enable_socket"):
        monkeypatch.setattr(socket, "getaddrinfo", resolve_here)


_NO_ENDPOINT = (
    "Recording and live tests need an endpoint: set MONSTER_API_KEY, and MONSTER_API_BASE if it "
    "is not MonsterAPI's."
)


def _modules_of(packages: Iterable[str]) -> Iterator[str]:
    for package in packages:
        paths = importlib.import_module(package).__path__
        found = pkgutil.walk_packages(paths, f"{package}.")
        yield from (one.name for one in found if not one.name.endswith("__main__"))


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        importlib.import_module(module)


def _is_this_machine(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _needs_no_aiohttp(item: pytest.Item) -> bool:
    """Whether a test is sync that would be repeated over aiohttp."""
    case = getattr(item, "callspec", None)
    is_over_aiohttp = case is not None and case.params.get("async_transport") == "aiohttp"
    return is_over_aiohttp and "async" not in item.nodeid.lower()


def _is_recorded(item: pytest.Item) -> bool:
    return item.get_closest_marker("vcr") is not None


def _is_recording(config: pytest.Config) -> bool:
    return config.getoption("--record-mode") not in (None, "none")


def _is_whole_suite(config: pytest.Config) -> bool:
    everything = {ROOT, ROOT / "tests"}
    is_whole = all(Path(name).resolve() in everything for name in config.args)
    chosen = ("lf", "ff", "keyword", "collectonly")
    if any(config.getoption(name, default=False) for name in chosen):
        return False
    usual = config.getini("addopts")
    return is_whole and config.getoption("markexpr") == usual[usual.index("-m") + 1]
