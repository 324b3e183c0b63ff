"""What has to be judged again when something changes: that, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.app.watch.fleet import Post, Shelf, checks, deployment, owned, pod, verdicts, write
from tests.app.watch.recount import assert_counts

from bartizan.app.given_world import GivenWorld
from bartizan.app.watch.ageing import waivers_of
from bartizan.app.watch.keeper import Telling
from bartizan.app.watch.mirror import Mirror
from bartizan.app.watch.rules import RuleBook, RuleSettings, load_rules
from bartizan.app.watch.sentry import Sentry
from bartizan.app.watch.verdicts import TeamWaiver
from bartizan.findings.lifecycle import ObjectKey, key_of
from bartizan.model.ledger import Verdict
from bartizan.model.resource import resource_from
from bartizan.model.waiver import Waiver
from bartizan.stores import waivers as decisions
from bartizan.stores.reports import Receipt

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.stores.open import Store
    from bartizan.stores.reports import Batch

_RULE = "privileged-container"
_NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def _policy(name: str, kind: str, label: str = "owner") -> dict[str, Any]:
    rule = {
        "name": "labelled",
        "match": {"any": [{"resources": {"kinds": [kind]}}]},
        "validate": {"message": f"name the {label}", "pattern": {"metadata": {"labels": {label: "?*"}}}},
    }
    metadata = {"name": name, "annotations": {"pod-policies.kyverno.io/autogen-controllers": "none"}}
    return {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": metadata, "spec": {"rules": [rule]}}


def _config(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}}


def test_a_changed_policy_is_asked_again_only_where_it_can_match(store: Store, tmp_path: Path) -> None:
    asked = RuleSettings(checks=checks(_RULE).checks, policies=(tmp_path,))
    write(tmp_path, "p.yaml", _policy("owned", "ConfigMap"))
    post = Post(store, Shelf(_config("c"), pod("p"), deployment("d")), asked)
    post.check()
    assert ("owned/labelled", "c") in post.open()
    sentry = post.sentry

    write(tmp_path, "p.yaml", _policy("owned", "ConfigMap", "team"))
    sentry.adopt(load_rules(asked))
    assert {key.kind for key in sentry.dirty} == {"ConfigMap"}
    assert sentry.look().findings

    write(tmp_path, "p.yaml", _policy("owned", "Deployment"))
    sentry.adopt(load_rules(asked))
    assert {key.kind for key in sentry.dirty} == {"ConfigMap", "Deployment"}
    sentry.look()
    assert ("owned/labelled", "d") in post.open()
    assert ("owned/labelled", "c") not in post.open()

    write(tmp_path, "q.yaml", _policy("other", "Secret"))
    sentry.adopt(load_rules(asked))
    assert not sentry.dirty

    (tmp_path / "p.yaml").unlink()
    sentry.adopt(load_rules(asked))
    assert {key.kind for key in sentry.dirty} == {"Deployment"}
    sentry.look()
    assert {rule for rule, _ in post.open()} == {_RULE}
    assert_counts(store)
    post.check()
    assert_counts(store)


def test_the_same_rules_read_again_ask_for_nothing(lite: Store, tmp_path: Path) -> None:
    write(tmp_path, "p.yaml", _policy("owned", "ConfigMap"))
    asked = RuleSettings(checks=checks(_RULE).checks, policies=(tmp_path,), pod_security=("baseline",))
    post = Post(lite, Shelf(_config("c")), asked)
    post.check()
    before = post.sentry.book.digest
    (tmp_path / "p.yaml").touch()
    post.sentry.adopt(load_rules(asked))
    assert (post.sentry.book.digest, post.sentry.dirty) == (before, set())


def test_a_waiver_applies_at_once_and_ends_in_one_evaluation(store: Store) -> None:
    """Measure M4 of the plane, on the store's own rows: nobody ends it, its time runs out."""
    post = Post(store, Shelf(pod("a"), pod("b"), _config("c")), checks(_RULE))
    post.check()
    now = datetime.now(UTC)
    with store.writing() as connection:
        chosen = {"policy": _RULE, "name": "a"}
        asked = decisions.Asked(chosen, None, "being replaced", "ann", now + timedelta(hours=1))
        number = decisions.ask(connection, asked, now)
        decisions.decide(connection, number, "approved", "bob", now)
    post.sentry.accept(waivers_of(store, "one", now))
    assert {key.name for key in post.sentry.dirty} == {"a"}
    post.sentry.look()
    assert verdicts(store, "Pod", "a") == {_RULE: Verdict.WAIVED}
    assert post.open() == {(_RULE, "b")}
    assert_counts(store)
    post.sentry.accept(waivers_of(store, "one", now + timedelta(minutes=59)))
    assert not post.sentry.dirty
    post.sentry.accept(waivers_of(store, "one", now + timedelta(hours=1)))
    post.sentry.look()
    assert verdicts(store, "Pod", "a") == {_RULE: Verdict.FAIL}
    assert post.open() == {(_RULE, "a"), (_RULE, "b")}
    assert_counts(store)


