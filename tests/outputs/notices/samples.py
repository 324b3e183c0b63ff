"""Notices of every kind, and hostile ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from bartizan.model.notice import EVENT_KINDS, MOST_ITEMS, MOST_NAMES, Item, Notice
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
KEY = "5f2b8c1d9e3a4f60718293a4b5c6d7e8"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"


def item(kind: str = "opened", severity: Severity = Severity.CRITICAL, number: int = 1, text: str = "") -> Item:
    """A finding as it is listed."""
    said = text or "container `app` is privileged"
    where = f"Pod shop/web-{number} in prod"
    link = f"https://plane.example/findings/{number}"
    return Item(kind, severity, "privileged-container", where, said, link)  # type: ignore[arg-type]  # a kind


FINDINGS = Notice(
    "opened", "pages", AT, AT, "prod", "shop", "red", Severity.CRITICAL, ("pss:baseline", "nsa:privileged"), ("prod",),
    {"opened": 1204, "fixed": 2}, {"critical": 4, "high": 1200},
    (*(item(number=n) for n in range(1, 4)), item("fixed", Severity.LOW, 9)),
    "https://plane.example/findings?cluster=prod", "bartizan/pages/prod/findings", "trigger",
)  # fmt: skip  # as the fields stand
DIGEST = Notice(
    "digest", "weekly", AT, AT, clusters=("prod", "test"), counts={"opened": 3, "cluster-unknown": 1, "score-fell": 2},
    severities={"high": 3}, severity=Severity.HIGH, incident="bartizan/weekly//digest",
    items=(
        item(severity=Severity.HIGH),
        Item("cluster-unknown", Severity.HIGH, "test", "", "last heard of at 2026-03-01 08:00 UTC"),
        Item("score-fell", Severity.MEDIUM, "prod", "", "the pass rate went from 84.0 % to 71.5 %"),
    ),
)  # fmt: skip  # as the fields stand
RESOLVED = Notice(
    "fixed", "pages", AT, AT, "prod", counts={"fixed": 1}, incident="bartizan/pages/prod/findings", action="resolve",
    items=(item("fixed", Severity.CRITICAL),),
)  # fmt: skip  # as the fields stand
WAIVER = Notice(
    "waiver-asked", "approvals", AT, AT, severity=Severity.LOW, counts={"waiver-asked": 1}, action="acknowledge",
    incident="bartizan/approvals//waiver/7",
    items=(Item("waiver-asked", Severity.LOW, "waiver 7", "rule hostPath in the whole fleet", "asked for by ann"),),
)  # fmt: skip  # as the fields stand
SAMPLES = {"findings": FINDINGS, "digest": DIGEST, "resolved": RESOLVED, "waiver": WAIVER}

NASTY = (
    "<!here>", "<!channel>", "<@U123>", "@channel", "<https://evil.example|click>", "&lt;!here&gt;", "*b*", "_i_",
    "~s~", "`", "```", "[x](https://evil.example)", "<at>everyone</at>", "**b**", "\r\nBcc: evil@example.com", "\n.\n",
    "\r\n\r\nbody", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\x00", "\x1b[2J", "\u202e",
    "\u2028", "\ud800", "&", "|", "x" * 5000, "&" * 5000, "😀" * 3000, " ", "",
)  # fmt: skip  # a list of words
_WORDS = st.one_of(
    st.lists(st.sampled_from(NASTY), max_size=4).map("".join),
    st.text(st.characters(codec=None), max_size=40),
)


def hostile() -> SearchStrategy[Notice]:
    """Notices whose every name and message wants out."""
    kinds = st.sampled_from(EVENT_KINDS)
    severities = st.sampled_from(Severity)
    items = st.builds(Item, kinds, severities, _WORDS, _WORDS, _WORDS, st.just("https://plane.example/findings/1"))
    counts = st.dictionaries(kinds, st.integers(1, 10**9), max_size=len(EVENT_KINDS))
    labels = st.dictionaries(st.sampled_from([one.label for one in Severity]), st.integers(1, 10**9))
    names = st.lists(_WORDS, max_size=MOST_NAMES).map(tuple)
    return st.builds(
        Notice,
        kind=kinds,
        rule=_WORDS,
        since=st.just(AT),
        at=st.just(AT),
        cluster=_WORDS,
        namespace=_WORDS,
        team=_WORDS,
        severity=severities,
        frameworks=names,
        clusters=names,
        counts=counts,
        severities=labels,
        items=st.lists(items, max_size=MOST_ITEMS).map(tuple),
        link=st.sampled_from(["", "https://plane.example/findings?cluster=x"]),
        incident=_WORDS,
        action=st.sampled_from(["trigger", "acknowledge", "resolve", None]),
    )
