"""An instance that was used goes on in other processes, however it gets there."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from monster_emulator import Emulator
from tests.endurance.children import ask_all_ways, forked
from tests.endurance.models import MODELS, Model, piece_of

CHILDREN = 3

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
# Python 3.12 warns of every fork beside threads; the emulator of these tests is one
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture
def used(model: Model) -> Model:
    """Return a model that has answered calls and streams, without and with async."""
    assert ask_all_ways(model, "before") == "before"
    return model


@pytest.fixture
def both_used(emulator: Emulator) -> Iterator[list[Model]]:
    """Return a model of each framework, used; starting a process costs more than asking it."""
    models = [make(emulator.base_url) for make in MODELS]
    assert [ask_all_ways(model, "before") for model in models] == ["before", "before"]
    yield models
    for model in models:
        model.llm.close()


@needs_fork
def test_forked_children(used: Model) -> None:
    names = [f"child-{place}" for place in range(CHILDREN)]
    waits = [forked(lambda name=name: ask_all_ways(used, name)) for name in names]  # type: ignore[misc]
    mine = ask_all_ways(used, "parent")
    assert [wait() for wait in waits] == names
    assert mine == "parent"
    assert ask_all_ways(used, "after") == "after"


@needs_fork
async def test_forking_while_a_loop_runs(model: Model) -> None:
    """The child, which must leave the parent's loop alone, asks from a thread of its own."""
    assert await model.aask("Repeat: before") == "before"

    def work(name: str) -> str:
        said: list[str] = []
        thread = threading.Thread(target=lambda: said.append(ask_all_ways(model, name)))
        thread.start()
        thread.join(20)
        return "".join(said) or "nothing"

    names = [f"child-{place}" for place in range(CHILDREN)]
    waits = [forked(lambda name=name: work(name)) for name in names]  # type: ignore[misc]
    assert await model.aask("Repeat: parent") == "parent"
    assert [await asyncio.to_thread(wait) for wait in waits] == names
    await model.llm.aclose()


@needs_fork
def test_forking_while_another_thread_is_in_a_stream(used: Model, emulator: Emulator) -> None:
    emulator.pace = 0.01
    begun, texts = threading.Event(), []

    def read() -> None:
        pieces = []
        for item in used.stream("Count to 40"):
            pieces.append(piece_of(item))
            begun.set()
        texts.append("".join(pieces))

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(10)
    waits = [
        forked(lambda place=place: ask_all_ways(used, f"child-{place}"))  # type: ignore[misc]
        for place in range(CHILDREN)
    ]
    assert [wait() for wait in waits] == [f"child-{place}" for place in range(CHILDREN)]
    reader.join(30)
    assert texts == [", ".join(str(number) for number in range(1, 41))]


@needs_fork
def test_a_child_that_drops_the_instance_leaves_the_parents_stream_alone(
    used: Model, emulator: Emulator
) -> None:
    emulator.pace = 0.01
    stream = used.stream("Count to 40")
    first = piece_of(next(stream))

    def drop() -> str:
        used.llm.close()
        asyncio.run(used.llm.aclose())
        return "dropped"

    assert forked(drop)() == "dropped"
    rest = "".join(piece_of(item) for item in stream)
    assert (first + rest).endswith("39, 40")


@needs_fork
def test_forking_while_other_threads_make_their_first_call(
    make: type[Model], emulator: Emulator
) -> None:
    """A lock that is held while the process forks must not be held for ever in the child."""
    for round_ in range(5):
        model = make(emulator.base_url)
        threads = [
            threading.Thread(target=model.ask, args=(f"Repeat: {place}",)) for place in range(8)
        ]
        for thread in threads:
            thread.start()
        wait = forked(lambda model=model: model.ask("Repeat: child"))  # type: ignore[misc]
        for thread in threads:
            thread.join()
        assert wait() == "child", round_
        model.llm.close()


@needs_fork
def test_workers_forked_from_a_server_that_loaded_the_model_first(used: Model) -> None:
    """Load in the parent, fork workers, which fork again: as preloading web servers do."""

    def worker(name: str) -> str:
        said = [ask_all_ways(used, name), forked(lambda: ask_all_ways(used, f"{name}-again"))()]
        return " ".join(said)

    waits = [forked(lambda place=place: worker(f"w{place}")) for place in range(3)]  # type: ignore[misc]
    assert [wait() for wait in waits] == [f"w{place} w{place}-again" for place in range(3)]


def test_a_spawned_child(both_used: list[Model]) -> None:
    context = multiprocessing.get_context("spawn")
    names = ["langchain", "llama_index"]
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert list(pool.map(ask_all_ways, both_used, names)) == names


@needs_fork
def test_a_pool_of_forked_workers(used: Model) -> None:
    names = [f"task-{place}" for place in range(12)]
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.starmap(ask_all_ways, [(used, name) for name in names]) == names


def by_cloudpickle(model: Model) -> Any:
    cloudpickle = pytest.importorskip("cloudpickle")
    return pickle.loads(cloudpickle.dumps(model))


@pytest.mark.parametrize(
    "copied",
    [lambda model: pickle.loads(pickle.dumps(model)), by_cloudpickle, copy.deepcopy, copy.copy],
    ids=["pickle", "cloudpickle", "deepcopy", "copy"],
)
def test_a_copy_after_use_has_connections_of_its_own(
    used: Model, copied: Callable[[Model], Model]
) -> None:
    other = copied(used)
    used.llm.close()
    assert ask_all_ways(other, "copy") == "copy"
    assert ask_all_ways(used, "original") == "original"
    other.llm.close()


def test_a_copy_in_mid_stream_leaves_the_stream_alone(used: Model) -> None:
    stream = used.stream("Repeat: whole")
    first = piece_of(next(stream))
    other = copy.deepcopy(used)
    assert other.ask("Repeat: copy") == "copy"
    other.llm.close()
    assert first + "".join(map(piece_of, stream)) == "whole"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_workers(both_used: list[Model]) -> None:
    ray = pytest.importorskip("ray", reason="pip install --group distributed")
    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
    try:
        ask = ray.remote(ask_all_ways)
        for model in both_used:
            held = ray.put(model)
            names = [f"task-{place}" for place in range(6)]
            assert ray.get([ask.remote(held, name) for name in names], timeout=120) == names
            assert ask_all_ways(model, "driver") == "driver"
    finally:
        ray.shutdown()
