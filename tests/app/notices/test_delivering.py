"""From a report to every kind of target, at least once, under one key; and what fails is seen."""

from __future__ import annotations

import hmac
import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.app.notices import services
from tests.app.notices.plane import Plane, web_pod
from tests.app.notices.services import Answer
from tests.outputs.notices import receivers
from tests.stores.fleet import START

from bartizan.app.notices import open_ways, read_notifications, send_test
from bartizan.app.notices.delivering import LEASE, MOST_ATTEMPTS
from bartizan.stores import outbox
from bartizan.stores.queries.messages import message_counts

if TYPE_CHECKING:
    from bartizan.app.notices import Ways


LOGIN = {"user": "plane", "secret_env": "MAIL_PASSWORD"}


def _targets(web: services.Web) -> dict[str, dict[str, Any]]:
    return {
        "slack": {"name": "slack", "kind": "slack", "url_env": "SLACK_URL"},
        "teams": {"name": "teams", "kind": "teams", "url_env": "TEAMS_URL"},
        "pagerduty": {
            "name": "pagerduty",
            "kind": "pagerduty",
            "url": f"{web.url}/pagerduty/v2/enqueue",
            "secret_env": "PAGER_KEY",
        },
        "xmatters": {
            "name": "xmatters",
            "kind": "xmatters",
            "url": f"{web.url}/xmatters/api/integration/1/functions/f/triggers",
            "user": "plane",
            "secret_env": "XM_PASSWORD",
            "recipients": ["platform on call"],
        },
        "webhook": {"name": "webhook", "kind": "webhook", "url": f"{web.url}/webhook", "secret_env": "HOOK_SECRET"},
    }


def _mail(port: int, **more: Any) -> dict[str, Any]:
    host = {"host": "127.0.0.1", "port": port, "from": "plane@example.com", "to": ["ann@example.com"]}
    return {"name": "mail", "kind": "email", **host, **more}


def _hook(plane: Plane, web: services.Web, **more: Any) -> Plane:
    return plane.set([{**_targets(web)["webhook"], **more}], {"name": "all", "targets": ["webhook"]}).joined("one")


def test_every_kind_of_target_takes_what_it_gets(plane: Plane, web: services.Web, trust: services.Trust) -> None:
    targets = _targets(web)
    with services.post(trust.server) as post:
        mail = _mail(post.port, **LOGIN)
        plane.set([*targets.values(), mail], {"name": "all", "targets": [*targets, "mail"]}).joined("one")
        plane.report(web_pod("ffp"))
        assert plane.told() == (6, 0, 0)
        assert [(letter.encrypted, letter.user, letter.to) for letter in post.letters] == [
            (True, "plane", ("ann@example.com",))
        ]
        said = receivers.read_mail(post.letters[0].raw)["Subject"]
        assert said == "Bartizan: one, namespace shop: 2 findings opened (1 critical, 1 high)"
    assert sorted(one.path.split("/")[1] for one in web.requests) == sorted(targets)
    assert plane.messages("waiting", "dead") == []
    assert plane.deliver() == (0, 0, 0)
    page = web.of("pagerduty")[0].document
    assert (page["event_action"], page["payload"]["severity"]) == ("trigger", "critical")
    call = web.of("xmatters")[0]
    assert call.headers["authorization"].startswith("Basic ")
    assert call.document["recipients"] == [{"targetName": "platform on call"}]


def test_a_webhook_can_tell_who_sent_it(plane: Plane, web: services.Web) -> None:
    _hook(plane, web).report(web_pod())
    plane.told()
    request = web.requests[0]
    stamp = request.headers["x-bartizan-timestamp"]
    wanted = hmac.new(b"a secret of both", f"{stamp}.".encode() + request.body, "sha256").hexdigest()
    assert request.headers["x-bartizan-signature"] == f"sha256={wanted}"
    assert stamp == str(int(plane.now.timestamp()))
    assert request.document["key"] == request.headers["idempotency-key"] == plane.messages("sent")[0].key


