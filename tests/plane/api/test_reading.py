"""What programs read: lists in pages, chosen as on the pages, told once, and never more than their person may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.stores.fleet import World, observed, pod, rules

from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.api.conftest import Program

    from bartizan.plane.site import Site

pytestmark = pytest.mark.usefixtures("world")


def followed(program: Program, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = program.send("GET", path, params={**query, **({"after": after} if after else {})})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        assert bool(page["next"]) == ("link" in answer.headers)
        if not page["next"]:
            return found
        assert answer.headers["link"].endswith('; rel="next"')
        assert program.client.get(answer.headers["link"].partition(">")[0][1:]).status_code == 200
        after = page["next"]


def test_pages_make_up_the_list(program: Callable[..., Program]) -> None:
    asking = program()
    for path in ("/findings", "/resources", "/clusters", "/clusters/one/namespaces", "/waivers"):
        whole = asking.get(path, limit=500)["items"]
        for limit in (1, 2, 3):
            assert followed(asking, path, limit=limit) == whole


CHOSEN: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, ["latest", "latest", "roots", "roots", "roots"]),
    ({"severity": "critical"}, ["roots", "roots", "roots"]),
    ({"cluster": "two"}, ["roots", "latest"]),
    ({"namespace": "batch"}, ["latest", "roots"]),
    ({"namespace": "-"}, []),
    ({"team": "-"}, []),
    ({"namespace": "", "team": "", "cluster": "two"}, ["latest", "roots"]),
    ({"severity": "medium", "most": "high"}, ["latest", "latest"]),
    ({"state": "any", "cluster": "two"}, ["latest", "roots"]),
    ({"team": "payments", "cluster": "one"}, ["roots"]),
    ({"rule": "latest"}, ["latest", "latest"]),
    ({"kind": "Pod", "cluster": "one"}, ["latest", "roots", "roots"]),
    ({"kind": "Node"}, []),
    ({"state": "fixed"}, ["latest"]),
    ({"state": ["waived", "fixed"], "cluster": "one"}, ["latest", "probes"]),
    ({"q": "latest bad"}, ["latest", "latest"]),
    ({"q": "%"}, []),
    ({"q": "' OR 1=1 --"}, []),
)


def test_findings_are_chosen_as_on_the_page(program: Callable[..., Program]) -> None:
    asking = program()
    for query, expected in CHOSEN:
        found = asking.get("/findings", **query)["items"]
        assert sorted(one["rule"] for one in found) == sorted(expected), query


def test_a_finding_tells_its_life(program: Callable[..., Program]) -> None:
    asking = program()
    fixed = asking.get("/findings", state="fixed")["items"][0]
    told = asking.get(f"/findings/{fixed['number']}")
    assert told["finding"] == fixed
    assert [step["change"] for step in told["history"]] == ["opened", "fixed"]


def test_an_object_is_told_with_all_verdicts(program: Callable[..., Program]) -> None:
    asking = program()
    job = asking.get("/resources", name="job", cluster="one")["items"][0]
    told = asking.get(f"/resources/{job['number']}")
    assert told["verdicts"] == {"roots": "fail", "latest": "fail", "probes": "waived"}
    assert told["body"]["metadata"]["name"] == "job"


def test_clusters_have_their_numbers(program: Callable[..., Program]) -> None:
    one = program().get("/clusters/one")
    assert one["score"]["pass_rate"] == {"exact": "8/19", "percent": "42.11"}
    assert one["counts"]["critical"]["failed"] == 2


def test_what_is_read_has_a_tag(program: Callable[..., Program]) -> None:
    asking = program()
    first = asking.send("GET", "/findings")
    tag = first.headers["etag"]
    assert tag.startswith('"')
    for again in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = asking.send("GET", "/findings", headers={"if-none-match": again})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    plain = asking.send("GET", "/findings", headers={"accept-encoding": "identity"})
    assert plain.headers["etag"] != tag
    assert asking.send("GET", "/findings", headers={"if-none-match": plain.headers["etag"]}).status_code == 304
    assert asking.send("GET", "/findings", headers={"if-none-match": '"other"'}).status_code == 200


REFUSED = (
    ("/findings?clustr=one", "Did you mean `cluster`?"),
    ("/findings?limit=501", "/api/v1/docs"),
    ("/findings?limit=0", "/api/v1/docs"),
    ("/findings?limit=many", "/api/v1/docs"),
    ("/findings?limit=1&limit=2", "Give it once."),
    ("/findings?severity=awful", "/api/v1/docs"),
    ("/findings?state=", "/api/v1/docs"),
    ("/findings?after=nowhere", "Begin with the first"),
    ("/clusters?after=WzFd", "Begin with the first"),
    ("/findings/0", "/api/v1/docs"),
    ("/findings/99999999999999999999", "/api/v1/docs"),
    ("/trends?since=2026-03-09&until=2026-03-01", "Give the earlier day"),
    ("/trends?since=2020-01-01", "400 days"),
    ("/trends?until=9999-12-31", "Today is"),
    ("/trends?until=0001-01-01&since=0001-01-02", "earlier day"),
    ("/search", "/api/v1/docs"),
    ("/search?q=", "/api/v1/docs"),
)


def test_what_is_not_as_it_must_be_is_refused(program: Callable[..., Program]) -> None:
    asking = program()
    for path, hint in REFUSED:
        answer = asking.send("GET", path)
        assert answer.status_code == 400, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 400
        assert hint in answer.json()["detail"], path


def test_what_is_not_there_is_said_so(program: Callable[..., Program]) -> None:
    asking = program()
    for path in (
        "/findings/999",
        "/resources/999",
        "/clusters/three",
        "/clusters/three/namespaces",
        "/findings?cluster=x%00y",
    ):
        assert asking.send("GET", path).status_code == 404


def test_a_program_sees_what_its_person_sees(program: Callable[..., Program]) -> None:
    everyone, team = program(), program("viewer", Grant(teams=("data",)))
    assert {one["team"] for one in team.get("/findings", state=["open", "waived"])["items"]} == {"data"}
    assert {one["team"] for one in team.get("/resources")["items"]} == {"data"}
    hidden = next(one for one in everyone.get("/findings")["items"] if one["team"] == "payments")
    assert team.send("GET", f"/findings/{hidden['number']}").status_code == 404
    assert team.send("GET", f"/resources/{hidden['resource']}").status_code == 404
    assert team.get("/search", q="web")["items"] == []
    only_one = program("viewer", Grant(clusters=("one",)))
    assert [one["name"] for one in only_one.get("/clusters")["items"]] == ["one"]
    assert only_one.send("GET", "/clusters/two").status_code == 404
    assert only_one.send("GET", "/trends?cluster=two").status_code == 404


def test_without_a_token_nothing_is_read(site: Site) -> None:
    from tests.plane.api.conftest import Program

    for token in ("", "wrong", "\N{LATIN SMALL LETTER E WITH ACUTE}"):
        answer = Program(site, "").send("GET", "/findings", headers={"authorization": f"Bearer {token}".encode()})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_method_that_is_not_there_says_which_are(program: Callable[..., Program]) -> None:
    answer = program().send("PATCH", "/waivers")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


HOSTILE = (
    "'; DROP TABLE finding; --",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "a\x1b[2Jb\x07",
    "\u202egnp.exe",
    "x" * 253,
    "../../etc/passwd",
    "%00%0d%0aSet-Cookie: x=1",
    "\ud800",
    "{{ 7 * 7 }}",
)


def test_hostile_names_are_only_names(world: World, program: Callable[..., Program]) -> None:
    asked = rules("roots:critical")
    for name in HOSTILE:
        world.keep(asked, observed(pod(name, name), asked, "f", name, message=name), cluster="one", hours=31)
    asking = program()
    found = asking.get("/findings", limit=500)["items"]
    told = {one["object"]["name"] for one in found}
    for name in HOSTILE:
        kept = name.encode("utf-8", "replace").decode()
        assert kept in told
        mine = asking.get("/findings", namespace=kept, team=kept)["items"]
        assert [one["object"]["name"] for one in mine] == [kept]
        asking.get("/search", q=kept[:200])
    assert asking.get("/clusters/one")["objects"] == 3 + len(HOSTILE)