def test_a_waiver_can_be_for_one_team_and_one_finding(lite: Store) -> None:
    label = "app.kubernetes.io/part-of"
    post = Post(lite, Shelf(pod("a", labels={label: "till"}), pod("b", labels={label: "cart"})), checks(_RULE))
    post.check()
    post.sentry.accept([TeamWaiver(_waiver("w", policy=_RULE), "till")])
    post.sentry.look()
    assert post.open() == {(_RULE, "b")}
    from sqlalchemy import select

    from bartizan.stores.schema import finding

    with lite.reading() as connection:
        mark = connection.execute(select(finding.c.fingerprint).where(finding.c.state == "open")).scalar_one()
    post.sentry.accept([TeamWaiver(_waiver("v", fingerprint=mark))])
    post.sentry.look()
    assert post.open() == {(_RULE, "a")}
    assert_counts(lite)


def _waiver(number: str, /, **chosen: str) -> Waiver:
    return Waiver(number, "because", "ann", date.max, **chosen)


def test_a_store_that_was_away_is_told_everything_later(store: Store) -> None:
    from bartizan.app.watch.keeper import LocalKeeper
    from bartizan.base.errors import StoreError
    from bartizan.stores.ingest import Ingest

    class Away(LocalKeeper):
        """A keeper that can be away, before it keeps or after it did and before it says so."""

        when = ""

        def keep(self, batch: Batch) -> Receipt:
            if self.when == "before":
                raise StoreError("away")
            receipt = super().keep(batch)
            if self.when == "after":
                raise StoreError("away")
            return receipt

    keeper = Away(Ingest(store, b"k"), store)
    post = Post(store, Shelf(pod("a"), pod("b"), pod("c")), checks(_RULE), keeper)
    post.check()
    for when in ("before", "after", "before"):
        keeper.when = when
        post.sentry.put(resource_from(pod("a", privileged=when == "after")))
        post.sentry.drop(ObjectKey("", "Pod", "shop", "b"))
        try:
            post.sentry.look()
        except StoreError:
            assert post.sentry.waits
        else:
            raise AssertionError("it was not away")
    keeper.when = ""
    post.sentry.look()
    assert not post.sentry.waits
    assert post.open() == {(_RULE, "c")}
    assert_counts(store)


# -- the law -------------------------------------------------------------------

_LABEL = "app.kubernetes.io/part-of"


class Memory:
    """A keeper that remembers what it was told last of each object."""

    def __init__(self) -> None:
        self.told: dict[ObjectKey, Any] = {}

    def keep(self, batch: Batch) -> Receipt:
        """Remember."""
        names = [facts.id for facts in batch.rules.rules]
        for one in batch.observed:
            said = {name: verdict for name, verdict in zip(names, one.verdicts, strict=True) if verdict}
            found = sorted((str(f.rule.id), f.message, f.pointer, f.result, f.waived_by) for f in one.findings)
            self.told[key_of(one.resource.id)] = (one.resource.body, said, found, one.team)
        for rid in batch.gone:
            self.told.pop(key_of(rid), None)
        return Receipt("kept", batch.sequence)

    def sequence(self, *_: str) -> int:
        """None yet."""
        return 0


def _sentry(mirror: Mirror, book: RuleBook) -> tuple[Sentry, Memory]:
    memory = Memory()

    def held() -> Any:
        return [mirror.resource(key) for key in mirror.entries]

    return Sentry(mirror, book, Telling(memory, "one", "s", lambda: _NOW), lambda: GivenWorld(held)), memory


_ALL = load_rules(checks(_RULE, "latest-image", "dangling-service", "namespace-without-default-deny", "fixed-replicas"))
_FEW = load_rules(RuleSettings(checks=checks(_RULE, "dangling-service").checks, pod_security=("baseline",)))
_OTHER = load_rules(checks("latest-image", "missing-disruption-budget"))
_BOOKS = (_ALL, _FEW, _OTHER, replace(_ALL))
_NAMES = st.sampled_from(["a", "b"])
_SPACES = st.sampled_from(["shop", "till"])


