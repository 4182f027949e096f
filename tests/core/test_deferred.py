"""A class whose schema waits for its first use is whole for every thread."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from monster_core.deferred import built


def test_threads_that_are_first_together_meet_a_whole_class() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):

            class Parent(BaseModel):
                number: int = 0

            class Waiting(Parent):
                model_config = ConfigDict(defer_build=True, extra="forbid")
                text: str

            start = Barrier(8)

            def validate(_: int, start: Barrier = start, kind: type[Waiting] = Waiting) -> str:
                start.wait()
                return built(kind).model_validate({"text": "a"}).text

            with ThreadPoolExecutor(8) as pool:
                assert set(pool.map(validate, range(8))) == {"a"}
            with pytest.raises(ValidationError):
                built(Waiting).model_validate({"number": 1})
    finally:
        sys.setswitchinterval(interval)
