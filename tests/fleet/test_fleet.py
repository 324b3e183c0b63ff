"""The rules of a fleet: states, names, joining, re-checks, drift and comparison."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bartizan.fleet import (
    Admitted,
    Comparison,
    Drift,
    Invitation,
    JoinRequest,
    Member,
    Reach,
    Recheck,
    Refused,
    Side,
    compare,
    drift,
    join,
    name_from,
    name_problem,
    reach_of,
    recheck,
    reporter,
    state,
)
from bartizan.model.fleet import Generation
from bartizan.model.ledger import RuleFacts

HERE = Path(__file__).parents[1] / "cases" / "plane"
NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


def _load(name: str) -> list[Any]:
    return [pytest.param(case, id=case["name"] or "empty") for case in yaml.safe_load((HERE / name).read_text())]


@pytest.mark.parametrize("case", _load("states.yaml"))
def test_a_silent_cluster_is_late_then_unknown(case: dict[str, Any]) -> None:
    last_seen = None if case["ago_s"] is None else NOW - timedelta(seconds=case["ago_s"])
    assert state(last_seen, 60, NOW) == case["state"]


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 1_000))
def test_silence_never_betters_a_state(one: int, more: int, lease_s: int) -> None:
    """And within two leases it is unknown (M3)."""
    order = ("current", "late", "unknown")
    first, second = (state(NOW - timedelta(seconds=ago), lease_s, NOW) for ago in (one, one + more))
    assert order.index(first) <= order.index(second)
    assert (one >= 2 * lease_s) == (first == "unknown")


@pytest.mark.parametrize("lease_s", [0, -1, float("nan")])
def test_a_lease_is_a_time(lease_s: float) -> None:
    with pytest.raises(ValueError, match="a lease of"):
        state(NOW, lease_s, NOW)


@pytest.mark.parametrize("case", _load("names.yaml"))
def test_names_are_fit_for_urls_files_and_labels(case: dict[str, Any]) -> None:
    assert name_problem(case["name"]) == case.get("problem", "")
    if "made" in case:
        assert name_from(case["name"]) == case["made"]


@given(st.text())
def test_a_made_name_is_a_good_one(text: str) -> None:
    made = name_from(text)
    assert not made or not name_problem(made)


MEMBERS = (Member("prod", "agent", "p", "tp"), Member("old", "agent", "o", "to", revoked=True))
LATER = NOW + timedelta(hours=1)
INVITATIONS = (
    Invitation("open", LATER),
    Invitation("for-test", LATER, "test"),
    Invitation("used", LATER, used=True),
    Invitation("ended", NOW),
)


@pytest.mark.parametrize("case", _load("joining.yaml"))
def test_who_may_join(case: dict[str, Any]) -> None:
    request = JoinRequest(kind="agent", **case["request"])
    decision = join(MEMBERS, INVITATIONS, request, NOW)
    if isinstance(decision, Refused):
        assert decision.reason == case["refused"]
        assert decision.message == case["message"]
        assert decision.hint.endswith(".")
        return
    assert decision.member == Member(request.name, "agent", request.identity, request.token_hash)
    assert decision.invitation.used
    assert decision.rejoined == case["admitted"]["rejoined"]


def test_an_invitation_works_once() -> None:
    request = JoinRequest("test", "agent", "t", "open", "tt")
    decision = join(MEMBERS, INVITATIONS, request, NOW)
    assert isinstance(decision, Admitted)
    members = (*MEMBERS, decision.member)
    for other in ({"name": "stage", "identity": "s"}, {"token_hash": "other"}, {"identity": "s"}, {"kind": "folder"}):
        assert isinstance(join(members, (decision.invitation,), request._replace(**other), NOW), Refused)


def test_who_lost_the_answer_asks_again_and_is_told_the_same() -> None:
    """Unless it was revoked meanwhile, or the invitation has ended."""
    request = JoinRequest("test", "agent", "t", "open", "tt")
    decision = join(MEMBERS, INVITATIONS, request, NOW)
    assert isinstance(decision, Admitted)
    again = join((*MEMBERS, decision.member), (decision.invitation,), request, NOW)
    assert again == decision._replace(rejoined=True)
    revoked = msgspec.structs.replace(decision.member, revoked=True)
    assert isinstance(join((*MEMBERS, revoked), (decision.invitation,), request, NOW), Refused)
    assert isinstance(join((*MEMBERS, decision.member), (decision.invitation,), request, LATER), Refused)


REQUESTS = st.builds(
    JoinRequest,
    st.sampled_from(("a", "b", "c")),
    st.just("agent"),
    st.sampled_from(("x", "y", "z")),
    st.just("open"),
    st.sampled_from(("1", "2", "3", "4")),
)


@given(st.lists(REQUESTS, max_size=12))
def test_a_name_is_one_clusters_and_a_token_one_names(requests: list[JoinRequest]) -> None:
    """Whoever asks in whatever order, no name passes on, no cluster has two names, no token is for two."""
    members: dict[str, Member] = {}
    owners: dict[str, str] = {}
    for request in requests:
        decision = join(members.values(), INVITATIONS, request, NOW)
        if isinstance(decision, Admitted):
            members[decision.member.name] = decision.member
            assert owners.setdefault(decision.member.name, request.identity) == request.identity
    assert len({one.identity for one in members.values()}) == len(members)
    assert len({one.token_hash for one in members.values()}) == len(members)
    for one in members.values():
        assert reporter(members.values(), one.token_hash) == one


def test_a_revoked_token_reports_for_nobody() -> None:
    assert reporter(MEMBERS, "tp") == MEMBERS[0]
    assert reporter(MEMBERS, "to") is None
    assert reporter(MEMBERS, "other") is None
    assert reporter((Member("ctx", "context", "c"),), "") is None


def _reaches(given_rules: dict[str, str]) -> list[Reach]:
    found = []
    for rule, text in given_rules.items():
        digest, *kinds = str(text).split()
        found.append(reach_of(RuleFacts(rule, digest=digest), None if kinds == ["*"] else frozenset(kinds)))
    return found


@pytest.mark.parametrize("case", _load("rechecks.yaml"))
def test_a_changed_policy_set_is_checked_where_it_can_match(case: dict[str, Any]) -> None:
    wanted = recheck(_reaches(case["old"]), _reaches(case["new"]))
    kinds = None if case["kinds"] == "all" else frozenset(case["kinds"])
    assert wanted == Recheck(kinds, frozenset(case.get("rules", ())), frozenset(case.get("gone", ())))
    assert wanted.touches("Pod") == (kinds is None or "Pod" in kinds)


REACHES = st.dictionaries(
    st.sampled_from("abc"),
    st.tuples(st.sampled_from("12"), st.none() | st.frozensets(st.sampled_from(("Pod", "Job", "Node")))),
).map(lambda rules: [Reach(name, *rest) for name, rest in rules.items()])


@given(REACHES, REACHES)
def test_what_is_not_touched_is_judged_as_before(old: list[Reach], new: list[Reach]) -> None:
    """For a kind that is not checked again, the rules that match it are those of before, less those that went."""
    wanted = recheck(old, new)
    for kind in ("Pod", "Job", "Node"):
        if not wanted.touches(kind):
            before, after = ({one for one in rules if one.kinds is None or kind in one.kinds} for rules in (old, new))
            assert after == {one for one in before if one.id not in wanted.gone}


def _generation(name: str, digest: str) -> Generation:
    return Generation(name, 1, NOW, NOW, complete=True, policy_digest=digest, evaluator="1")


def test_drift_parts_clusters_by_the_policies_they_were_judged_by() -> None:
    running = msgspec.structs.replace(_generation("d", "new"), ended_at=None)
    last = {"d": running, "c": None, "b": _generation("b", "old"), "a": _generation("a", "new")}
    assert drift("new", last) == Drift(("a",), ("b",), ("c", "d"))


def test_two_sides_are_compared_rule_by_rule_and_finding_by_finding() -> None:
    here = Side({"a": "1", "b": "1", "c": "1"}, {"f1": "a", "f2": "a", "f3": "c"})
    there = Side({"a": "1", "b": "2", "d": "1"}, {"f1": "a", "f4": "b", "f5": "d"})
    assert compare(here, there) == Comparison(
        rules_only_here=("c",),
        rules_only_there=("d",),
        rules_other=("b",),
        only_here=("f2",),
        only_there=("f4",),
        unasked_here=("f5",),
        unasked_there=("f3",),
        both=("f1",),
    )


SIDES = st.builds(
    Side,
    st.dictionaries(st.sampled_from("abc"), st.sampled_from("12")),
    st.dictionaries(st.sampled_from(("f1", "f2", "f3", "f4")), st.sampled_from("abc")),
)


@given(SIDES, SIDES)
def test_a_comparison_turns_with_its_sides(here: Side, there: Side) -> None:
    one, other = compare(here, there), compare(there, here)
    assert other == Comparison(
        one.rules_only_there,
        one.rules_only_here,
        one.rules_other,
        one.only_there,
        one.only_here,
        one.unasked_there,
        one.unasked_here,
        one.both,
    )


@given(SIDES, SIDES)
def test_every_finding_is_told_once(here: Side, there: Side) -> None:
    one = compare(here, there)
    told = [*one.only_here, *one.only_there, *one.unasked_here, *one.unasked_there, *one.both]
    assert sorted(told) == sorted(here.findings.keys() | there.findings.keys())
    assert compare(here, here).same
    assert one.same == (here.rules == there.rules and here.findings.keys() == there.findings.keys())
