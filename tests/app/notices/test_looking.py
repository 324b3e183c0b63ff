"""What is told: each thing once, gathered, to whom it concerns; and nothing is lost with who was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sqlalchemy import text
from tests.app.notices.plane import Plane, web_pod
from tests.stores.fleet import START, observed, pod, rules

from bartizan.app.notices import announce
from bartizan.app.notices.looking import finding_events
from bartizan.base.errors import SpecError
from bartizan.model.notice import MOST_ITEMS, Event, Notice
from bartizan.model.severity import Severity
from bartizan.stores import clusters, waivers
from bartizan.stores.queries import news

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

HOOK = {"name": "hook", "kind": "webhook", "url": "https://hook.example/", "secret_env": "HOOK_SECRET"}
OTHER = {**HOOK, "name": "other"}
FINDINGS = ["first-check", "opened", "reopened", "fixed", "waived"]
PAGER = {"name": "pager", "kind": "pagerduty", "secret_env": "PAGER_KEY"}


def _plane(plane: Plane, target: dict[str, Any] = HOOK, **rule: Any) -> Plane:
    return plane.set([target], {"name": "all", "targets": [target["name"]], **rule})


def _notices(plane: Plane) -> list[Notice]:
    return [msgspec.convert(one.message, Notice) for one in plane.messages()]


def _said(plane: Plane) -> list[tuple[str, str, dict[str, int]]]:
    return [(one.cluster, one.kind, one.counts) for one in _notices(plane)]


def test_what_a_report_changed_is_told_once(plane: Plane) -> None:
    _plane(plane).joined("one")
    plane.report(web_pod("ffp"))
    assert plane.look() == 1
    assert [plane.later(seconds=5).look() for _ in range(3)] == [0, 0, 0]
    (notice,) = _notices(plane)
    assert (notice.cluster, notice.namespace, notice.kind, notice.severity) == (
        "one",
        "shop",
        "opened",
        Severity.CRITICAL,
    )
    assert notice.counts == {"opened": 2}
    assert notice.severities == {"critical": 1, "high": 1}
    assert [(one.title, one.where, one.text) for one in notice.items] == [
        ("privileged", "Pod shop/web in one", "privileged is bad"),
        ("roots", "Pod shop/web in one", "roots is bad"),
    ]
    assert notice.frameworks == ("pss:baseline",)


def test_a_first_check_of_thousands_of_findings_is_one_notice(plane: Plane) -> None:
    _plane(plane, kinds=FINDINGS)
    plane.world.join("one")
    plane.look()
    objects = [web_pod("ffp", f"web-{number}", f"n{number % 50}") for number in range(1200)]
    plane.check("one", *objects, batch=400)
    assert plane.look() == 1
    (notice,) = _notices(plane)
    assert (notice.kind, notice.counts) == ("first-check", {"first-check": 2400})
    assert notice.severities == {"critical": 1200, "high": 1200}
    assert len(notice.items) == MOST_ITEMS
    assert {one.severity for one in notice.items} == {Severity.CRITICAL}
    assert len(msgspec.json.encode(notice)) < 8000
    assert plane.later(hours=1).look() == 0
    plane.report(web_pod("ppp", "web-0", "n0"))
    plane.look()
    assert _said(plane)[1:] == [("one", "fixed", {"fixed": 2})]


def test_nothing_is_told_while_the_first_check_runs(plane: Plane) -> None:
    _plane(plane)
    plane.world.join("one")
    plane.report(web_pod("fpp"))
    assert plane.look() == 0
    plane.check("one", web_pod("fpp"), web_pod("fpp", "other"))
    assert plane.look() == 1
    assert _said(plane) == [("one", "first-check", {"first-check": 2})]


def test_a_cluster_whose_checks_never_complete_is_told_of_all_the_same(plane: Plane) -> None:
    _plane(plane)
    plane.world.join("one")
    plane.check("one", web_pod("fpp"), complete=False)
    assert plane.look() == 0
    plane.later(minutes=5).check("one", web_pod("fpp"), complete=False)
    assert plane.look() == 1


def test_a_fleet_that_was_checked_long_ago_is_not_told_of_again(plane: Plane) -> None:
    plane.world.join("one")
    plane.check("one", web_pod("fpp"))
    _plane(plane, kinds=["opened", "first-check"]).later(days=2)
    assert plane.look() == 0
    plane.report(web_pod("fpp", "new"))
    assert plane.look() == 1
    assert _said(plane) == [("one", "opened", {"opened": 1})]


def test_a_look_that_is_killed_has_told_nothing_and_the_next_tells_all(plane: Plane) -> None:
    _plane(plane).joined("one")
    plane.report(web_pod("fpp"))

    def killed(connection: Connection) -> None:
        assert announce(connection, plane.settings, finding_events(connection, 1, "one", plane.now), plane.now) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plane.store.write(killed)
    assert plane.messages() == []
    assert plane.look() == 1
    assert _said(plane) == [("one", "opened", {"opened": 1})]


def test_an_event_that_is_announced_twice_is_one_message(plane: Plane) -> None:
    _plane(plane, kinds=["opened"])
    event = Event("opened", START, "one", severity=Severity.HIGH, id="e1")
    for _ in range(2):
        with plane.store.writing() as connection:
            announce(connection, plane.settings, [event, event], plane.now)
        plane.later(minutes=10)
    assert _said(plane) == [("one", "opened", {"opened": 1})]


def test_what_happens_within_a_window_is_one_notice_and_what_comes_later_another(plane: Plane) -> None:
    _plane(plane, window="1m").joined("one", "two")
    for seconds, name in ((5, "a"), (20, "b"), (20, "c"), (20, "d")):
        plane.later(seconds=seconds).report(web_pod("fpp", name))
        plane.look()
    plane.report(web_pod("pfp", "a"), cluster="one")
    plane.look()
    assert _said(plane) == [
        ("one", "opened", {"opened": 3}),
        ("one", "opened", {"fixed": 1, "opened": 2}),
    ]
    assert [(one.due_at - START).total_seconds() for one in plane.messages()] == [60, 120]


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("cluster", [("", "")]),
        ("namespace", [("shop", ""), ("till", "blue")]),
        ("team", [("", "blue"), ("shop", "red")]),
        ("check", [("", ""), ("shop", "red")]),
    ],
)
def test_a_rule_may_tell_parts_of_a_cluster_apart(plane: Plane, by: str, groups: Sequence[tuple[str, str]]) -> None:
    _plane(plane, by=by).joined("one")
    plane.report(
        web_pod("ffp", "a", "shop", "red"), web_pod("fpp", "b", "shop", "blue"), web_pod("fpp", "c", "till", "blue")
    )
    plane.look()
    assert sorted((one.namespace, one.team) for one in _notices(plane)) == groups


def test_every_rule_and_target_has_its_own_message(plane: Plane) -> None:
    first = {"name": "a", "targets": ["hook", "other"]}
    second = {"name": "b", "targets": ["hook"], "severity": "critical"}
    plane.set([HOOK, OTHER], first, second).joined("one")
    plane.report(web_pod("ffp"))
    assert plane.look() == 3
    assert [(one.target, one.message["rule"], one.message["counts"]["opened"]) for one in plane.messages()] == [
        ("hook", "a", 2),
        ("other", "a", 2),
        ("hook", "b", 1),
    ]
    assert len({one.key for one in plane.messages()}) == 3


def test_a_digest_gathers_the_fleet_until_its_hour_whoever_restarts(plane: Plane) -> None:
    _plane(plane, mode="digest", every="1d", hour=8, kinds=FINDINGS).joined("one", "two")
    for hours in range(4):
        plane.later(hours=1).report(web_pod("fpp", f"w{hours}"), cluster="one" if hours % 2 else "two")
        plane.look()
    plane.later(hours=5).report(web_pod("ppp", "w1"), cluster="one")
    plane.look()
    (message,) = plane.messages()
    assert message.due_at.isoformat() == "2026-03-02T08:00:00+00:00"
    (notice,) = _notices(plane)
    assert (notice.kind, notice.clusters, notice.counts) == ("digest", ("one", "two"), {"fixed": 1, "opened": 4})
    assert notice.since < notice.at
    plane.later(days=1).report(web_pod("fpp", "late"))
    plane.look()
    assert [one.due_at.isoformat()[:10] for one in plane.messages()] == ["2026-03-02", "2026-03-03"]


def test_a_waived_finding_is_told_as_accepted_and_as_back_when_its_waiver_ends(plane: Plane) -> None:
    _plane(plane, window="0s", kinds=FINDINGS).joined("one")
    for verdicts in ("vpp", "fpp", "vpp", "ppp"):
        plane.later(minutes=5).report(web_pod(verdicts))
        plane.look()
    assert [one.counts for one in _notices(plane)] == [{"waived": 1}, {"reopened": 1}, {"waived": 1}, {"fixed": 1}]


def test_findings_of_what_is_gone_are_told_as_over(plane: Plane) -> None:
    _plane(plane, window="0s", kinds=FINDINGS).joined("one")
    plane.report(web_pod("fpp"))
    plane.look()
    plane.later(minutes=5).check("one")
    plane.look()
    assert [one.counts for one in _notices(plane)] == [{"opened": 1}, {"fixed": 1}]


def test_a_silent_cluster_is_told_of_once_and_when_it_is_back(plane: Plane) -> None:
    _plane(plane, window="0s", kinds=["cluster-late", "cluster-unknown", "cluster-back"]).joined("one")
    for _ in range(30):
        plane.later(seconds=30).look()
    plane.report(web_pod("fpp"))
    for _ in range(3):
        plane.later(seconds=30).look()
    assert [(one.kind, one.cluster) for one in _notices(plane)] == [
        ("cluster-late", "one"),
        ("cluster-unknown", "one"),
        ("cluster-back", "one"),
    ]
    assert _notices(plane)[1].items[0].text == "last heard of at 2026-03-01 09:00 UTC"


def test_a_plane_that_was_away_does_not_call_its_clusters_silent(plane: Plane) -> None:
    _plane(plane, kinds=["cluster-unknown"]).joined("one", "two")
    began = plane.later(days=1).now
    assert plane.later(seconds=60).look(listening_since=began) == 0
    plane.report(cluster="one")
    plane.later(seconds=241).report(cluster="one")
    plane.later(seconds=300)
    plane.report(cluster="one")
    assert plane.look(listening_since=began) == 1
    assert [one.cluster for one in _notices(plane)] == ["two"]


def test_a_storm_of_silent_clusters_is_one_notice(plane: Plane) -> None:
    names = [f"c{number:02}" for number in range(30)]
    _plane(plane, kinds=["cluster-unknown"]).joined(*names)
    assert plane.later(hours=1).look() == 1
    (notice,) = _notices(plane)
    assert (notice.cluster, notice.counts) == ("", {"cluster-unknown": 30})


def test_a_score_that_falls_is_told_by_how_much_and_not_again(plane: Plane) -> None:
    _plane(plane, window="0s", kinds=["score-fell", "score-rose"])
    plane.world.join("one")
    plane.check("one", *(web_pod("ppp", f"w{number}") for number in range(10)))
    assert plane.look() == 0
    plane.later(minutes=1).report(web_pod("pfp", "w0"))
    assert plane.look() == 0
    plane.later(minutes=1).report(web_pod("fpp", "w1"), web_pod("fpp", "w2"))
    assert [plane.look(), plane.later(minutes=1).look()] == [1, 0]
    plane.later(minutes=1).report(*(web_pod("ppp", f"w{number}") for number in range(3)))
    plane.look()
    assert [(one.kind, one.items[0].text) for one in _notices(plane)] == [
        ("score-fell", "the pass rate went from 100.0 % to 84.4 %"),
        ("score-rose", "the pass rate went from 84.4 % to 100.0 %"),
    ]


def test_waivers_are_told_when_asked_for_and_before_and_after_their_end(plane: Plane) -> None:
    kinds = ["waiver-asked", "waiver-expiring", "waiver-ended"]
    _plane(plane, window="0s", kinds=kinds).joined("one")
    ends = plane.now.replace(day=31)
    with plane.store.writing() as connection:
        asked = waivers.Asked({"rule": "privileged", "namespace": "shop"}, 1, "mended <soon>", "ann", ends)
        number = waivers.ask(connection, asked, plane.now)
    for _ in range(3):
        plane.later(hours=1).look()
    with plane.store.writing() as connection:
        waivers.decide(connection, number, "approved", "bob", plane.now)
    for _ in range(40):
        plane.later(days=1).look()
    assert [(one.kind, one.at.day) for one in _notices(plane)] == [
        ("waiver-asked", 1),
        ("waiver-expiring", 24),
        ("waiver-ended", 31),
    ]
    item = _notices(plane)[0].items[0]
    assert (item.title, item.where) == ("waiver 1", "rule privileged, namespace shop in one")
    assert item.text == "asked for by ann, until 2026-03-31 09:00 UTC: mended <soon>"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"clusters": ["one"]}, 2),
        ({"clusters": ["two"]}, 1),
        ({"namespaces": ["shop"]}, 2),
        ({"namespaces": ["till"]}, 1),
        ({"severity": "critical"}, 2),
    ],
)
def test_a_waiver_for_all_concerns_everybody(plane: Plane, rule: dict[str, Any], told: int) -> None:
    _plane(plane, kinds=["waiver-asked"], **rule).joined("one")
    with plane.store.writing() as connection:
        ends = plane.now.replace(day=31)
        waivers.ask(connection, waivers.Asked({"namespace": "shop"}, 1, "mine", "ann", ends), plane.now)
        waivers.ask(connection, waivers.Asked({"rule": "roots"}, None, "all", "ann", ends), plane.now)
    assert plane.look() == told


def _pages(plane: Plane) -> list[tuple[str, str | None]]:
    return [(one.incident, one.action) for one in _notices(plane)]


def test_an_incident_ends_when_nothing_of_it_is_left(plane: Plane) -> None:
    _plane(plane, PAGER, window="0s", severity="high", kinds=["opened", "reopened"]).joined("one")
    for objects in (
        [web_pod("fpf"), web_pod("pfp", "other")],
        [web_pod("ppf")],
        [web_pod("ppf", "other")],
        [web_pod("fpf", "other")],
        [web_pod("vpf", "other")],
    ):
        plane.later(minutes=5).report(*objects)
        plane.look()
    incident = "bartizan/all/one/findings"
    assert _pages(plane) == [(incident, one) for one in ("trigger", "resolve", "trigger", "resolve")]


def test_what_came_and_went_within_a_window_pages_nobody_for_long(plane: Plane) -> None:
    _plane(plane, PAGER, kinds=FINDINGS).joined("one")
    plane.report(web_pod("fpp"))
    plane.look()
    plane.later(seconds=5).report(web_pod("ppp"))
    plane.look()
    assert _pages(plane) == [("bartizan/all/one/findings", "resolve")]


def test_the_incident_of_a_first_check_ends_with_its_last_finding(plane: Plane) -> None:
    _plane(plane, PAGER, window="0s", by="check", kinds=FINDINGS)
    plane.world.join("one")
    plane.check("one", web_pod("ffp"))
    plane.look()
    plane.later(minutes=1).report(web_pod("pfp"))
    plane.look()
    plane.later(minutes=1).report(web_pod("ppp"))
    plane.look()
    whole = "bartizan/all/one/findings"
    assert _pages(plane) == [
        (whole, "trigger"),
        (f"{whole}/privileged", "resolve"),
        (f"{whole}/roots", "resolve"),
        (whole, "resolve"),
    ]


def test_a_storm_is_one_incident_and_ends_when_all_are_back(plane: Plane) -> None:
    names = [f"c{number:02}" for number in range(12)]
    _plane(plane, PAGER, window="0s").joined(*names)
    plane.later(hours=1).look()
    for half in (names[:6], names[6:]):
        plane.later(seconds=10)
        for name in half:
            plane.report(cluster=name)
        plane.look()
    pages = _pages(plane)
    assert pages[0] == ("bartizan/all//state", "trigger")
    assert pages.count(("bartizan/all//state", "resolve")) == 1
    assert len(pages) == 1 + 12 + 1


def test_who_is_paged_for_a_fall_is_told_of_the_rise(plane: Plane) -> None:
    _plane(plane, PAGER, window="0s", kinds=["score-fell", "cluster-unknown"])
    plane.world.join("one")
    plane.check("one", web_pod("ppp"))
    plane.look()
    for verdicts, minutes in (("fpp", 1), ("ppp", 1), ("ppp", 60), ("ppp", 1)):
        plane.later(minutes=minutes)
        if minutes == 1:
            plane.report(web_pod(verdicts))
        plane.look()
    assert _pages(plane) == [
        ("bartizan/all/one/score", "trigger"),
        ("bartizan/all/one/score", "resolve"),
        ("bartizan/all/one/state", "trigger"),
        ("bartizan/all/one/state", "resolve"),
        ("bartizan/all//state", "resolve"),  # were there a storm, it would be over
    ]


def test_clusters_that_went_dark_one_by_one_and_are_back_at_once_are_ended_one_by_one(plane: Plane) -> None:
    names = [f"c{number:02}" for number in range(12)]
    _plane(plane, PAGER, window="0s", kinds=["cluster-unknown"]).joined(*names)
    for number in range(12):
        for name in names[number:]:
            plane.report(cluster=name)
        plane.look()
        plane.later(seconds=300)
    for _ in range(3):
        plane.later(seconds=300).look()
    for name in names:
        plane.report(cluster=name)
    plane.look()
    pages = _pages(plane)
    for name in names:
        assert [action for incident, action in pages if incident == f"bartizan/all/{name}/state"] == [
            "trigger",
            "resolve",
        ]


def test_asking_for_a_waiver_acknowledges_what_is_open_there(plane: Plane) -> None:
    _plane(plane, PAGER, kinds=["opened", "waiver-asked"], window="0s").joined("one")
    plane.report(web_pod("fpp"))
    with plane.store.writing() as connection:
        ends = plane.now.replace(day=31)
        waivers.ask(connection, waivers.Asked({"rule": "privileged"}, 1, "mine", "ann", ends), plane.now)
        waivers.ask(connection, waivers.Asked({"rule": "privileged"}, None, "all", "ann", ends), plane.now)
    plane.look()
    incident = "bartizan/all/one/findings"
    assert _pages(plane) == [(incident, "trigger"), (incident, "acknowledge")]


def test_a_quiet_cluster_is_passed_over_without_losing_what_it_says_next(plane: Plane) -> None:
    _plane(plane, kinds=["opened"]).joined("quiet", "loud")
    plane.report(*(web_pod("fff", f"w{number}") for number in range(40)), cluster="loud")
    plane.look()
    with plane.store.writing() as connection:
        news.catch_up_quiet(connection, plane.now, behind=50, margin=20)
        last = connection.execute(text("SELECT max(id) FROM transition")).scalar_one()
        assert [mark.number for mark in news.marks(connection, news.TOLD).values()] == [last - 20, last]
        news.catch_up_quiet(connection, plane.now, behind=50, margin=20)
        assert news.mark(connection, 1, news.TOLD) == news.Mark(last - 20, plane.now)
    plane.later(minutes=5).report(web_pod("fpp"), cluster="quiet")
    plane.look()
    assert _said(plane)[-1] == ("quiet", "opened", {"opened": 1})


def test_a_cluster_with_news_is_never_passed_over(plane: Plane) -> None:
    _plane(plane, kinds=["opened"]).joined("one", "loud")
    plane.report(web_pod("fpp"))
    plane.report(*(web_pod("fff", f"w{number}") for number in range(40)), cluster="loud")
    with plane.store.writing() as connection:
        news.catch_up_quiet(connection, plane.now, behind=1, margin=0)
    plane.look()
    assert ("one", "opened", {"opened": 1}) in _said(plane)


def test_no_source_can_say_what_was_told_of_it(plane: Plane) -> None:
    plane.joined("one")
    with pytest.raises(SpecError, match="the plane's own"):
        plane.report(web_pod("fpp"), stream=news.TOLD)


def test_a_cluster_that_left_is_not_told_of(plane: Plane) -> None:
    _plane(plane, kinds=["cluster-unknown", "opened"]).joined("one")
    plane.report(web_pod("fpp"))
    clusters.leave(plane.store, "one", plane.now)
    assert plane.later(hours=5).look() == 0


def test_names_that_no_database_takes_do_not_stop_a_look(plane: Plane) -> None:
    _plane(plane).joined("one")
    asked = rules("roots\0\ud800")
    plane.report(observed(pod("a\0\ud800", "<!here>"), asked, "f", message="\0 <script>\r\nBcc: x"), asked=asked)
    assert plane.look() == 1
    assert plane.later(minutes=1).deliver().dead == 0


def test_a_look_without_rules_does_nothing(plane: Plane) -> None:
    plane.set([HOOK]).joined("one")
    plane.report(web_pod("fpp"))
    assert plane.look() == 0
