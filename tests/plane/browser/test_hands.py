"""What hands do: keys, typing in the search, the phone's thumb, and a database that goes away and comes back."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.plane.browser.seed import ODD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.plane.browser.conftest import Served, Visit

pytestmark = pytest.mark.xdist_group("chromium")


def test_a_slash_goes_to_the_search_and_types_nothing(visit: Callable[..., Visit]) -> None:
    page = visit("/").page
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("a/b?j")
    assert page.input_value("#search") == "a/b?j"


def test_j_and_k_walk_the_rows_and_enter_opens_one(visit: Callable[..., Visit]) -> None:
    page = visit("/").page
    names = page.locator("tr[data-row] th a").all_inner_texts()
    for key, expected in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        assert page.locator("tr.chosen th a").all_inner_texts() == [names[expected]]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/clusters/{names[1]}")


def test_j_goes_on_from_the_row_that_has_the_focus(visit: Callable[..., Visit]) -> None:
    page = visit("/findings").page
    page.locator("tr[data-row] th a").nth(3).focus()
    page.keyboard.press("j")
    assert (
        page.evaluate("[...document.querySelectorAll('tr[data-row]')].indexOf(document.querySelector('tr.chosen'))")
        == 4
    )


def test_a_question_mark_tells_the_keys_and_escape_closes_it(visit: Callable[..., Visit]) -> None:
    visited = visit("/")
    page = visited.page
    page.keyboard.press("?")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    assert visited.objections() == []
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_search_answers_as_one_types_and_the_address_follows(visit: Callable[..., Visit]) -> None:
    visited = visit("/search")
    page = visited.page
    page.keyboard.press("/")
    page.keyboard.type("web", delay=20)
    page.get_by_role("heading", name="Objects").wait_for()
    assert parse_qs(urlsplit(page.url).query)["q"] == ["web"]
    assert page.input_value("#search") == "web"
    assert page.locator("h1").all_inner_texts() == ["Search"]
    live = page.locator("#hits tbody tr").all_inner_texts()
    page.reload()
    assert page.locator("#hits tbody tr").all_inner_texts() == live
    assert visited.complaints == []


def test_a_command_is_copied(visit: Callable[..., Visit]) -> None:
    page = visit("/findings?cluster=staging&severity=high").page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copy").get_by_text("Copied").wait_for()
    said = page.evaluate("navigator.clipboard.readText()")
    assert said == "bartizan fleet findings --cluster staging --severity high"


def test_every_finding_of_an_object_is_marked_at_a_line(visit: Callable[..., Visit]) -> None:
    page = visit("/resources/{resource}").page
    listed = {link.get_attribute("href") for link in page.locator("tr[data-row] th a").all()}
    marked = {link.get_attribute("href") for link in page.locator(".source .said a").all()}
    assert marked
    assert marked <= listed
    assert page.locator(".source .row.marked").first.inner_text().strip()


def test_names_that_nobody_should_choose_are_words_and_nothing_else(visit: Callable[..., Visit]) -> None:
    visited = visit("/findings?cluster=odd")
    page = visited.page
    assert visited.complaints == []
    assert page.locator("main script, main img").count() == 0
    namespaces = page.locator("td:nth-child(5)").all_inner_texts()
    assert {"<script>alert(1)</script>", "{{ 7 * 7 }}", "../../etc/passwd?x=1#y"} <= set(namespaces)
    for name in (ODD[0], ODD[1], ODD[4], ODD[5]):
        link = page.locator("td:nth-child(5) a").get_by_text(name, exact=True).first
        with page.expect_navigation():
            link.click()
        assert page.locator("h1").inner_text() == name
        page.go_back()


def test_a_page_is_printed_with_all_that_it_says(visit: Callable[..., Visit]) -> None:
    page = visit("/resources/{resource}").page
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert page.locator(".source").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf(format="A4")) > 10_000


@contextmanager
def _away(served: Served) -> Iterator[None]:
    """The database cannot be opened for as long as the block lasts."""
    engine = served.world.site.store.engine
    file = Path(engine.url.database or "")
    hidden = file.with_suffix(".hidden")
    engine.dispose()
    file.rename(hidden)
    file.mkdir()
    try:
        yield
    finally:
        file.rmdir()
        hidden.rename(file)


def test_a_page_comes_back_by_itself_when_the_database_does(visit: Callable[..., Visit], served: Served) -> None:
    page = visit("/findings?rule=no-such-rule").page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.install()
    with _away(served):
        page.reload()
        assert page.locator("h1").inner_text() == "The database is away"
        assert page.get_by_role("link", name="Try again").get_attribute("href") == "/findings?rule=no-such-rule"
        asked.clear()
        with page.expect_response("**/findings?rule=no-such-rule") as answer:
            page.clock.run_for(5500)
        assert answer.value.status == 503
        assert page.locator("h1").inner_text() == "The database is away"
    page.clock.run_for(5500)
    page.get_by_role("heading", name="Findings").wait_for()
    assert {url for url in asked if "/assets/" not in url} == {f"{served.url}/findings?rule=no-such-rule"}
