"""Findings: what chooses them in the URL chooses them, and the command and the exports say the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.stores.fleet import observed, pod, rules

from bartizan.plane.pages.findings import command_of, exports_of, wanted_of
from bartizan.stores.queries import findings
from bartizan.stores.queries.pages import Page
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.site import Site

_ROW = re.compile(r'<a href="/findings/(\d+)"><span class="clip"><bdi>([^<]*)')


def shown(page: str) -> list[str]:
    """What the findings on a page say."""
    return [message for _, message in _ROW.findall(page)]


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("", ["roots is bad", "latest is bad"]),
        ("severity=high", ["roots is bad"]),
        ("most=medium", ["latest is bad"]),
        ("severity=low&most=low", []),
        ("cluster=two&rule=roots", ["roots is bad"]),
        ("namespace=batch", ["roots is bad", "latest is bad"]),
        ("team=data&state=waived", ["probes is bad"]),
        ("state=fixed", ["latest is bad"]),
        ("kind=Deployment", []),
        ("kind=Pod&cluster=two", ["roots is bad", "latest is bad"]),
        ("namespace=-", []),
    ],
)
def test_what_is_asked_for_is_shown(
    signed_in: Callable[..., Browser], site: Site, world: World, query: str, messages: list[str]
) -> None:
    del world
    chosen = dict(parse_qsl(query))
    with site.store.reading() as connection:
        found = findings.findings(connection, EVERYTHING, wanted_of(chosen), Page(100)).rows
    page = signed_in().get(f"/findings?{query}")
    assert shown(page) == [one.message for one in found]
    assert set(shown(page)) == set(messages)


@pytest.mark.parametrize(
    "query",
    [
        "severity=worst",
        "state=lost",
        "resource=-1",
        "resource=99999999999999999999",
        "resource=%C2%B2",
        "after=no-such-place",
    ],
)
def test_what_cannot_be_meant_is_refused(signed_in: Callable[..., Browser], world: World, query: str) -> None:
    del world
    signed_in().get(f"/findings?{query}", 400)


def test_pages_follow_each_other_and_none_is_shown_twice(signed_in: Callable[..., Browser], world: World) -> None:
    asked = rules("roots:critical", "latest:medium", "probes:low")
    world.keep(asked, *(observed(pod(f"web-{n}"), asked, "fff") for n in range(60)), cluster="two", hours=31)
    browser, seen, path = signed_in(), [], "/findings?cluster=two&most=medium"
    while path:
        page = browser.get(path)
        seen += [number for number, _ in _ROW.findall(page)]
        link = re.search(r'<a href="([^"]+)" rel="next">', page)
        path = link[1].replace("&amp;", "&") if link else ""
    assert len(seen) == len(set(seen)) == 121


@pytest.mark.parametrize(
    ("query", "command", "chosen"),
    [
        ({}, "", []),
        (
            {"cluster": "a b", "severity": "high", "rule": "x/y;z", "after": "here", "team": ""},
            " --cluster 'a b' --rule 'x/y;z' --severity high",
            [("cluster", "a b"), ("rule", "x/y;z"), ("severity", "high")],
        ),
        (
            {"namespace": "-", "state": "waived"},
            " --namespace - --state waived",
            [("namespace", "-"), ("state", "waived")],
        ),
        (
            {"state": "any", "most": "low"},
            " --most low --state open --state waived --state fixed --state gone",
            [("most", "low"), *(("state", state) for state in ("open", "waived", "fixed", "gone"))],
        ),
    ],
)
def test_the_command_and_the_exports_choose_as_the_page_does(
    query: dict[str, str], command: str, chosen: list[tuple[str, str]]
) -> None:
    assert command_of(query) == f"bartizan fleet findings{command}"
    for name, link in exports_of(query):
        assert parse_qsl(urlsplit(link).query, keep_blank_values=True) == [("format", name.lower()), *chosen]


def test_a_team_sees_its_own_and_nothing_by_number(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    everybody, data = signed_in(), signed_in("viewer", Grant(teams=("data",)))
    every = {number for number, _ in _ROW.findall(everybody.get("/findings?state=any"))}
    own = {number for number, _ in _ROW.findall(data.get("/findings?state=any"))}
    assert own
    assert own < every
    for number in every:
        data.get(f"/findings/{number}", 200 if number in own else 404)


@pytest.mark.parametrize(
    "path", ["/findings/99999", "/findings/99999999999999999999999", "/resources/99999999999999999999"]
)
def test_what_is_not_there_is_said_to_be_so(signed_in: Callable[..., Browser], world: World, path: str) -> None:
    del world
    assert "there is no" in signed_in().get(path, 404)
