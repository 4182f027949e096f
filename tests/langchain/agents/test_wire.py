"""What the tests send is what a real vLLM 0.5.0 server takes."""

from __future__ import annotations

from tests.conftest import CASSETTES
from tests.recording_store import interactions_in

REFUSED = (b"does not exist", b"maximum context length", b"is not multimodal")
"""What the tests of refusals are answered with."""


def test_the_server_took_every_recorded_request_but_those_of_refusals() -> None:
    recorded = interactions_in(CASSETTES / "vllm-0.5.0")
    refused = {
        f"{request.recorded_in.name}: {reply['body']['string']!r}"
        for request, reply in recorded
        if reply["status"]["code"] != 200
        and not any(said in reply["body"]["string"] for said in REFUSED)
    }
    assert refused == set()
    assert len(recorded) > 300