def test_who_is_killed_before_it_says_sent_leaves_it_to_the_next_under_the_same_key(
    plane: Plane, web: services.Web
) -> None:
    _hook(plane, web).report(web_pod())
    plane.look()
    plane.later(minutes=1)
    with plane.store.writing() as connection:
        claimed = outbox.claim(connection, plane.now, LEASE)
    assert len(claimed) == 1
    assert plane.later(seconds=60).deliver() == (0, 0, 0)
    assert plane.later(seconds=120).deliver() == (1, 0, 0)
    assert [one.headers["idempotency-key"] for one in web.requests] == [claimed[0].key]
    assert plane.messages("sent")[0].attempts == 2


def test_one_that_arrived_and_was_not_noted_comes_twice_under_one_key(plane: Plane, web: services.Web) -> None:
    _hook(plane, web).report(web_pod())
    plane.told()
    with plane.store.writing() as connection:  # as if the process had been killed before it noted that
        connection.exec_driver_sql("UPDATE outbox SET state = 'waiting', ended_at = NULL")
    plane.later(seconds=LEASE.total_seconds())
    plane.deliver()
    first, second = web.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_what_fails_is_tried_ever_later_and_dies_after_a_day(plane: Plane, web: services.Web) -> None:
    _hook(plane, web).report(web_pod())
    plane.look()
    plane.later(minutes=1)
    web.answers = [Answer(500)] * MOST_ATTEMPTS
    began, pauses = plane.now, []
    while plane.messages("waiting"):
        before = plane.now
        assert sum(plane.deliver()) == 1
        if plane.messages("waiting"):
            plane.now = plane.messages("waiting")[0].due_at
            pauses.append((plane.now - before).total_seconds())
    assert pauses[:4] == [10, 20, 40, 80]
    assert max(pauses) == 3600
    assert timedelta(hours=23) < plane.now - began < timedelta(hours=26)
    (dead,) = plane.messages("dead")
    assert (dead.attempts, dead.last_error) == (MOST_ATTEMPTS, "HTTP 500")


@pytest.mark.parametrize("status", [404, 301])
def test_what_is_refused_for_good_is_dead_at_once_and_lives_again_by_hand(
    plane: Plane, web: services.Web, status: int
) -> None:
    _hook(plane, web).report(web_pod())
    web.answers = [Answer(status, {"Location": "/elsewhere"}, b"no <b>such</b>\r\n\x1b[2Jhook")]
    assert plane.told() == (0, 0, 1)
    (dead,) = plane.messages("dead")
    assert dead.last_error == f"HTTP {status}: no <b>such</b> ␛[2Jhook"
    with plane.store.reading() as connection:
        assert message_counts(connection) == {"webhook": {"dead": 1}}
    with plane.store.writing() as connection:
        assert outbox.again(connection, dead.number, plane.now)
        assert not outbox.again(connection, dead.number, plane.now)
    assert plane.deliver() == (1, 0, 0)
    assert [one.headers["idempotency-key"] for one in web.requests] == [dead.key, dead.key]


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(status, True) for status in (300, 301, 307, 400, 401, 403, 404, 405, 410, 413, 422)]
    + [(status, False) for status in (408, 425, 429, 500, 502, 503, 504)],
)
def test_only_what_may_be_better_soon_is_worth_another_try(
    web: services.Web, ways: Ways, status: int, permanent: bool
) -> None:
    target = read_notifications({"targets": [_targets(web)["webhook"]]}).targets[0]
    web.answers = [Answer(status, {"Location": f"{web.url}/webhook"})]
    assert send_test(target, ways, START)[:2] == (f"HTTP {status}", permanent)
    assert len(web.requests) == 1


