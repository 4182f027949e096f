"""A changed setting holds from the next call on; what is under way ends as it began."""

from __future__ import annotations

import gc
import threading

import pytest

from monster_core import errors
from monster_emulator import Emulator
from tests.endurance.conftest import HalfRead, Serve, half_a_stream
from tests.endurance.models import Model, piece_of


def test_a_stream_goes_on_while_the_next_call_goes_elsewhere(
    half_read: HalfRead, emulator: Emulator
) -> None:
    model = half_read.model
    model.move(emulator.base_url, emulator.api_key)
    assert model.ask("Repeat: there") == "there"
    assert model.read("Repeat: there, too") == "there, too"
    assert half_read.rest() == "Hello"
    assert (len(half_read.server.received), len(emulator.requests)) == (1, 2)


async def test_an_async_stream_goes_on_while_the_next_call_goes_elsewhere(
    make: type[Model], serve: Serve, emulator: Emulator
) -> None:
    held = threading.Event()
    server = serve(half_a_stream(held))
    model = make(server.base_url, api_key="sk-other")
    stream = await model.astream("Hello")
    first = piece_of(await anext(stream))
    model.move(emulator.base_url, emulator.api_key)
    assert await model.aask("Repeat: there") == "there"
    assert await model.aread("Repeat: there, too") == "there, too"
    held.set()
    assert first + "".join([piece_of(item) async for item in stream]) == "Hello"
    assert (len(server.received), len(emulator.requests)) == (1, 2)
    await model.llm.aclose()


def test_a_new_key_is_used_by_the_next_call(model: Model, emulator: Emulator) -> None:
    model.llm.api_key = "sk-wrong"
    with pytest.raises(errors.AuthenticationError):
        model.ask("Repeat: no")
    model.llm.api_key = emulator.api_key
    assert model.ask("Repeat: yes") == "yes"


def test_a_stream_may_go_on_after_the_instance_is_dropped(
    make: type[Model], emulator: Emulator
) -> None:
    stream = make(emulator.base_url).stream("Repeat: whole")
    first = piece_of(next(stream))
    gc.collect()
    assert first + "".join(map(piece_of, stream)) == "whole"
