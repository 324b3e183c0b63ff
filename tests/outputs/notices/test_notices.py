"""Every form of a notice is what its service documents, whatever the names in it are."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from tests.golden.compare import assert_golden
from tests.outputs.notices import receivers
from tests.outputs.notices.samples import AT, DIGEST, FINDINGS, KEY, RESOLVED, ROUTING_KEY, SAMPLES, hostile, item

from bartizan.outputs.notices.mail import mail
from bartizan.outputs.notices.pagerduty import dedup_key, pagerduty
from bartizan.outputs.notices.slack import code, escaped, slack
from bartizan.outputs.notices.teams import LARGEST, teams
from bartizan.outputs.notices.webhook import webhook
from bartizan.outputs.notices.words import headline, more, plain
from bartizan.outputs.notices.xmatters import xmatters

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.model.notice import Notice
    from bartizan.outputs.notices.payload import Payload

SECRET = b"a secret of both"
FORMS: dict[str, Callable[[Notice], Payload]] = {
    "slack": lambda notice: slack(notice, KEY),
    "teams": lambda notice: teams(notice, KEY),
    "pagerduty": lambda notice: pagerduty(notice, KEY, ROUTING_KEY, notice.action or "trigger"),
    "xmatters": lambda notice: xmatters(notice, KEY, ("platform on call",)),
    "webhook": lambda notice: webhook(notice, KEY, SECRET, AT),
}


def _mail(notice: Notice) -> bytes:
    return mail(notice, KEY, "plane@example.com", ("ann@example.com", "bob@example.com")).as_bytes()


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=60)
@given(notice=hostile())
def test_a_hostile_notice_keeps_to_what_the_service_documents(name: str, notice: Notice) -> None:
    """Whatever is in the names, the payload fits the schema and the limits, and carries its key."""
    made = FORMS[name](notice)
    assert receivers.refusal(name, made.body) == ""
    assert made.headers["Idempotency-Key"] == KEY


@settings(max_examples=60)
@given(notice=hostile())
def test_a_hostile_notice_adds_no_header_and_no_tag_to_a_mail(notice: Notice) -> None:
    """A mail has our headers and our tags alone, once each."""
    assert receivers.mail_refusal(_mail(notice)) == ""


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_as_it_was(name: str, sample: str, pytestconfig: pytest.Config) -> None:
    made = FORMS[name](SAMPLES[sample])
    assert receivers.refusal(name, made.body) == ""
    text = json.dumps(json.loads(made.body), indent=2, ensure_ascii=False)
    assert_golden(pytestconfig, f"notice-{name}-{sample}.json", text + "\n")


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_mail_is_as_it_was(sample: str, pytestconfig: pytest.Config) -> None:
    message = receivers.read_mail(_mail(SAMPLES[sample]))
    text = message.get_body(("plain",))
    page = message.get_body(("html",))
    assert text is not None
    assert page is not None
    headers = "".join(f"{name}: {message[name]}\n" for name in ("Subject", "From", "To", "Date", "Message-ID"))
    assert_golden(pytestconfig, f"notice-mail-{sample}.txt", f"{headers}\n{text.get_content()}\n{page.get_content()}")


def test_a_headline_says_what_is_worst_first() -> None:
    assert headline(FINDINGS) == (
        "prod, namespace shop: 1,204 findings opened, 2 findings fixed or gone (4 critical, 1,200 high)"
    )
    assert headline(DIGEST) == ("Digest of the fleet: 3 findings opened, 1 cluster is unknown, 2 scores fell (3 high)")


def test_what_is_not_listed_is_counted() -> None:
    assert more(FINDINGS) == "and 1,202 more"
    assert more(RESOLVED) == ""
    assert "and 1,202 more" in plain(FINDINGS)


def test_slack_is_never_cut_within_an_escape() -> None:
    assert escaped("&&&", 11) == "&amp;&amp;…"
    assert escaped("<!here> & more", 100) == "&lt;!here&gt; &amp; more"
    assert code("a`b", 20) == "`a\N{MODIFIER LETTER GRAVE ACCENT}b`"
    assert code("", 20) == ""


def test_a_card_of_teams_that_is_too_large_lists_less() -> None:
    large = tuple(item(number=number, text="\U0001f600" * 400) for number in range(10))
    wide = [msgspec.structs.replace(one, title="\U0001f600" * 120, where="\U0001f600" * 250) for one in large]
    notice = msgspec.structs.replace(FINDINGS, items=tuple(wide), counts={"opened": 10})
    made = teams(notice, KEY)
    assert len(made.body) <= LARGEST
    assert b"more" in made.body
    assert receivers.refusal("teams", made.body) == ""


@pytest.mark.parametrize(
    ("incident", "same"),
    [("bartizan/pages/prod/findings", True), ("x" * 255, True), ("x" * 256, False), ("a\nb", False)],
)
def test_an_incident_s_key_fits_and_tells_incidents_apart(incident: str, same: bool) -> None:
    assert (dedup_key(incident) == incident) is same
    assert len(dedup_key(incident)) <= 255
    assert dedup_key(incident) != dedup_key(incident + "!")


def test_an_incident_that_is_over_says_only_which() -> None:
    document = json.loads(pagerduty(RESOLVED, KEY, ROUTING_KEY, "resolve").body)
    assert document == {
        "routing_key": ROUTING_KEY,
        "event_action": "resolve",
        "dedup_key": "bartizan/pages/prod/findings",
    }


def test_a_webhook_is_signed_over_its_time_and_body() -> None:
    made = webhook(FINDINGS, KEY, SECRET, AT)
    stamp = made.headers["X-Bartizan-Timestamp"]
    assert stamp == str(int(AT.timestamp()))
    wanted = hmac.new(SECRET, f"{stamp}.".encode() + made.body, "sha256").hexdigest()
    assert made.headers["X-Bartizan-Signature"] == f"sha256={wanted}"


def test_a_mail_s_id_is_of_its_key() -> None:
    message = receivers.read_mail(_mail(FINDINGS))
    assert message["Message-ID"] == f"<{KEY}@example.com>"
    assert message["To"] == "ann@example.com, bob@example.com"