def test_what_may_be_better_soon_is_tried_again(plane: Plane, web: services.Web) -> None:
    _hook(plane, web).report(web_pod())
    web.answers = [Answer(503)]
    assert plane.told() == (0, 1, 0)
    assert plane.later(seconds=9).deliver() == (0, 0, 0)
    assert plane.later(seconds=2).deliver() == (1, 0, 0)


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_tries_are_spread_by_chance(plane: Plane, web: services.Web, chance: float) -> None:
    _hook(plane, web).report(web_pod())
    plane.look()
    plane.later(minutes=1)
    web.answers = [Answer(500)]
    plane.deliver(chance)
    assert (plane.messages("waiting")[0].due_at - plane.now).total_seconds() == {0.0: 7.5, 1.0: 12.5}[chance]


def test_a_target_that_asks_for_peace_gets_it_for_all_its_messages(plane: Plane, web: services.Web) -> None:
    plane.set([_targets(web)["webhook"]], {"name": "all", "targets": ["webhook"]}).joined("one", "two")
    for name in ("one", "two"):
        plane.report(web_pod(), cluster=name)
    web.answers = [Answer(429, {"Retry-After": "120"})]
    assert plane.told() == (0, 1, 0)
    assert plane.later(seconds=119).deliver() == (0, 0, 0)
    assert plane.later(seconds=1).deliver() == (2, 0, 0)
    assert [one.attempts for one in plane.messages("sent")] == [2, 1]


def test_a_date_to_come_back_at_is_read_as_well(plane: Plane, web: services.Web) -> None:
    _hook(plane, web).report(web_pod())
    web.answers = [Answer(503, {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)})]
    plane.told()
    wait = plane.messages("waiting")[0].due_at - plane.now
    assert timedelta(minutes=119) < wait <= timedelta(hours=2)


def test_nobody_gets_more_than_its_rate(plane: Plane, web: services.Web) -> None:
    names = [f"c{number}" for number in range(7)]
    plane.set([{**_targets(web)["webhook"], "rate": 3}], {"name": "all", "targets": ["webhook"]}).joined(*names)
    for name in names:
        plane.report(web_pod(), cluster=name)
    assert plane.told() == (3, 0, 0)
    assert plane.later(seconds=30).deliver() == (0, 0, 0)
    assert plane.later(seconds=31).deliver() == (3, 0, 0)
    assert plane.later(seconds=61).deliver() == (1, 0, 0)
    assert len({one.headers["idempotency-key"] for one in web.requests}) == 7


def test_two_senders_send_each_message_once_and_keep_the_rate_together(plane: Plane, web: services.Web) -> None:
    names = [f"c{number}" for number in range(9)]
    plane.set([{**_targets(web)["webhook"], "rate": 8}], {"name": "all", "targets": ["webhook"]}).joined(*names)
    for name in names:
        plane.report(web_pod(), cluster=name)
    plane.look()
    plane.later(minutes=1)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: plane.deliver(), range(4)))
    assert sum(one.sent for one in done) == len(web.requests) == 8
    assert len({one.headers["idempotency-key"] for one in web.requests}) == 8


def test_a_target_that_is_down_holds_up_nobody_else(plane: Plane, web: services.Web) -> None:
    dark = {"name": "dark", "kind": "webhook", "url": "http://127.0.0.1:9", "secret_env": "HOOK_SECRET"}
    plane.set([dark, _targets(web)["slack"]], {"name": "all", "targets": ["dark", "slack"]}).joined("one")
    plane.report(web_pod())
    assert plane.told() == (1, 1, 0)
    (waiting,) = plane.messages("waiting")
    assert waiting.target == "dark"
    assert waiting.last_error.startswith("it does not answer: ")


def test_messages_to_a_target_that_is_no_more_are_dead(plane: Plane, web: services.Web) -> None:
    _hook(plane, web).report(web_pod())
    plane.look()
    plane.set([])
    assert plane.later(minutes=1).deliver() == (0, 0, 1)
    assert plane.messages("dead")[0].last_error == "no target is called `webhook` any more"


