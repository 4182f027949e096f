"""The workflows run commands that exist, on the Pythons that the package names."""

from __future__ import annotations

import re
import runpy
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS: dict[str, Any] = {
    path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yml"))
}
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


def commands(workflow: str) -> str:
    jobs = WORKFLOWS[workflow]["jobs"].values()
    return "\n".join(step.get("run", "") for job in jobs for step in job.get("steps", ()))


def test_every_python_that_the_package_names_is_tested() -> None:
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)
    assert WORKFLOWS["test"]["jobs"]["linux"]["strategy"]["matrix"]["python"] == named


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_what_a_workflow_runs_is_there(workflow: str) -> None:
    named = re.findall(r"(?:\.ci/|tests/)[\w/.]+", commands(workflow))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_may_only_read_and_ends_in_time(workflow: str) -> None:
    described = WORKFLOWS[workflow]
    assert described["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job or "uses" in job for job in described["jobs"].values())


def test_nothing_is_published_before_it_was_tested_and_built() -> None:
    jobs = WORKFLOWS["release"]["jobs"]
    assert jobs["publish"]["needs"] == ["test", "build"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}


CHANGELOG = "# Changelog\n\n## [1.2.3] - 2026-11-27\n\n- News.\n\n## [1.2.2] - 2026-01-01\n"
VERSION = '__version__ = "1.2.3"\n'


@pytest.mark.parametrize(
    "tag, version, changelog, said",
    [
        ("v1.2.3", VERSION, CHANGELOG, []),
        ("v1.2.4", VERSION, CHANGELOG, ["The tag is v1.2.4"]),
        ("v1.2.3", VERSION, CHANGELOG.replace("1.2.3", "1.2.4"), ["is 1.2.4, not 1.2.3"]),
        ("v1.2.3", VERSION, CHANGELOG.replace("2026-11-27", "unreleased"), ["write the day"]),
        ("v1.2.3", VERSION, "# Changelog\n", ["is none, not 1.2.3"]),
        ("main", "", CHANGELOG, ["The tag is main", "is 1.2.3, not ?"]),
    ],
)
def test_tag_version_and_changelog_must_agree(
    tag: str, version: str, changelog: str, said: list[str]
) -> None:
    problems = runpy.run_path(str(ROOT / ".ci" / "check_release.py"))["problems"]
    found = problems(tag, version, changelog)
    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))