@st.composite
def _objects(draw: st.DrawFn) -> dict[str, Any]:
    name, namespace, privileged = draw(_NAMES), draw(_SPACES), draw(st.booleans())
    kind = draw(st.sampled_from(["Pod", "Deployment", "ReplicaSet", "Service", "Namespace", "NetworkPolicy"]))
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    match kind:
        case "Pod":
            body = pod(name, namespace, privileged=privileged, labels={"app": draw(_NAMES)})
        case "Deployment" | "ReplicaSet":
            body = {
                **deployment(name, namespace, privileged=privileged, replicas=draw(st.integers(0, 2))),
                "kind": kind,
            }
        case "Service":
            spec = {"selector": {"app": draw(_NAMES)}, "ports": [{"port": 80}]}
            body = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
        case "NetworkPolicy":
            spec = {"podSelector": {}}
            body = {"apiVersion": "networking.k8s.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
        case _:
            labels = draw(st.sampled_from([{}, {_LABEL: "x"}, {_LABEL: "y"}]))
            body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": namespace, "labels": labels}}
    owner = draw(st.sampled_from(["", "Deployment", "ReplicaSet"])) if kind in ("Pod", "ReplicaSet") else ""
    return owned(body, owner, draw(_NAMES)) if owner else body


_WAIVERS = st.lists(
    st.builds(
        lambda policy, name, team: TeamWaiver(_waiver(f"{policy}{name}{team}", policy=policy, name=name), team),
        st.sampled_from(["*", _RULE, "latest-*"]),
        st.sampled_from(["*", "a"]),
        st.sampled_from(["*", "x"]),
    ),
    max_size=2,
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), _objects()),
        st.tuples(st.just("drop"), _objects()),
        st.tuples(st.just("book"), st.integers(0, len(_BOOKS) - 1)),
        st.tuples(st.just("waive"), _WAIVERS),
        st.tuples(st.just("look"), st.none()),
    ),
    min_size=3,
    max_size=25,
)


@given(_STEPS)
@settings(max_examples=300)
def test_step_by_step_is_told_what_a_check_from_the_beginning_tells(steps: list[tuple[str, Any]]) -> None:
    """Whatever happens in whatever order, what was told in parts is what one look at the end would tell."""
    sentry, memory = _sentry(Mirror(), _ALL)
    waivers: Any = ()
    for what, value in steps:
        match what:
            case "put":
                sentry.put(resource_from(value))
            case "drop":
                sentry.drop(key_of(resource_from(value).id))
            case "book":
                sentry.adopt(_BOOKS[value])
            case "waive":
                waivers = value
                sentry.accept(value)
            case _:
                sentry.look()
    sentry.look()
    assert not sentry.waits
    fresh, again = _sentry(Mirror(), sentry.book)
    fresh.accept(waivers)
    for key in sentry.mirror.entries:
        fresh.put(sentry.mirror.resource(key))
    fresh.look()
    assert memory.told == again.told


def test_what_we_bring_asks_the_world_nothing() -> None:
    """Whole checks rest on it: an object that is as it was gets the verdicts it had."""
    from bartizan.app.asking import Asker
    from bartizan.app.watch.verdicts import Jury
    from bartizan.catalog import load_catalog

    class Nobody:
        """Answers nothing, and remembers what was asked."""

        asked: ClassVar[list[Any]] = []

        def answer(self, question: Any) -> Any:
            self.asked.append(question)
            raise AssertionError(question)

    book = load_rules(RuleSettings(pod_security=("restricted", "baseline")))
    jury = Jury(book, Asker(), Nobody())  # type: ignore[arg-type]  # it never returns
    judged = [
        jury.judge(resource_from(body))
        for spec in load_catalog().checks.values()
        for example in spec.examples
        for body in example.every
    ]
    assert any(one.findings for one in judged)
    assert Nobody.asked == []
    assert book.restless == frozenset()
    assert not [one for spec in load_catalog().checks.values() for one in spec.policy if "time_" in str(one)]


def test_objects_that_only_we_judge_are_confirmed_unasked_and_others_are_asked_again(
    lite: Store, tmp_path: Path
) -> None:
    write(tmp_path, "p.yaml", _policy("owned", "ConfigMap"))
    asked = RuleSettings(checks=checks(_RULE).checks, policies=(tmp_path,))
    post = Post(lite, Shelf(_config("c"), pod("p")), asked)
    post.check()
    assert post.sentry.book.restless == {"ConfigMap"}
    keys = set(post.sentry.mirror.entries)
    assert {key.kind for key in post.sentry._quiet(keys)} == {"Pod"}  # noqa: SLF001  (what it spares is not told)
    assert post.check().moves.pairs == 0
    from sqlalchemy import select

    from bartizan.stores.schema import resource

    with lite.reading() as connection:
        assert {row.generation for row in connection.execute(select(resource.c.generation))} == {2}
