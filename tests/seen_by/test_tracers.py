"""Tracers see a span for each request, and their headers reach the endpoint.

OpenTelemetry's and Sentry's instrumentations replace methods of httpx's classes: they see requests
over connections that were open before they began. They install beside each other and beside
everything else in the group ``test`` of pyproject.toml.

ddtrace, New Relic's agent and Elastic APM instrument a whole process for good, and so were tried by
hand, in processes of their own: docs/observability.md says what they see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sentry_sdk
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.transport import Transport

from monster_core.errors import MonsterError
from tests.core.scripted_server import Reply, ScriptedServer, reply
from tests.seen_by.ways import EVERY_WAY, KEY, TEXT, Way

Serve = Callable[[Reply], ScriptedServer]
IS_OPEN = pytest.mark.parametrize("is_open", [False, True], ids=["first call", "open connection"])


@pytest.fixture
def instrument() -> Iterator[Callable[[], InMemorySpanExporter]]:
    """Begin to trace with OpenTelemetry."""
    exporter = InMemorySpanExporter()

    def begin() -> InMemorySpanExporter:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        HTTPXClientInstrumentor().instrument(tracer_provider=provider)
        return exporter

    yield begin
    HTTPXClientInstrumentor().uninstrument()


@EVERY_WAY
@IS_OPEN
async def test_opentelemetry_sees_a_span_and_the_endpoint_its_header(
    way: Way, is_open: bool, serve: Serve, instrument: Callable[[], InMemorySpanExporter]
) -> None:
    server = serve(way.served())
    model = way.make(base_url=server.base_url)
    if is_open:
        await way.ask(model)
    spans = instrument()
    assert await way.ask(model) == TEXT
    (span,) = spans.get_finished_spans()
    assert span.kind is SpanKind.CLIENT
    assert span.context is not None
    assert span.attributes is not None
    assert span.attributes["http.url"] == f"{server.base_url}/chat/completions"
    assert span.attributes["http.status_code"] == 200
    assert KEY not in span.to_json()
    traced = [one.headers.get("traceparent", "").split("-")[1:3] for one in server.received]
    ids = [f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"]
    assert traced == [*([[]] if is_open else []), ids]
    assert server.connections == 1


@EVERY_WAY
async def test_opentelemetry_sees_that_a_request_failed(
    way: Way, serve: Serve, instrument: Callable[[], InMemorySpanExporter]
) -> None:
    server = serve(reply(503, "down"))
    spans = instrument()
    with pytest.raises(MonsterError, match="down"):
        await way.ask(way.make(base_url=server.base_url))
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR


class _KeptInMemory(Transport):
    """Keep what Sentry would send."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.envelopes: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.envelopes.append(envelope)


@pytest.fixture
def start_sentry() -> Iterator[Callable[[], _KeptInMemory]]:
    """Begin to trace with Sentry.

    Its integration stays in place for the rest of the process, and does nothing once the client
    that it belongs to is closed.
    """
    kept = _KeptInMemory()

    def begin() -> _KeptInMemory:
        sentry_sdk.init(
            dsn="https://public@sentry.example/1",
            transport=kept,
            traces_sample_rate=1.0,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[HttpxIntegration()],
        )
        return kept

    yield begin
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.init(dsn="", default_integrations=False, auto_enabling_integrations=False)


@EVERY_WAY
@IS_OPEN
async def test_sentry_sees_a_span_and_the_endpoint_its_header(
    way: Way, is_open: bool, serve: Serve, start_sentry: Callable[[], _KeptInMemory]
) -> None:
    server = serve(way.served())
    model = way.make(base_url=server.base_url)
    if is_open:
        await way.ask(model)
    kept = start_sentry()
    with sentry_sdk.start_transaction(name="ask", op="test") as transaction:
        assert await way.ask(model) == TEXT
    (envelope,) = kept.envelopes
    event = envelope.get_transaction_event()
    (span,) = event["spans"]
    assert span["op"] == "http.client"
    assert span["data"]["http.response.status_code"] == 200
    assert KEY not in str(event)
    traced = [one.headers.get("sentry-trace", "").split("-")[:2] for one in server.received]
    assert traced == [*([[""]] if is_open else []), [transaction.trace_id, span["span_id"]]]
    assert server.connections == 1
