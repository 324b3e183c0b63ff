"""Settings are read as they are meant, or refused with place and hint; rules choose as they say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bartizan.app.notices import NOBODY, read_notifications
from bartizan.app.notices.announcing import due_at
from bartizan.app.notices.gathering import Group, gathered, joined, wants
from bartizan.app.notices.settings import Email, Rule, Slack
from bartizan.base.errors import SpecError
from bartizan.model.notice import EVENT_KINDS, MOST_ITEMS, Event, Item, Notice
from bartizan.model.severity import Severity
from bartizan.outputs.notices.webhook import webhook

CASES = Path(__file__).resolve().parents[2] / "cases/notices"
REFUSED = yaml.safe_load((CASES / "refused.yaml").read_text())
CHOICES = yaml.safe_load((CASES / "rules.yaml").read_text())
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["note"])
def test_what_cannot_be_meant_is_refused_with_place_and_hint(case: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as refused:
        read_notifications(case["given"])
    assert refused.value.pointer == case["at"]
    assert case["error"] in refused.value.message
    assert case["hint"] in refused.value.hint
    assert "services/T/B" not in str(refused.value)


def test_settings_are_read_as_they_are_written() -> None:
    read = read_notifications(
        {
            "plane_url": "https://plane.example",
            "targets": [
                {"name": "chat", "kind": "slack", "url_env": "SLACK_URL"},
                {"name": "mail", "kind": "email", "host": "m", "from": "a@b.c", "to": ["d@e.f"], "rate": 5},
            ],
            "rules": [{"name": "daily", "targets": ["chat"], "mode": "digest", "severity": "high"}],
        }
    )
    assert read.targets == (
        Slack(name="chat", url_env="SLACK_URL"),
        Email(name="mail", host="m", sender="a@b.c", to=("d@e.f",), rate=5),
    )
    assert read.rules[0].least is Severity.HIGH
    assert read_notifications(None) is NOBODY


def _blocks(language: str) -> list[str]:
    page = (CASES.parents[2] / "docs/how-to/get-notified.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_settings_of_the_documentation_are_read() -> None:
    (block,) = _blocks("yaml")
    read = read_notifications(yaml.safe_load(block)["notifications"])
    assert [one.name for one in read.targets] == ["chat", "on-call"]
    assert len(read.rules) == 3


def test_the_documentation_s_receiver_knows_who_sent_it() -> None:
    scope: dict[str, Any] = {}
    exec(_blocks("python")[0], scope)  # noqa: S102  our own page
    made = webhook(Notice("test", "r", AT, AT), "k", b"secret", AT)
    stamp, signature = made.headers["X-Bartizan-Timestamp"], made.headers["X-Bartizan-Signature"]
    assert scope["is_ours"](b"secret", stamp, signature, made.body)
    assert not scope["is_ours"](b"secret", stamp, signature, made.body + b" ")
    assert not scope["is_ours"](b"secret", str(int(stamp) + 1), signature, made.body)
    assert not scope["is_ours"](b"other", stamp, signature, made.body)


def _event(name: str) -> Event:
    given = dict(CHOICES["events"][name])
    severity = Severity.parse(given.pop("severity", "info"), Severity.INFO)
    return Event(at=AT, severity=severity, frameworks=tuple(given.pop("frameworks", ())), **given)


@pytest.mark.parametrize("case", CHOICES["rules"], ids=lambda case: str(case["rule"]))
def test_a_rule_tells_what_it_chooses(case: dict[str, Any]) -> None:
    target = {"name": "chat", "kind": "slack", "url_env": "SLACK_URL"}
    given = {"name": "r", "targets": ["chat"], **case["rule"]}
    (rule,) = read_notifications({"targets": [target], "rules": [given]}).rules
    assert [name for name in CHOICES["events"] if wants(rule, _event(name))] == case["tells"]


@pytest.mark.parametrize(
    ("mode", "period", "hour", "due"),
    [
        ("at-once", "30s", 8, "2026-03-01T09:00:30"),
        ("at-once", "0s", 8, "2026-03-01T09:00:00"),
        ("at-once", "1d", 8, "2026-03-02T00:00:00"),
        ("digest", "15m", 8, "2026-03-01T09:15:00"),
        ("digest", "1h", 8, "2026-03-01T10:00:00"),
        ("digest", "1d", 8, "2026-03-02T08:00:00"),
        ("digest", "1d", 10, "2026-03-01T10:00:00"),
        ("digest", "7d", 8, "2026-03-02T08:00:00"),
    ],
)
def test_a_window_ends_where_people_expect_it(mode: Any, period: str, hour: int, due: str) -> None:
    rule = Rule(name="r", targets=("a",), mode=mode, window=period, every=period, hour=hour)
    assert due_at(rule, AT).isoformat() == f"{due}+00:00"


_EVENTS = st.lists(
    st.builds(
        lambda kind, severity, count, items: Event(
            kind, AT, "one", "shop", severity=severity, count=count, items=items
        ),
        st.sampled_from(EVENT_KINDS),
        st.sampled_from(Severity),
        st.integers(1, 10_000),
        st.lists(
            st.builds(
                Item, st.sampled_from(EVENT_KINDS), st.sampled_from(Severity), st.sampled_from("abcdefgh"), st.just("w")
            ),
            max_size=5,
        ).map(tuple),
    ),
    min_size=2,
    max_size=12,
)


@given(_EVENTS, st.integers(1, 11))
def test_joining_loses_no_count_and_lists_the_worst_however_it_is_cut(events: list[Event], cut: int) -> None:
    """What is gathered in two parts and joined counts and lists what is gathered at once."""
    rule, group = Rule(name="r", targets=("a",)), Group("one", "findings")
    whole = gathered(rule, group, events, "")
    cut = min(cut, len(events) - 1)
    parts = joined(gathered(rule, group, events[:cut], ""), gathered(rule, group, events[cut:], ""))
    assert (parts.counts, parts.severities, parts.severity) == (whole.counts, whole.severities, whole.severity)
    assert parts.items == whole.items
    assert parts.kind == whole.kind
    assert sum(whole.counts.values()) == sum(event.count for event in events)
    assert len(whole.items) <= MOST_ITEMS


@given(_EVENTS)
def test_the_order_of_events_changes_nothing_that_is_said(events: list[Event]) -> None:
    """Counts, severities and items do not tell in which order events came."""
    rule, group = Rule(name="r", targets=("a",)), Group("one", "findings")
    one, other = gathered(rule, group, events, ""), gathered(rule, group, events[::-1], "")
    assert (one.counts, one.severities, one.items, one.kind) == (
        other.counts,
        other.severities,
        other.items,
        other.kind,
    )