def test_no_secret_is_logged(plane: Plane, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    targets = [{"name": "slack", "kind": "slack", "url_env": "SLACK_URL"}]
    plane.set(targets, {"name": "all", "targets": ["slack"]}).joined("one")
    plane.report(web_pod())
    assert plane.told() == (1, 0, 0)
    assert "hush" not in caplog.text


def test_no_secret_is_kept_with_an_error(plane: Plane, web: services.Web) -> None:
    plane.set([_targets(web)["slack"]], {"name": "all", "targets": ["slack"]}).joined("one")
    plane.report(web_pod())
    web.answers = [Answer(404, {}, b"no such path: slack/T0/B0/hush-hush")]
    plane.told()
    (dead,) = plane.messages("dead")
    assert dead.last_error == "HTTP 404: no such path: …"
    assert "hush" not in json.dumps(dead.message)


def test_a_secret_that_is_missing_is_said_and_waited_for(plane: Plane, web: services.Web) -> None:
    hook = {**_targets(web)["webhook"], "secret_env": "NOT_THERE"}
    plane.set([hook], {"name": "all", "targets": ["webhook"]}).joined("one")
    plane.report(web_pod())
    assert plane.told() == (0, 1, 0)
    said = "the variable `NOT_THERE` holds no secret; Set it where the plane runs."
    assert plane.messages("waiting")[0].last_error == said


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_mail_goes_over_tls_to_a_server_that_is_trusted(ways: Ways, trust: services.Trust, tls: str) -> None:
    with services.post(trust.server, implicit=tls == "implicit") as post:
        made = read_notifications({"targets": [_mail(post.port, tls=tls)]}).targets[0]
        assert send_test(made, ways, START).error == ""
        assert [letter.encrypted for letter in post.letters] == [True]
        with open_ways({}, ssl.create_default_context()) as wary:
            assert "certificate verify failed" in send_test(made, wary, START).error
        assert len(post.letters) == 1


@pytest.mark.parametrize(
    ("command", "answer", "permanent"),
    [
        ("RCPT", "550 no such person", True),
        ("RCPT", "450 come back later", False),
        ("MAIL", "451 busy", False),
        ("DATA", "554 spam", True),
        ("STARTTLS", "454 not now", False),
        ("AUTH", "535 the password of the mail is wrong", False),
    ],
)
def test_a_mail_server_that_refuses_says_for_how_long(
    ways: Ways, trust: services.Trust, command: str, answer: str, permanent: bool
) -> None:
    with services.post(trust.server) as post:
        post.refuse[command] = answer
        settings = _mail(post.port, **LOGIN)
        outcome = send_test(read_notifications({"targets": [settings]}).targets[0], ways, START)
    assert outcome.permanent is permanent
    assert answer[:3] in outcome.error
    assert "of the mail" not in outcome.error
    assert post.letters == []


def test_a_recipient_of_several_that_is_refused_is_noted(plane: Plane, trust: services.Trust) -> None:
    with services.post(trust.server) as post:
        post.refuse["bob@example.com"] = "550 no bob"
        mail = _mail(post.port, to=["ann@example.com", "bob@example.com"])
        plane.set([mail], {"name": "all", "targets": ["mail"]}).joined("one")
        plane.report(web_pod())
        assert plane.told() == (1, 0, 0)
    (sent,) = plane.messages("sent")
    assert sent.last_error == "refused: bob@example.com"


@pytest.mark.parametrize("kind", ["slack", "teams", "pagerduty", "xmatters", "webhook"])
def test_a_test_says_what_became_of_it(web: services.Web, ways: Ways, kind: str) -> None:
    target = read_notifications({"targets": [_targets(web)[kind]]}).targets[0]
    assert send_test(target, ways, START, "https://plane.example").error == ""
    actions = [one.document.get("event_action") for one in web.requests]
    assert actions == (["trigger", "resolve"] if kind == "pagerduty" else [None])
    web.answers = [Answer(403, {}, b"go away")]
    assert send_test(target, ways, START).error == "HTTP 403: go away"
