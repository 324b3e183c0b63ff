"""A policy tried by hand: as it is typed in the playground, and over the fleet as a what-if; and a waiver's preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.plane.browser.test_every_page import _too_wide as too_wide
from tests.plane.pages.test_playground import OBJECT, POLICY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.plane.browser.conftest import Visit

pytestmark = pytest.mark.xdist_group("chromium")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_playground_answers_as_one_types(visit: Callable[..., Visit], theme: str) -> None:
    visited = visit("/playground", theme)
    page = visited.page
    page.fill("#policy", POLICY)
    page.fill("#object", OBJECT)
    page.wait_for_selector("#result .row.marked", timeout=30_000)
    assert "image: nginx" in page.inner_text("#result .row.marked")
    assert page.input_value("#policy") == POLICY
    assert visited.objections() == []
    page.fill("#object", OBJECT.replace("nginx", "nginx:1"))
    page.wait_for_selector("#result .tag-good", timeout=30_000)
    assert page.locator("#result .row.marked").count() == 0
    assert visited.complaints == []


def test_an_object_is_found_and_picked_while_the_policy_stays(visit: Callable[..., Visit]) -> None:
    page = visit("/playground").page
    page.fill("#policy", POLICY)
    page.locator("#q").press_sequentially("web")
    page.locator("#hits button").first.click(timeout=30_000)
    page.wait_for_selector("#result .source .row", timeout=30_000)
    assert page.input_value("#policy") == POLICY
    assert "kind:" in page.input_value("#object")


def test_the_playground_answers_without_a_script(visit: Callable[..., Visit]) -> None:
    page = visit("/playground", javascript=False).page
    page.fill("#policy", POLICY)
    page.fill("#object", OBJECT)
    page.get_by_role("button", name="Try", exact=True).click()
    assert "image: nginx" in page.inner_text("#result .row.marked")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_what_if_tells_how_far_it_is_until_it_is_done(
    visit: Callable[..., Visit], theme: str, tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY.replace('"*:*"', '"registry.example/*"'))
    visited = visit("/what-if", theme)
    page = visited.page
    page.set_input_files("#file", file)
    page.wait_for_function("document.getElementById('policy').value.includes('registry.example')")
    page.get_by_role("button", name="Judge everything").click()
    page.wait_for_selector("#job .tag-good", timeout=60_000)
    assert page.locator("#job[hx-trigger]").count() == 0
    assert page.locator("#job tbody tr").count() > 1
    assert visited.objections() == []
    assert visited.complaints == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, too_wide(page, 360)


def test_a_waiver_shows_what_it_would_cover_as_it_is_written(visit: Callable[..., Visit]) -> None:
    page = visit("/waivers/new").page
    page.fill("#policy", "privilege-escalation")
    page.wait_for_selector("#preview tbody tr", timeout=10_000)
    before = page.inner_text("#preview strong")
    page.select_option("#cluster", "production-eu")
    page.wait_for_function(
        "before => document.querySelector('#preview strong').innerText !== before", arg=before, timeout=10_000
    )
    assert page.input_value("#policy") == "privilege-escalation"
