"""The lives of findings: what happens to them, and no ghosts."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.laws import examples

from bartizan.findings.lifecycle import Found, Life, ObjectKey, Sight, Told, Transition, key_of, tell
from bartizan.model.resource import ResourceId

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "plane" / "lives.yaml").read_text())
START = datetime(2026, 3, 14, tzinfo=UTC)


def _key(text: str) -> ObjectKey:
    kind, _, place = text.partition(" ")
    group, _, kind = kind.rpartition("/")
    namespace, _, name = place.rpartition("/")
    return ObjectKey(group, kind, namespace, name)


def _minute(at: int) -> datetime:
    return START + timedelta(minutes=at)


def _sight(given: dict[str, Any]) -> Sight:
    found = tuple(
        Found(mark, "r", _key(one.get("object", "Pod shop/web")), one.get("content", ""), one.get("waived_by", ""))
        for mark, one in given["found"].items()
    )
    return Sight(
        _minute(given["at"]),
        found,
        frozenset(map(_key, given["objects"])),
        given.get("whole", True),
        frozenset(given["rules"]) if "rules" in given else None,
        frozenset(given.get("unlisted", ())),
        removed=frozenset(map(_key, given.get("removed", ()))),
        unjudged=frozenset((_key(one), "r") for one in given.get("unjudged", ())),
        came=frozenset(map(_key, given.get("came", ()))),
        renewed=frozenset(given.get("renewed", ())),
    )


def _minutes(at: datetime) -> int:
    return round((at - START) / timedelta(minutes=1))


def _words(one: Transition) -> str:
    return f"{_minutes(one.at)} {one.fingerprint} {one.change}, {one.cause}"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_what_happens_to_a_finding(case: dict[str, Any]) -> None:
    known: dict[str, Life] = {}
    transitions: list[Transition] = []
    for given_sight in case["sights"]:
        told = tell(known, _sight(given_sight))
        transitions += told.transitions
        known = told.over(known)
    assert [_words(one) for one in transitions] == case["told"]
    for mark, wanted in case.get("lives", {}).items():
        life = known[mark]
        times = {"first": life.first_seen, "opened": life.opened_at, "last": life.last_seen, "closed": life.closed_at}
        shown = {name: _minutes(at) for name, at in times.items() if at}
        assert {"state": life.state, **shown} == {name: one for name, one in wanted.items() if name != "waived_by"}
        assert life.waived_by == wanted.get("waived_by", "")


KEYS = [ObjectKey(group, kind, "shop", name) for group, kind in (("", "Pod"), ("apps", "Deployment")) for name in "ab"]
RULES = ("r", "s")


def _mark(rule: str, key: ObjectKey, place: str) -> str:
    return f"{rule} {key.kind} {key.name} {place}"


def _any_sight(chance: random.Random, at: int, *, whole: bool | None = None) -> Sight:
    """A sight that is true to itself: it finds only on objects it judged, by rules in force that could run."""
    is_whole = chance.random() < 0.5 if whole is None else whole
    objects = _some(chance, KEYS)
    rules = None if chance.random() < 0.4 else _some(chance, RULES)
    pairs = [(key, rule) for key in sorted(objects) for rule in RULES if rules is None or rule in rules]
    unjudged = frozenset(chance.sample(pairs, chance.randrange(2))) if pairs else frozenset()
    found = [
        Found(_mark(rule, key, place), rule, key, chance.choice("xy"), chance.choice(("", "", "w")))
        for key, rule in pairs
        for place in chance.choices("12", k=chance.randrange(4))
        if (key, rule) not in unjudged
    ]
    return Sight(
        _minute(at),
        tuple(found),
        objects,
        is_whole,
        rules,
        frozenset(chance.sample(("Pod", "apps/Deployment"), chance.randrange(2))) if is_whole else frozenset(),
        frozenset() if is_whole else _some(chance, KEYS) - objects,
        unjudged,
        _some(chance, sorted(objects)),
        _some(chance, RULES),
    )


def _some(chance: random.Random, of: Any) -> frozenset[Any]:
    return frozenset(one for one in of if chance.random() < 0.6)


def _any_history(chance: random.Random) -> dict[str, Life]:
    known: dict[str, Life] = {}
    for at in range(chance.randrange(5)):
        known = tell(known, _any_sight(chance, at)).over(known)
    return known


# hypothesis chooses the seeds; to draw each part of a history by itself takes it thirty times as long
CHANCES = st.integers(0, 2**32).map(random.Random)
HISTORIES = CHANCES.map(_any_history)
LATER = CHANCES.map(lambda chance: _any_sight(chance, 10))
WHOLE = CHANCES.map(lambda chance: _any_sight(chance, 10, whole=True))
DELTAS = [CHANCES.map(lambda chance, at=at: _any_sight(chance, at, whole=False)) for at in (10, 11)]


@examples(300)
@given(HISTORIES, WHOLE)
def test_no_ghost_outlives_a_whole_sight(known: dict[str, Life], sight: Sight) -> None:
    """What is open after one that listed everything and could run every rule is what it found."""
    sight = sight._replace(unlisted=frozenset(), unjudged=frozenset())
    now = tell(known, sight).over(known)
    assert {mark for mark, life in now.items() if life.state == "open"} == {one.fingerprint for one in sight.found}


@examples(300)
@given(HISTORIES, LATER)
def test_what_was_not_looked_at_does_not_end(known: dict[str, Life], sight: Sight) -> None:
    """Neither of an unlisted kind, nor beyond a delta, nor where the rule could not run; unless the rule is no more."""
    now = tell(known, sight).over(known)
    for mark, life in known.items():
        key = life.object
        looked = key in sight.objects or key in sight.removed or (sight.whole and key.listing not in sight.unlisted)
        in_force = sight.rules is None or life.rule in sight.rules
        if (not looked or (key, life.rule) in sight.unjudged) and (in_force or not sight.whole):
            assert now[mark] == life or (key, life.rule) in sight.unjudged
            assert now[mark].state == life.state


@examples(300)
@given(HISTORIES, LATER)
def test_the_same_sight_again_tells_nothing(known: dict[str, Life], sight: Sight) -> None:
    now = tell(known, sight).over(known)
    assert tell(now, sight) == Told(sight.at, [], [], [])


@examples(200)
@given(HISTORIES, LATER, CHANCES)
def test_the_order_of_findings_does_not_matter(known: dict[str, Life], sight: Sight, chance: random.Random) -> None:
    found, lives = list(sight.found), list(known.items())
    chance.shuffle(found)
    chance.shuffle(lives)
    assert tell(dict(lives), sight._replace(found=tuple(found))) == tell(known, sight)


@examples(200)
@given(HISTORIES, *DELTAS)
def test_the_order_of_deltas_of_other_objects_does_not_matter(known: dict[str, Life], one: Sight, two: Sight) -> None:
    theirs = one.objects | one.removed
    two = two._replace(
        objects=two.objects - theirs,
        removed=two.removed - theirs,
        found=tuple(found for found in two.found if found.object not in theirs),
    )
    first, second = tell(known, one), tell(known, two)
    there, back = tell(first.over(known), two), tell(second.over(known), one)
    assert there.over(first.over(known)) == back.over(second.over(known))
    assert (first, second) == (back, there)


@examples(200)
@given(HISTORIES, LATER)
def test_a_finding_keeps_its_first_sight(known: dict[str, Life], sight: Sight) -> None:
    """And it is reopened only where it had ended, opened only where nobody knew it."""
    told = tell(known, sight)
    now = told.over(known)
    for mark, life in known.items():
        assert now[mark].first_seen == life.first_seen
        assert life.first_seen <= now[mark].opened_at <= now[mark].last_seen
    for one in told.transitions:
        life = known.get(one.fingerprint)
        assert (one.change == "opened") == (life is None and one.change != "waived")
        assert one.change != "reopened" or (life is not None and life.state != "open")
        assert one.change not in ("fixed", "gone", "changed", "unwaived") or (life is not None and life.state == "open")


@examples(200)
@given(HISTORIES, LATER)
def test_transitions_account_for_every_state(known: dict[str, Life], sight: Sight) -> None:
    """Who has only the transitions knows what is open, what is waived and how the rest ended."""
    told = tell(known, sight)
    states = {mark: (life.state, bool(life.waived_by)) for mark, life in known.items()}
    for one in told.transitions:
        state, waived = states.get(one.fingerprint, ("", False))
        match one.change:
            case "opened" | "reopened":
                states[one.fingerprint] = ("open", False)
            case "waived" | "unwaived":
                states[one.fingerprint] = (state, one.change == "waived")
            case "fixed" | "gone":
                states[one.fingerprint] = (one.change, False)
            case "changed":
                states[one.fingerprint] = (state, waived)
    now = told.over(known)
    assert states == {mark: (life.state, bool(life.waived_by)) for mark, life in now.items()}


def test_a_thousand_deleted_objects_and_rules_leave_no_ghost() -> None:
    """M2, at its size: one whole sight closes all that was of them, and nothing else."""
    chance = random.Random(14)
    keys = [ObjectKey("", "Pod", f"ns-{number % 40}", f"pod-{number}") for number in range(3_000)]
    rules = [f"rule-{number}" for number in range(60)]
    found = tuple(
        Found(f"{key.name} {rule}", rule, key) for key in keys for rule in chance.sample(rules, chance.randrange(4))
    )
    known = tell({}, Sight(_minute(1), found, frozenset(keys), rules=frozenset(rules))).over({})
    dead_keys, dead_rules = frozenset(chance.sample(keys, 980)), frozenset(chance.sample(rules, 20))
    left = tuple(one for one in found if one.object not in dead_keys and one.rule not in dead_rules)
    told = tell(known, Sight(_minute(2), left, frozenset(keys) - dead_keys, rules=frozenset(rules) - dead_rules))
    now = told.over(known)
    assert {mark for mark, life in now.items() if life.state == "open"} == {one.fingerprint for one in left}
    assert {one.change for one in told.transitions} == {"gone"}
    causes = {one.fingerprint: one.cause for one in told.transitions}
    assert causes == {
        one.fingerprint: "scope" if one.object in dead_keys else "rules"
        for one in found
        if one.object in dead_keys or one.rule in dead_rules
    }


def test_two_places_of_one_fingerprint_are_one_finding() -> None:
    """Waived where both are, and another where either changes."""
    key = KEYS[0]
    twice = (Found("f", "r", key, "x", "w"), Found("f", "r", key, "y"))
    known = tell({}, Sight(_minute(1), twice, frozenset({key}))).over({})
    assert (known["f"].content, known["f"].waived_by) == ("x y", "")
    both = tuple(one._replace(waived_by="w") for one in twice)
    told = tell(known, Sight(_minute(2), both, frozenset({key})))
    assert [one.change for one in told.transitions] == ["waived"]
    told = tell(told.over(known), Sight(_minute(3), both[:1], frozenset({key})))
    assert [one.change for one in told.transitions] == ["changed"]


def test_what_was_only_seen_again_is_no_life_to_keep() -> None:
    """A row that is written for each finding of each check is what fills a store."""
    key = KEYS[0]
    found = (Found("f", "r", key, "x"), Found("g", "r", key, "x"), Found("h", "r", key, "x", "w"))
    known = tell({}, Sight(_minute(1), found, frozenset({key}))).over({})
    later = (found[0], found[1]._replace(content="y"), found[2]._replace(waived_by="v"))
    told = tell(known, Sight(_minute(2), later, frozenset({key})))
    assert told.confirmed == ["f"]
    assert [life.fingerprint for life in told.lives] == ["g", "h"]
    assert {life.last_seen for life in told.over(known).values()} == {_minute(2)}


def test_a_key_knows_no_version() -> None:
    keys = {key_of(ResourceId("apps", version, "Deployment", "shop", "web")) for version in ("v1", "v1beta1")}
    assert keys == {ObjectKey("apps", "Deployment", "shop", "web")}
