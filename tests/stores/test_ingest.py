"""Reports are kept once, as a whole, and every count follows from them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text
from tests.stores.fleet import World, at, observed, pod, rules
from tests.stores.ledger import assert_counts_hold

from bartizan.base.errors import SpecError, StoreError
from bartizan.model.fleet import Generation
from bartizan.model.resource import identify
from bartizan.model.severity import Severity
from bartizan.stores import generations
from bartizan.stores.clusters import forget
from bartizan.stores.schema import cluster, finding, resource, rule, transition

if TYPE_CHECKING:
    from bartizan.stores.open import Store

ROOTS = rules("roots", "limits:low")


@pytest.fixture
def world(store: Store) -> World:
    return World(store).join("one", "two")


def states(store: Store) -> dict[str, str]:
    """The state of each finding, by object and rule."""
    wanted = select(resource.c.name, rule.c.name, finding.c.state)
    joined = wanted.join(resource, resource.c.id == finding.c.resource).join(rule, rule.c.id == finding.c.rule)
    with store.reading() as connection:
        return {f"{row[0]} {row[1]}": row[2] for row in connection.execute(joined)}


def steps(store: Store) -> list[str]:
    """What happened to findings, in order."""
    with store.reading() as connection:
        return [f"{row.change} {row.cause}" for row in connection.execute(select(transition).order_by(transition.c.id))]


def test_a_finding_is_opened_fixed_and_reopened(world: World) -> None:
    for hour, verdicts in enumerate(("ff", "pf", "ff")):
        world.keep(ROOTS, observed(pod("a"), ROOTS, verdicts), hours=hour)
    assert states(world.store) == {"a roots": "open", "a limits": "open"}
    assert steps(world.store) == ["opened scope", "opened scope", "fixed findings", "reopened findings"]
    assert_counts_hold(world.store)


def test_a_waiver_and_its_end_are_told_as_exceptions(world: World) -> None:
    for hour, verdicts in enumerate(("fp", "vp", "fp")):
        world.keep(ROOTS, observed(pod("a"), ROOTS, verdicts), hours=hour)
        assert states(world.store) == {"a roots": "waived" if verdicts == "vp" else "open"}
    assert steps(world.store)[1:] == ["waived exceptions", "unwaived exceptions"]
    assert_counts_hold(world.store)


def test_an_object_that_is_deleted_takes_its_findings_along(world: World) -> None:
    world.keep(ROOTS, observed(pod("a"), ROOTS, "ff"), observed(pod("b"), ROOTS, "fp"))
    moves = world.keep(ROOTS, gone=(identify(pod("a")),), hours=1)
    assert (moves.closed, moves.went) == (2, 1)
    assert states(world.store) == {"a roots": "gone", "a limits": "gone", "b roots": "open"}
    assert_counts_hold(world.store)
    world.keep(ROOTS, observed(pod("a"), ROOTS, "fp"), hours=2)
    assert states(world.store)["a roots"] == "open"
    assert_counts_hold(world.store)


def test_a_rule_that_goes_takes_its_findings_along(world: World) -> None:
    world.keep(ROOTS, observed(pod("a"), ROOTS, "ff"))
    fewer = rules("limits:low")
    world.keep(fewer, observed(pod("a"), fewer, "f"), hours=1)
    assert states(world.store) == {"a roots": "gone", "a limits": "open"}
    assert steps(world.store)[-1] == "gone rules"
    assert_counts_hold(world.store)


def test_a_rule_weighed_otherwise_moves_the_totals_of_its_cluster_alone(world: World) -> None:
    for name in ("one", "two"):
        world.keep(ROOTS, observed(pod("a"), ROOTS, "ff"), observed(pod("b"), ROOTS, "fp"), cluster=name)
    heavier = rules("roots:critical", "limits:low", digest="2")
    world.keep(heavier, observed(pod("a"), heavier, "ff"), hours=30)
    assert_counts_hold(world.store)
    with world.store.reading() as connection:
        failed = text("SELECT cluster, severity, failed FROM total WHERE failed > 0 ORDER BY 1, 2")
        low, high, critical = int(Severity.LOW), int(Severity.HIGH), int(Severity.CRITICAL)
        assert [tuple(row) for row in connection.execute(failed)] == [
            (1, low, 1),
            (1, critical, 2),
            (2, low, 1),
            (2, high, 2),
        ]


def test_a_batch_told_twice_counts_once(world: World) -> None:
    batch = world.batch(ROOTS, observed(pod("a"), ROOTS, "fp"))
    assert world.ingest.keep(batch).status == "kept"
    again = world.ingest.keep(batch)
    assert (again.status, again.sequence) == ("repeated", 1)
    assert steps(world.store) == ["opened scope"]
    assert_counts_hold(world.store)


def test_a_batch_that_misses_one_before_it_is_not_kept(world: World) -> None:
    world.batch(ROOTS)
    receipt = world.ingest.keep(world.batch(ROOTS, observed(pod("a"), ROOTS, "fp")))
    assert (receipt.status, receipt.sequence) == ("gap", 0)
    assert states(world.store) == {}


def test_an_older_judgement_does_not_undo_a_newer_one(world: World) -> None:
    world.keep(ROOTS, observed(pod("a"), ROOTS, "pp"), hours=2)
    world.keep(ROOTS, observed(pod("a"), ROOTS, "ff"), hours=1, stream="check")
    assert states(world.store) == {}
    assert_counts_hold(world.store)


def test_what_a_complete_generation_has_not_seen_is_gone(world: World) -> None:
    """No ghosts: M2."""
    pods = [pod(f"p{number}") for number in range(50)]
    services = [{**pod(f"s{number}"), "kind": "Service"} for number in range(5)]
    world.keep(ROOTS, *(observed(body, ROOTS, "ff") for body in [*pods, *services]))
    number = generations.begin(world.store, "one", at(1), "d", "v1")
    seen = tuple(identify(body) for body in pods[:10])
    world.keep(ROOTS, seen=seen, generation=number, hours=2, stream="check")
    world.keep(ROOTS, observed(pod("newer"), ROOTS, "fp"), hours=2.5)  # by the watch, after its kind was listed
    done = Generation(
        "one", number, at(1), at(3), complete=True, policy_digest="d", evaluator="v1", unlisted=("Service",)
    )
    moves = generations.end(world.ingest, world.store, done)
    assert moves.went == 40
    assert generations.end(world.ingest, world.store, done).went == 0
    still = {name.split()[0] for name, state in states(world.store).items() if state == "open"}
    assert still == {f"p{n}" for n in range(10)} | {f"s{n}" for n in range(5)} | {"newer"}
    assert_counts_hold(world.store)


def test_a_generation_that_failed_closes_nothing(world: World) -> None:
    world.keep(ROOTS, observed(pod("a"), ROOTS, "ff"))
    number = generations.begin(world.store, "one", at(1), "d", "v1")
    done = Generation("one", number, at(1), at(3), complete=False, policy_digest="d", evaluator="v1")
    assert generations.end(world.ingest, world.store, done).went == 0
    assert set(states(world.store).values()) == {"open"}


def test_what_was_not_judged_for_long_is_stale_and_its_findings_stay(world: World) -> None:
    world.keep(ROOTS, observed(pod("a"), ROOTS, "fp"))
    world.keep(ROOTS, observed(pod("b"), ROOTS, "fp"), hours=5)
    assert generations.age(world.ingest, world.store, "one", at(6), at(4)).pairs == 2
    assert generations.age(world.ingest, world.store, "one", at(6), at(4)).pairs == 0
    assert set(states(world.store).values()) == {"open"}
    assert_counts_hold(world.store)
    world.keep(ROOTS, observed(pod("a"), ROOTS, "fp"), hours=7)
    with world.store.reading() as connection:
        causes = text("SELECT DISTINCT cause FROM entry ORDER BY 1")
        assert list(connection.execute(causes).scalars()) == ["freshness", "scope"]
    assert_counts_hold(world.store)


def test_a_cluster_nobody_knows_is_refused(world: World) -> None:
    with pytest.raises(StoreError, match="no cluster `three` is in the fleet"):
        world.keep(ROOTS, cluster="three")


def test_verdicts_that_are_none_are_refused(world: World) -> None:
    with pytest.raises(SpecError, match="1 verdicts on 2 rules"):
        world.keep(ROOTS, observed(pod("a"), rules("roots"), "f"))


def test_a_cluster_forgotten_elsewhere_is_noticed(world: World) -> None:
    world.keep(ROOTS, observed(pod("a"), ROOTS, "fp"))
    forget(world.store, "one")
    world.join("one")
    world.sequences.clear()
    world.keep(ROOTS, observed(pod("a"), ROOTS, "fp"))
    assert states(world.store) == {"a roots": "open"}
    assert_counts_hold(world.store)


def test_hostile_names_are_kept_harmlessly(world: World) -> None:
    names = ["'; DROP TABLE finding; --", "<script>alert(1)</script>", "nul\0in", "\ud800", "x" * 100_000, "%_\\"]
    bodies = [pod(name, namespace=name) for name in names]
    world.keep(
        ROOTS, *(observed(body, ROOTS, "ff", team=body["metadata"]["name"], message="\0\ud800") for body in bodies)
    )
    with world.store.reading() as connection:
        found = list(connection.execute(select(resource.c.name).order_by(resource.c.id)).scalars())
    assert found == [*names[:2], "nul\ufffdin", "?", *names[4:]]
    assert_counts_hold(world.store)


def test_any_history_adds_up(world: World) -> None:
    """Whatever is reported, in whatever order, the counts are those of the objects that are there."""
    chance = random.Random(6)
    sets = [ROOTS, rules("roots", "limits:low", digest="2"), rules("limits:high", "hosts", digest="3"), rules("hosts")]
    for hour in range(60):
        asked = chance.choice(sets)
        bodies = {
            f"{space}/{name}": pod(name, namespace=space)
            for space, name in zip(chance.choices("xy", k=5), chance.choices("abcdef", k=5), strict=True)
        }
        said = [
            observed(
                body, asked, "".join(chance.choices("pfwesv-", k=len(asked.rules))), team=chance.choice(["", "red"])
            )
            for body in bodies.values()
        ]
        away = tuple(identify(pod(chance.choice("abcdef"), namespace="x")) for _ in range(chance.randrange(3)))
        where = chance.choice(["one", "two"])
        world.keep(asked, *said, gone=away, cluster=where, hours=hour)
        if hour % 10 == 9:
            generations.age(world.ingest, world.store, where, at(hour + 0.5), at(hour - 5))
    assert_counts_hold(world.store)
    with world.store.reading() as connection:
        assert connection.execute(select(cluster.c.objects)).scalars().all()
