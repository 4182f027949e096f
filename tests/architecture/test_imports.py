"""Imports point one way: adapters, then the core, then libraries."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from tests.architecture.source import ADAPTERS, PACKAGES, Import, Module, modules

FRAMEWORKS = {
    "langchain_monster": {"langchain", "langchain_core", "langgraph", "langsmith"},
    "llama_index_monster": {"llama_index", "llama_index_instrumentation", "workflows"},
}
OF_FRAMEWORKS = FRAMEWORKS["langchain_monster"] | FRAMEWORKS["llama_index_monster"]

FORBIDDEN = {
    "monster_core": OF_FRAMEWORKS | ADAPTERS | {"monster_emulator"},
    "langchain_monster": FRAMEWORKS["llama_index_monster"]
    | {"llama_index_monster", "monster_emulator", "httpx"},
    "llama_index_monster": FRAMEWORKS["langchain_monster"]
    | {"langchain_monster", "monster_emulator", "httpx"},
    "monster_emulator": OF_FRAMEWORKS | ADAPTERS | {"monster_core", "httpx"},
}


def package_of(module: Module) -> str:
    return module.name.partition(".")[0]


def imports_where(is_wrong: Callable[[Module, Import], bool]) -> list[str]:
    return [
        f"{module.name} imports {one.module}"
        for module in modules()
        for one in module.imports()
        if is_wrong(module, one)
    ]


def test_a_package_imports_only_what_stands_below_it() -> None:
    assert not imports_where(lambda module, one: one.package in FORBIDDEN[package_of(module)])


def test_httpx_waits_for_the_first_request() -> None:
    assert not imports_where(
        lambda module, one: (
            one.is_eager
            and one.package == "httpx"
            and not module.name.startswith(("monster_core.transport", "monster_core.doctor"))
        )
    )


def test_decisions_know_nothing_of_the_transport() -> None:
    connecting = ("monster_core.transport", "monster_core.model_", "monster_core.doctor")
    io = {"httpx", "socket", "ssl", "asyncio", "threading"}
    assert not imports_where(
        lambda module, one: (
            package_of(module) == "monster_core"
            and not module.name.startswith(connecting)
            and (one.package in io or one.module.startswith("monster_core.transport"))
        )
    )


def test_a_module_private_to_a_package_stays_there() -> None:
    assert not imports_where(
        lambda module, one: one.package in PACKAGES - {package_of(module)} and "._" in one.module
    )


def test_nothing_but_tests_and_examples_imports_the_emulator() -> None:
    assert not imports_where(
        lambda module, one: one.package == "monster_emulator" != package_of(module)
    )


def run(script: str) -> str:
    """Run a script in a process of its own and return what it prints."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


UNUSED = {
    "monster_core": [
        *("httpx", "pydantic", "jsonschema", "langchain_core", "llama_index"),
    ],
    "monster_emulator": ["starlette", "uvicorn", "monster_core", "langchain_core", "llama_index"],
}


@pytest.mark.parametrize("package", sorted(UNUSED))
def test_importing_a_package_loads_nothing_it_does_not_need_yet(package: str) -> None:
    loaded = run(f"import sys, {package}; print(*sys.modules)").split()
    assert not set(loaded) & set(UNUSED[package])


BASES = {
    "langchain_monster": "langchain_core.language_models.chat_models",
    "llama_index_monster": "llama_index.core.llms.function_calling",
}
CONSTRUCTED = {
    "langchain_monster": "from langchain_monster import ChatMonster as Model",
    "llama_index_monster": "from llama_index_monster import MonsterLLM as Model",
}


@pytest.mark.parametrize(
    "adapter, other",
    [("langchain_monster", "llama_index_monster"), ("llama_index_monster", "langchain_monster")],
)
def test_an_adapter_works_alone_and_loads_http_for_the_first_request(
    adapter: str, other: str
) -> None:
    missing = [other, "monster_emulator", *FRAMEWORKS[other], "starlette", "uvicorn"]
    run(
        f"""
        import socket, sys

        class NotInstalled:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {sorted(missing)!r}:
                    raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

        sys.meta_path.insert(0, NotInstalled())
        connect, opened = socket.socket.connect, []
        socket.socket.connect = lambda *to: (opened.append(to), connect(*to))

        import {BASES[adapter]}
        loaded_by_the_framework = set(sys.modules)
        {CONSTRUCTED[adapter]}
        model = Model(model="m", api_key="k", max_retries=0)
        setattr(model, model._base_url_field, "http://127.0.0.1:9/v1")
        loaded = sys.modules.keys() - loaded_by_the_framework
        assert not loaded & {{"httpx", "jsonschema", "tenacity", "monster_core.transport.client"}}
        assert not opened

        from monster_core.errors import ConnectionFailedError

        ask = getattr(model, "invoke", None) or model.complete
        try:
            ask("Hello")
        except ConnectionFailedError:
            pass
        assert opened
        """
    )
