"""What programs change: once however often it is sent, only what their person may, and written down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from tests.plane.api.conftest import Program
from tests.stores.fleet import World, at

from bartizan.stores.schema import answer, audit, token, waiver
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser

    from bartizan.plane.site import Site

pytestmark = pytest.mark.usefixtures("world")

END = at(24 * 30).isoformat()
WAIVER: dict[str, Any] = {
    "selectors": {"cluster": "one", "namespace": "shop", "rule": "roots"},
    "reason": "a node agent",
    "ends_at": END,
}


def acts(site: Site) -> list[tuple[str, str, str]]:
    """Who did what to what, in order."""
    with site.store.reading() as connection:
        wanted = select(audit.c.actor, audit.c.action, audit.c.subject).order_by(audit.c.id)
        return [tuple(row) for row in connection.execute(wanted)]


def test_a_waiver_is_asked_for_decided_by_another_and_ended(site: Site, program: Callable[..., Program]) -> None:
    ann, bob = program("viewer", name="ann"), program("approver", name="bob")
    asked = ann.post("/waivers", WAIVER)
    assert (asked["state"], asked["asked_by"], asked["selectors"]["rule"]) == ("asked", "ann", "roots")
    path = f"/waivers/{asked['number']}"
    assert ann.send("POST", f"{path}/decision", json={"decision": "approved"}).status_code == 403
    decided = bob.post(f"{path}/decision", {"decision": "approved", "comment": "until the next release"}, 200)
    assert (decided["state"], decided["decided_by"], decided["comment"]) == (
        "approved",
        "bob",
        "until the next release",
    )
    assert bob.send("POST", f"{path}/decision", json={"decision": "refused"}).status_code == 409
    assert ann.send("POST", f"{path}/end").json()["state"] == "ended"
    assert ann.send("POST", f"{path}/end").json()["state"] == "ended"
    assert [act[1] for act in acts(site)] == ["waiver.asked", "waiver.approved", "waiver.ended"]


def test_nobody_decides_on_their_own_by_another_token(program: Callable[..., Program]) -> None:
    first, second = program("admin", name="ann"), program("admin", name="ann")
    number = first.post("/waivers", WAIVER)["number"]
    told = second.send("POST", f"/waivers/{number}/decision", json={"decision": "approved"})
    assert (told.status_code, told.json()["title"]) == (400, "who asks for a waiver cannot decide on it")


WITHIN: tuple[tuple[dict[str, str], int], ...] = (
    ({"cluster": "one", "namespace": "shop"}, 201),
    ({"namespace": "shop"}, 403),
    ({"cluster": "one", "rule": "roots"}, 403),
    ({"cluster": "two", "namespace": "shop"}, 403),
    ({"cluster": "one", "namespace": "batch"}, 403),
    ({"rule": "roots"}, 403),
)


def test_a_waiver_is_asked_for_within_what_one_sees(program: Callable[..., Program]) -> None:
    asking = program("viewer", Grant(clusters=("one",), namespaces=("shop",)))
    for selectors, status in WITHIN:
        answer = asking.send("POST", "/waivers", json={**WAIVER, "selectors": selectors})
        assert answer.status_code == status, selectors


def test_others_waivers_are_not_there(program: Callable[..., Program]) -> None:
    number = program().post("/waivers", WAIVER)["number"]
    other = program("approver", Grant(namespaces=("batch",)))
    assert other.get("/waivers")["items"] == []
    for method, path in (("GET", ""), ("POST", "/decision"), ("POST", "/end")):
        body = {"json": {"decision": "approved"}} if path == "/decision" else {}
        assert other.send(method, f"/waivers/{number}{path}", **body).status_code == 404


def test_a_change_sent_twice_is_done_once(site: Site, program: Callable[..., Program]) -> None:
    asking = program()
    sent = [asking.send("POST", "/waivers", json=WAIVER, headers={"idempotency-key": "k1"}) for _ in range(3)]
    assert {one.content for one in sent} == {sent[0].content}
    assert {one.status_code for one in sent} == {201}
    assert {one.headers["location"] for one in sent} == {f"/api/v1/waivers/{sent[0].json()['number']}"}
    assert [one.headers.get("idempotency-replayed") for one in sent] == [None, "true", "true"]
    assert len(asking.get("/waivers")["items"]) == 1
    assert len(acts(site)) == 1
    other = asking.send("POST", "/waivers", json={**WAIVER, "reason": "else"}, headers={"idempotency-key": "k1"})
    assert other.status_code == 422
    assert program().send("POST", "/waivers", json=WAIVER, headers={"idempotency-key": "k1"}).status_code == 201


def test_changes_sent_at_the_same_time_are_done_once(site: Site, program: Callable[..., Program]) -> None:
    asking = program()

    def send(_number: int) -> tuple[int, bytes]:
        answer = Program(site, asking.token).send("POST", "/waivers", json=WAIVER, headers={"idempotency-key": "k"})
        return answer.status_code, answer.content

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(send, range(6)))
    assert len(answers) == 1
    assert len(asking.get("/waivers")["items"]) == 1


def test_what_failed_may_be_tried_again_under_its_key(program: Callable[..., Program]) -> None:
    asking = program()
    bad = {**WAIVER, "ends_at": at(0).isoformat()}
    assert asking.send("POST", "/waivers", json=bad, headers={"idempotency-key": "k"}).status_code == 400
    assert asking.send("POST", "/waivers", json=WAIVER, headers={"idempotency-key": "k"}).status_code == 201


def made_by(browser: Browser, body: dict[str, Any], key: str = "") -> dict[str, Any]:
    """A token that somebody makes who has signed in."""
    headers = {"x-form-token": browser.form_token, **({"idempotency-key": key} if key else {})}
    told = browser.client.post("/api/v1/tokens", json=body, headers=headers)
    assert told.status_code == 201, told.text
    made: dict[str, Any] = told.json()
    return made


def test_a_kept_answer_tells_no_secret_to_who_reads_the_store(site: Site, signed_in: Callable[..., Browser]) -> None:
    body = {"name": "ci", "scopes": ["read"], "ends_at": END}
    browser = signed_in()
    first, again = (made_by(browser, body, "k") for _ in range(2))
    assert first["secret"] == again["secret"]
    assert Program(site, first["secret"]).get("")["permissions"] == ["see"]
    with site.store.reading() as connection:
        kept = repr(connection.execute(select(answer)).all()) + repr(connection.execute(select(token)).all())
        kept += repr(connection.execute(select(audit)).all())
    assert first["secret"] not in kept
    assert first["secret"].encode().hex() not in kept


def test_a_decision_can_be_bound_to_what_was_seen(program: Callable[..., Program]) -> None:
    ann, bob = program(name="ann"), program(name="bob")
    number = ann.post("/waivers", WAIVER)["number"]
    seen = bob.send("GET", f"/waivers/{number}").headers["etag"]
    body = {"decision": "approved"}
    stale = bob.send("POST", f"/waivers/{number}/decision", json=body, headers={"if-match": '"other"'})
    assert stale.status_code == 412
    weak = bob.send("POST", f"/waivers/{number}/decision", json=body, headers={"if-match": f"W/{seen}"})
    assert weak.status_code == 412
    done = bob.send("POST", f"/waivers/{number}/decision", json=body, headers={"if-match": seen})
    assert done.status_code == 200
    assert done.headers["etag"] == bob.send("GET", f"/waivers/{number}").headers["etag"] != seen


def test_a_token_does_no_more_than_its_scopes(program: Callable[..., Program]) -> None:
    reading = program("admin", scopes=("read",))
    assert reading.send("POST", "/waivers", json=WAIVER).status_code == 403
    assert reading.send("PUT", "/clusters/three", json={}).status_code == 403
    assert reading.send("DELETE", "/clusters/one").status_code == 403
    assert program("admin", scopes=()).send("GET", "/findings").status_code in (401, 403)


def test_no_token_makes_another(program: Callable[..., Program]) -> None:
    told = program().send("POST", "/tokens", json={"name": "x", "scopes": ["read"], "ends_at": END})
    assert (told.status_code, told.json()["title"]) == (403, "no token makes another")


def test_a_token_is_made_for_no_more_than_one_may(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in("viewer")
    headers = {"x-form-token": browser.form_token}
    for body, status in (
        ({"name": "x", "scopes": ["read", "administer"], "ends_at": END}, 403),
        ({"name": "x", "scopes": [], "ends_at": END}, 400),
        ({"name": "x", "scopes": ["read"], "ends_at": at(24 * 400).isoformat()}, 400),
        ({"name": "x", "scopes": ["read"], "ends_at": at(1).isoformat()}, 400),
    ):
        assert browser.client.post("/api/v1/tokens", json=body, headers=headers).status_code == status, body


def test_a_revoked_token_opens_nothing(
    site: Site, program: Callable[..., Program], signed_in: Callable[..., Browser]
) -> None:
    browser = signed_in("viewer", name="ann")
    made = made_by(browser, {"name": "x", "scopes": ["read"], "ends_at": END})
    number = made["token"]["number"]
    assert browser.client.get("/api/v1/tokens").json()["items"] == [made["token"]]
    assert program().send("DELETE", f"/tokens/{number}").status_code == 404
    headers = {"x-form-token": browser.form_token}
    for _ in range(2):
        assert browser.client.delete(f"/api/v1/tokens/{number}", headers=headers).status_code == 204
    assert Program(site, made["secret"]).send("GET", "/findings").status_code == 401
    assert [act[1] for act in acts(site) if act[1].startswith("token.")] == ["token.made", "token.revoked"]


def test_a_waiver_for_everything_or_for_too_long_is_refused(site: Site, program: Callable[..., Program]) -> None:
    asking = program()
    for wrong in (
        {"selectors": {"cluster": "one"}},
        {"selectors": {"policy": "*", "name": "**"}},
        {"ends_at": at(24 * (site.settings.waivers.longest_days + 9)).isoformat()},
    ):
        assert asking.send("POST", "/waivers", json={**WAIVER, **wrong}).status_code == 400, wrong


def test_a_cluster_joins_leaves_and_is_forgotten(site: Site, program: Callable[..., Program]) -> None:
    asking = program("operator")
    joined = asking.send("PUT", "/clusters/three", json={"labels": {"env": "prod"}})
    assert (joined.status_code, joined.json()["state"]) == (200, "unknown")
    assert asking.send("PUT", "/clusters/three", json={"labels": {"env": "prod"}}).content == joined.content
    assert asking.send("DELETE", "/clusters/three").status_code == 204
    assert [one["name"] for one in asking.get("/clusters")["items"]] == ["one", "two"]
    assert [one["name"] for one in asking.get("/clusters", left=True)["items"]] == ["one", "three", "two"]
    assert asking.send("DELETE", "/clusters/one?forget=true").status_code == 204
    assert {one["cluster"] for one in asking.get("/findings")["items"]} == {"two"}
    assert asking.send("GET", "/clusters/one").status_code == 404
    told = [act[1:] for act in acts(site)]
    assert told == [("cluster.joined", "cluster three")] * 2 + [
        ("cluster.left", "cluster three"),
        ("cluster.forgotten", "cluster one"),
    ]


def test_a_cluster_is_called_what_can_be_called(program: Callable[..., Program]) -> None:
    asking = program()
    for name in ("%20", "a%0Ab", "-x", "x" * 254, "a<b", "%00"):
        assert asking.send("PUT", f"/clusters/{name}", json={}).status_code == 400, name


def test_an_operator_of_a_namespace_moves_no_cluster(program: Callable[..., Program]) -> None:
    asking = program("operator", Grant(clusters=("one",), namespaces=("shop",)))
    assert asking.send("DELETE", "/clusters/one").status_code == 403
    assert program("operator", Grant(clusters=("two",))).send("DELETE", "/clusters/one").status_code == 404
    assert program("operator", Grant(clusters=("two",))).send("PUT", "/clusters/new", json={}).status_code == 403


BODIES = (
    (b"{", "application/json", 400),
    (b"[" * 100_000, "application/json", 413),
    (b"[" * 10_000, "application/json", 400),
    (b"\xff", "application/json", 400),
    (b"{}", "application/json", 400),
    (b'{"selectors": {}, "reason": "x", "ends_at": "soon"}', "application/json", 400),
    (b'{"selectors": {}, "reason": "x", "ends_at": "2026-04-01T00:00:00"}', "application/json", 400),
    (b'{"selectors": {"clustr": ""}, "reason": "x", "ends_at": "2026-04-01T00:00:00Z"}', "application/json", 400),
    (b'{"selectors": {}, "reason": " ", "ends_at": "2026-04-01T00:00:00Z"}', "application/json", 400),
    (b'{"selectors": {}, "reason": "x", "ends_at": "9999-04-01T00:00:00Z"}', "application/json", 400),
    (b"reason=x", "application/x-www-form-urlencoded", 415),
    (b"{}", "text/plain", 415),
    (b"{}", "", 415),
    (b'"' + b"x" * 70_000 + b'"', "application/json", 413),
)


def test_a_body_that_cannot_be_used_is_refused(program: Callable[..., Program]) -> None:
    asking = program()
    for content, kind, status in BODIES:
        answer = asking.send("POST", "/waivers", content=content, headers={"content-type": kind})
        assert answer.status_code == status, content[:100]
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_browser_changes_nothing_without_the_form_token(
    site: Site, signed_in: Callable[..., Browser], world: World
) -> None:
    del world
    browser = signed_in()
    answer = browser.client.post("/api/v1/waivers", json=WAIVER)
    assert answer.status_code == 403
    with site.store.reading() as connection:
        assert connection.execute(select(waiver)).all() == []
    headers = {"x-form-token": browser.form_token}
    assert browser.client.post("/api/v1/waivers", json=WAIVER, headers=headers).status_code == 201
