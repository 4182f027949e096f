from __future__ import annotations

from tests.llama_index.toolbox import answered
from tests.recorded_endpoint import MODEL


def test_the_served_models_are_listed(calls, emulated_llm):
    [model] = answered(calls.is_async, emulated_llm, "models")
    assert (model.id, model.context_window) == (MODEL, 8192)
