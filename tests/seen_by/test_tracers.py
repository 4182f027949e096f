"""Tracers see a span for each request, and their headers reach the endpoint.

What ddtrace, New Relic and Elastic APM see was looked at by hand: docs/observability.md says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.transport import Transport

from monster_emulator import Emulator
from tests.seen_by.ways import EVERY_WAY, Way


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    yield exporter
    HTTPXClientInstrumentor().uninstrument()


@EVERY_WAY
async def test_opentelemetry_sees_a_span_and_tells_the_endpoint(
    ask: Way, is_stream: bool, spans: InMemorySpanExporter
) -> None:
    with Emulator() as emulator:
        assert await ask(base_url=emulator.base_url, api_key=emulator.api_key)
        (headers,) = [request.headers for request in emulator.requests]
    (span,) = spans.get_finished_spans()
    assert span.kind.name == "CLIENT"
    assert span.context is not None
    assert headers["traceparent"].split("-")[1] == f"{span.context.trace_id:032x}"


@EVERY_WAY
async def test_opentelemetry_sees_a_model_whose_connections_are_older(
    ask: Way, is_stream: bool, request: pytest.FixtureRequest
) -> None:
    with Emulator() as emulator:
        where: dict[str, Any] = {"base_url": emulator.base_url, "api_key": emulator.api_key}
        await ask(**where)
        spans: InMemorySpanExporter = request.getfixturevalue("spans")
        await ask(**where)
        assert len(spans.get_finished_spans()) == 1
        assert ["traceparent" in one.headers for one in emulator.requests] == [False, True]


class _KeptInMemory(Transport):
    """Keep what Sentry would send."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.envelopes: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.envelopes.append(envelope)


@pytest.fixture
def sentry() -> Iterator[_KeptInMemory]:
    kept = _KeptInMemory()
    sentry_sdk.init(
        dsn="https://public@sentry.example/1",
        transport=kept,
        traces_sample_rate=1.0,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[HttpxIntegration()],
    )
    yield kept
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.init(dsn="", default_integrations=False, auto_enabling_integrations=False)


@EVERY_WAY
async def test_sentry_sees_a_span_and_tells_the_endpoint(
    ask: Way, is_stream: bool, sentry: _KeptInMemory
) -> None:
    with Emulator() as emulator:
        with sentry_sdk.start_transaction(name="ask", op="test") as transaction:
            assert await ask(base_url=emulator.base_url, api_key=emulator.api_key)
        (headers,) = [request.headers for request in emulator.requests]
    assert headers["sentry-trace"].startswith(transaction.trace_id)
    (envelope,) = sentry.envelopes
    (span,) = envelope.get_transaction_event()["spans"]
    assert span["op"] == "http.client"
    assert emulator.api_key not in str(envelope.get_transaction_event())
