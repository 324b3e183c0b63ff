"""An object's lines: each finding stands at its own, or at the nearest thing that is there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.base.pointer import join
from bartizan.model.ledger import Verdict
from bartizan.model.resource import ResourceId
from bartizan.model.severity import Severity
from bartizan.plane.pages.mending import NO_PATCH, patch
from bartizan.plane.pages.source import LONGEST, Line, Source, source_of
from bartizan.stores.queries.findings import FindingView

_AT = datetime(2026, 3, 1, tzinfo=UTC)
_POD: dict[str, Any] = {
    "spec": {"containers": [{"name": "app", "image": "a:1"}, {"name": "side", "image": "b"}], "hostPID": True},
    "metadata": {"name": "web", "annotations": {"a/b": "1\n2\n3\n"}},
    "kind": "Pod",
    "apiVersion": "v1",
}


def finding(pointer: str, number: int = 1, **others: str) -> FindingView:
    """A finding at a place."""
    told = [{"pointer": place, "message": message, "evidence": ""} for message, place in others.items()]
    words = ("bad", pointer, "", "", "", told, "")
    judged = ("open", Verdict.FAIL, Severity.HIGH)
    return FindingView(
        number, "c", "", ResourceId("", "v1", "Pod", "", "web"), 1, "r", "f", *judged, *words, _AT, _AT, _AT, None
    )


def marked(source: Source) -> list[str]:
    """The lines at which something is said."""
    return [line.text.strip() for line in source.lines if line.said]


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("/spec/hostPID", "hostPID: true"),
        ("/spec/containers/1/image", "image: b"),
        ("/spec/containers/1/name", "- name: side"),
        ("/spec/containers/0/securityContext/privileged", "- name: app"),
        ("/spec/securityContext", "spec:"),
        ("/metadata/annotations/a~1b", "a/b: |"),
        ("/status/nothing", "kind: Pod"),
        ("", "kind: Pod"),
        ("not a pointer", "kind: Pod"),
    ],
)
def test_a_finding_stands_at_its_line(pointer: str, line: str) -> None:
    assert marked(source_of(_POD, [finding(pointer)])) == [line]


def test_an_object_is_written_as_people_write_it() -> None:
    lines = source_of(_POD, []).lines
    assert [line.text for line in lines if not line.text.startswith(" ")] == [
        "apiVersion: v1",
        "kind: Pod",
        "metadata:",
        "spec:",
    ]
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


def test_a_finding_of_several_places_stands_at_each() -> None:
    source = source_of(_POD, [finding("/spec/containers/0/image", again="/spec/containers/1/image")])
    assert marked(source) == ['image: "a:1"', "image: b"]


def test_of_a_long_object_what_stands_around_its_findings_is_shown() -> None:
    body = {"kind": "ConfigMap", "data": {f"key-{n}": "x" * 1000 for n in range(5 * LONGEST)}}
    source = source_of(body, [finding("/data/key-4000")])
    assert marked(source)[0].startswith("key-4000: xxx")
    assert len(source.lines) < 200
    assert source.length == sum(line.left_out or 1 for line in source.lines)
    assert max(len(line.text) for line in source.lines) < 500


def test_a_page_about_one_finding_shows_what_is_around_it() -> None:
    source = source_of(_POD, [finding("/spec/hostPID", 1), finding("/metadata/name", 2)], only=1)
    assert marked(source) == ["hostPID: true"]


def test_what_nests_too_deep_is_said_to() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert source_of({"kind": "X", "spec": deep}, []).problem
    assert patch({"kind": "Pod", "apiVersion": "v1", "spec": deep}, ["privilege-escalation"]) == NO_PATCH


@given(st.lists(st.text(max_size=4), max_size=4))
def test_any_pointer_has_a_line(parts: list[str]) -> None:
    lines: list[Line] = list(source_of(_POD, [finding(join(parts))]).lines)
    assert sum(len(line.said) for line in lines) == 1


def test_a_remedy_changes_what_it_is_for() -> None:
    mended = patch(_POD, ["privilege-escalation", "no-such-rule"])
    assert mended.fixed == ("privilege-escalation",)
    assert [change.text for change in mended.changes if change.kind == "add"].count(
        "+      allowPrivilegeEscalation: false"
    ) == 2


def test_a_risk_is_taken_only_when_it_is_named_and_then_said() -> None:
    body = {**_POD, "spec": {**_POD["spec"], "securityContext": {"runAsUser": 0}}}
    assert patch(body, ["root-user-id"]) == NO_PATCH
    taken = patch(body, ["root-user-id"], risky=True)
    assert taken.fixed == ("root-user-id",)
    assert taken.warnings[0][0] == "root-user-id"


@pytest.mark.parametrize("body", [{}, {"kind": 7}, {"kind": "Pod", "spec": []}, {"spec": {"containers": "none"}}])
def test_what_is_no_object_gets_no_patch(body: dict[str, Any]) -> None:
    assert patch(body, ["privilege-escalation", "latest-image"]) == NO_PATCH
