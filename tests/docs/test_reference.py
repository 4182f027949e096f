"""The pages that list settings, fields and errors list those of the code."""

from __future__ import annotations

import inspect
import re
import runpy

import pytest

from langchain_monster import ChatMonster
from llama_index_monster import MonsterLLM
from monster_core import errors
from monster_core.model_families import FAMILIES, family_of
from monster_core.settings import MonsterSettings
from tests.conftest import ROOT
from tests.docs.pages import PAGES

SETTINGS, FIELDS, ERRORS = (
    PAGES[name].read_text("utf-8") for name in ("settings", "request-fields", "errors")
)


def test_the_tables_of_arguments_are_up_to_date() -> None:
    documented = runpy.run_path(str(ROOT / "docs" / "request_fields.py"))["with_tables"](FIELDS)
    assert documented == FIELDS, "run: python docs/request_fields.py --write"


def test_every_variable_is_documented() -> None:
    variables = {f"MONSTER_{name.upper()}" for name in MonsterSettings.model_fields}
    assert set(re.findall(r"^\| `(MONSTER_\w+)`", SETTINGS, re.MULTILINE)) == variables


@pytest.mark.parametrize("model", [ChatMonster, MonsterLLM])
def test_every_documented_argument_exists(model: type) -> None:
    others = {
        ChatMonster: {"api_base", "async_http_client"},
        MonsterLLM: {"base_url", "http_async_client"},
    }
    arguments = re.findall(r"^\|.*?\|.*?\|", SETTINGS, re.MULTILINE)[2:]
    named = {name for row in arguments for name in re.findall(r"`([a-z_]+)`", row)}
    assert named - others[model] <= model.model_fields.keys()  # type: ignore[attr-defined]


def test_every_error_a_call_can_raise_is_documented() -> None:
    families = {"MonsterError", "TransportError", "StatusError"}
    kinds = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.MonsterError)
    }
    assert kinds - families - set(re.findall(r"`(\w+)`", ERRORS)) == set()


def test_every_family_is_documented() -> None:
    rows = re.findall(
        r"^\| `([\w.-]+)` \| (.+?) \| (\w+) \| (yes|no) \| (any|alternate) \| (.+?) \|$",
        PAGES["model-families"].read_text("utf-8"),
        re.MULTILINE,
    )
    assert {name for name, *_ in rows} == FAMILIES.keys()
    for name, names, tool_format, system, turns, window in rows:
        family = FAMILIES[name]
        assert tool_format == family.tool_format
        assert (system == "yes") is family.has_system_role
        assert (turns == "alternate") is family.must_alternate
        assert window == (f"{family.context_window:,}" if family.context_window else "not known")
        assert {family_of(one.strip()).name for one in names.split(",")} == {name}
