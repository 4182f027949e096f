"""Links lead on: to pages of the site, and to files of this repository."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.docs.pages import DOCS, PAGES, REPOSITORY, SITE, links

OUTSIDE = {
    name: ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
}


def leads_nowhere(target: str) -> bool:
    """Whether a link into the site or the repository has no page or file."""
    address = target.partition("#")[0]
    if address.startswith(SITE):
        page = address.removeprefix(SITE).strip("/")
        return bool(page) and page not in PAGES
    if address.startswith(REPOSITORY):
        found = re.fullmatch(r"(?:blob|tree)/main/(.+)", address.removeprefix(REPOSITORY))
        return bool(found) and not (ROOT / found[1]).exists() if found else False
    return False


def test_links_of_pages_lead_to_pages_and_files() -> None:
    missing, outside = [], []
    for path in PAGES.values():
        for target in links(path):
            file = path.parent / target.partition("#")[0]
            if re.match(r"https?:|#|mailto:", target):
                continue
            missing += [] if file.exists() else [(path.name, target)]
            outside += [] if file.resolve().is_relative_to(DOCS) else [(path.name, target)]
    assert missing == []
    assert outside == [], "the site holds docs/ only: link to the repository's address"


def test_addresses_of_the_site_and_the_repository_lead_to_pages_and_files() -> None:
    pages = [*PAGES.values(), *OUTSIDE.values()]
    found = [(path.name, one) for path in pages for one in links(path) if leads_nowhere(one)]
    assert found == []


def test_links_of_the_project_page_are_absolute() -> None:
    assert [one for one in links(OUTSIDE["README.md"]) if not one.startswith("https://")] == []


def test_the_project_page_and_the_site_name_the_same_addresses() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    urls = re.findall(
        r'^\w+ = "(https://.+)"$', project.partition("[project.urls]")[2], re.MULTILINE
    )
    assert SITE in urls
    assert REPOSITORY.rstrip("/") in urls
    assert [url for url in urls if not url.startswith((SITE, REPOSITORY.rstrip("/")))] == []
    assert f'site_url = "{SITE}"' in (ROOT / "zensical.toml").read_text("utf-8")


def test_the_site_s_first_page_defines_every_link_of_the_readme() -> None:
    definition = re.compile(r"^\[([^\]]+)\]: ", re.MULTILINE)
    readme = definition.findall(OUTSIDE["README.md"].read_text("utf-8"))
    assert definition.findall(PAGES["index"].read_text("utf-8")) == readme


def test_the_navigation_holds_every_page() -> None:
    configuration = (ROOT / "zensical.toml").read_text("utf-8")
    named = re.findall(r'"([\w/.-]+)\.md"', configuration)
    assert sorted(named) == sorted(PAGES)
