"""Instances that were used go on in other processes, however they get there."""

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
from tests.endurance.conftest import HalfRead
from tests.endurance.models import MODELS, Model

CHILDREN = ["child-0", "child-1"]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
# Python 3.12 warns of every fork beside threads; the emulator of these tests is one
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture
def models(emulator: Emulator) -> Iterator[list[Model]]:
    """Return a model of each framework: starting a process costs more than asking both."""
    made = [make(emulator.base_url) for make in MODELS]
    yield made
    for model in made:
        model.llm.close()


@pytest.fixture
def used(models: list[Model]) -> list[Model]:
    """Return models that have answered calls and streams, without and with async."""
    assert ask_all_ways(models, "before") == "before"
    return models


@needs_fork
def test_forked_children(used: list[Model]) -> None:
    wait = forked(lambda name: ask_all_ways(used, name), CHILDREN)
    mine = ask_all_ways(used, "parent")
    assert wait() == CHILDREN
    assert mine == "parent"
    assert ask_all_ways(used, "after") == "after"


@needs_fork
async def test_forking_while_a_loop_runs(models: list[Model]) -> None:
    """The child, which must leave the parent's loop alone, asks from a thread of its own."""
    for model in models:
        assert await model.aask("Repeat: before") == "before"

    def work(name: str) -> str:
        said: list[str] = []
        thread = threading.Thread(target=lambda: said.append(ask_all_ways(models, name)))
        thread.start()
        thread.join(20)
        return "".join(said) or "nothing"

    wait = forked(work, CHILDREN)
    for model in models:
        assert await model.aask("Repeat: parent") == "parent"
    assert await asyncio.to_thread(wait) == CHILDREN
    for model in models:
        await model.llm.aclose()


@needs_fork
def test_a_child_asks_while_the_parent_is_in_a_stream(
    half_read: HalfRead,
) -> None:
    model = half_read.model

    def work(_: str) -> str:
        return model.ask("Hello") + asyncio.run(model.aask("Hello"))

    assert forked(work, CHILDREN)() == ["otherother", "otherother"]
    assert half_read.rest() == "Hello"


@needs_fork
def test_a_child_that_drops_the_instance_leaves_the_parents_stream_alone(
    half_read: HalfRead,
) -> None:

    def drop(name: str) -> str:
        half_read.model.llm.close()
        asyncio.run(half_read.model.llm.aclose())
        return name

    assert forked(drop, CHILDREN)() == CHILDREN
    assert half_read.rest() == "Hello"


@needs_fork
def test_forking_while_other_threads_make_their_first_call(emulator: Emulator) -> None:
    """A lock that is held while the process forks must not be held for ever in the child."""
    for round_ in range(5):
        model = MODELS[round_ % 2](emulator.base_url)
        threads = [
            threading.Thread(target=model.ask, args=(f"Repeat: {place}",)) for place in range(8)
        ]
        for thread in threads:
            thread.start()
        wait = forked(lambda name, model=model: model.ask(f"Repeat: {name}"), ["child"])  # type: ignore[misc]
        for thread in threads:
            thread.join()
        assert wait() == ["child"], round_
        model.llm.close()


@needs_fork
def test_workers_forked_from_a_server_that_loaded_the_model_first(used: list[Model]) -> None:
    """Load in the parent, fork workers, which fork again: as preloading web servers do."""

    def worker(name: str) -> str:
        again = forked(lambda again: ask_all_ways(used, again), [f"{name}-again"])
        return " ".join([ask_all_ways(used, name), *again()])

    assert forked(worker, CHILDREN)() == [f"{name} {name}-again" for name in CHILDREN]


def test_a_spawned_child(used: list[Model]) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(ask_all_ways, used, "spawned").result() == "spawned"


@needs_fork
def test_a_pool_of_forked_workers(used: list[Model]) -> None:
    names = [f"task-{place}" for place in range(4)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
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
    used: list[Model], copied: Callable[[Model], Model]
) -> None:
    others = [copied(model) for model in used]
    for model in used:
        model.llm.close()
    assert ask_all_ways(others, "copy") == "copy"
    assert ask_all_ways(used, "original") == "original"
    for other in others:
        other.llm.close()


def test_a_copy_in_mid_stream_leaves_the_stream_alone(
    half_read: HalfRead,
) -> None:
    other = copy.deepcopy(half_read.model)
    assert other.ask("Hello") == "other"
    other.llm.close()
    assert half_read.rest() == "Hello"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_workers(used: list[Model]) -> None:
    ray = pytest.importorskip("ray", reason="pip install --group distributed")
    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
    try:
        ask = ray.remote(ask_all_ways)
        held = ray.put(used)
        names = [f"task-{place}" for place in range(6)]
        assert ray.get([ask.remote(held, name) for name in names], timeout=120) == names
        assert ask_all_ways(used, "driver") == "driver"
    finally:
        ray.shutdown()
