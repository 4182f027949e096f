"""A changed setting holds from the next call on; what is under way ends as it began."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monster_core import errors
from monster_emulator import Emulator
from tests.endurance.models import Model, piece_of

QUESTION = "Count to 20"
ANSWER = ", ".join(map(str, range(1, 21)))


@pytest.fixture
def other() -> Iterator[Emulator]:
    """Run a second emulator, which takes another key."""
    with Emulator(api_key="sk-other") as running:
        yield running


def test_a_stream_goes_on_while_the_next_call_goes_elsewhere(
    model: Model, emulator: Emulator, other: Emulator
) -> None:
    emulator.pace = 0.01
    stream = model.stream(QUESTION)
    first = piece_of(next(stream))
    model.move(other.base_url, other.api_key)
    assert model.ask("Repeat: there") == "there"
    assert model.read("Repeat: there, too") == "there, too"
    assert first + "".join(map(piece_of, stream)) == ANSWER
    assert (len(emulator.requests), len(other.requests)) == (1, 2)


async def test_an_async_stream_goes_on_while_the_next_call_goes_elsewhere(
    model: Model, emulator: Emulator, other: Emulator
) -> None:
    emulator.pace = 0.01
    stream = await model.astream(QUESTION)
    first = piece_of(await anext(stream))
    model.move(other.base_url, other.api_key)
    assert await model.aask("Repeat: there") == "there"
    assert await model.aread("Repeat: there, too") == "there, too"
    assert first + "".join([piece_of(item) async for item in stream]) == ANSWER
    assert (len(emulator.requests), len(other.requests)) == (1, 2)
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
    emulator.pace = 0.01
    stream = make(emulator.base_url).stream(QUESTION)
    assert "".join(map(piece_of, stream)) == ANSWER
