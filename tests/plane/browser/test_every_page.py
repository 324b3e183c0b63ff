"""What holds for every page: accessible in both themes, alone, light, readable without a script and on a phone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.conformance import ROOT
from tests.plane.browser.pages import PAGES, Shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page
    from tests.plane.browser.conftest import Looked, Served, Visit

pytestmark = pytest.mark.xdist_group("chromium")
_MOST_BYTES = 100_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_anybody(looked: Looked, theme: str) -> None:
    assert getattr(looked, theme).objections() == []


def test_a_first_visit_is_light_and_asks_nobody_else(looked: Looked, served: Served) -> None:
    visited = looked.light
    assert visited.complaints == []
    assert visited.hosts == {urlsplit(served.url).netloc}
    assert 1_000 < visited.bytes_sent <= _MOST_BYTES


def test_it_reads_without_a_script(looked: Looked) -> None:
    plain, scripted = looked.plain.page, looked.light.page
    for what in ("h1, h2, h3", "tbody tr", "dl > div, dl > dt"):
        assert _texts(plain, what) == _texts(scripted, what)
    assert _texts(plain, "h1")


@pytest.mark.parametrize("width", [360, 768])
def test_it_fits_a_narrow_screen(looked: Looked, width: int) -> None:
    page = looked.dark.page
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width, _too_wide(page, width)


def test_the_first_tab_skips_to_the_content(looked: Looked) -> None:
    page = looked.light.page
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("shown", [one for one in PAGES if one.picture], ids=lambda shown: shown.picture)
def test_its_picture_is_taken(visit: Callable[..., Visit], shown: Shown, tmp_path: Path) -> None:
    """With BARTIZAN_SCREENSHOTS=1 the docs' pictures are written anew."""
    folder = ROOT / "docs" / "images" if os.environ.get("BARTIZAN_SCREENSHOTS") else tmp_path
    folder.mkdir(exist_ok=True)
    visit(shown.path).page.screenshot(path=folder / f"{shown.picture}.png")
    assert (folder / f"{shown.picture}.png").stat().st_size > 0


def _texts(page: Page, what: str) -> list[str]:
    return page.locator(what).all_inner_texts()


def _too_wide(page: Page, width: int) -> list[str]:
    """The elements that are to blame."""
    found: list[str] = page.evaluate(
        "width => [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > width + 1"
        " && !e.closest('.scroll, pre, nav')).map(e => e.outerHTML.slice(0, 120)).slice(0, 5)",
        width,
    )
    return found
