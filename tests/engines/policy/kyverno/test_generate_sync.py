"""What becomes of generated objects when something changes: cases kept as data, and laws."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT

from bartizan.engines.policy.dialects.kyverno.generation.labels import (
    CLONE_SOURCE,
    Maker,
    clones_of,
    is_made_by,
    labels_of,
    maker_labels,
    marked_source,
    source_labels,
)
from bartizan.engines.policy.dialects.kyverno.generation.sync import Event, Terms, Wanted, reconcile
from bartizan.engines.policy.objects import selects
from bartizan.model.resource import identify, resource_from

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.json import JsonObject
    from bartizan.model.change import Change

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "generate-sync.yaml").read_text())
MAKER = Maker("p", "", "r")


def config_map(name: str, data: dict[str, str], by: str = "") -> JsonObject:
    """A ConfigMap, with the labels of a rule that made it."""
    labels = {"labels": maker_labels(Maker("p", "", by))} if by else {}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "n", **labels},
        "data": data,
    }


def want(body: JsonObject) -> Wanted:
    """An object as a rule wants it."""
    return Wanted(identify(body), body)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['event']}: {case['case']}" for case in CASES])
def test_event_has_its_changes(case: dict[str, Any]) -> None:
    wanted = [want(config_map(by="r", **item)) for item in case.get("wanted", ())]
    existing = [config_map(**item) for item in case.get("existing", ())]
    terms = Terms(case.get("synchronize", False), case.get("orphans", False), case.get("merges", False))
    changes = reconcile(case["event"], MAKER, terms, wanted, existing)
    named: dict[str, dict[str, Any]] = {"makes": {}, "changes": {}, "deletes": {}, "releases": {}}
    for change in changes:
        named[deed_of(change)][change.resource.name] = (change.after or {}).get("data")
    assert named["makes"] == case.get("makes", {})
    assert named["changes"] == case.get("changes", {})
    assert list(named["deletes"]) == case.get("deletes", [])
    assert list(named["releases"]) == case.get("releases", [])


def deed_of(change: Change) -> str:
    """What a change does, in the words of the cases."""
    if change.before is None:
        return "makes"
    if change.after is None:
        return "deletes"
    return "releases" if is_made_by(change.before, MAKER) and not is_made_by(change.after, MAKER) else "changes"


_NAMES = st.sampled_from(["a", "b", "c", "d"])
_VALUES = st.dictionaries(st.sampled_from(["k", "l", "m"]), st.sampled_from(["1", "2"]), max_size=3)
_EXISTING = st.dictionaries(_NAMES, st.tuples(_VALUES, st.sampled_from(["", "r", "other"])), max_size=4)
_EVENTS = st.sampled_from(get_args(Event))
_TERMS = st.builds(Terms, st.booleans(), st.booleans(), st.booleans())


def objects(named: dict[str, tuple[dict[str, str], str]]) -> list[JsonObject]:
    """The objects of a world, each with a uid as the server gives it."""
    made = [config_map(name, data, by) for name, (data, by) in named.items()]
    return [{**body, "metadata": {**body["metadata"], "uid": body["metadata"]["name"]}} for body in made]


def after(existing: Iterable[JsonObject], changes: Iterable[Change]) -> list[JsonObject]:
    """The world once the changes are done."""
    world = {identify(body): body for body in existing}
    for change in changes:
        assert world.get(change.resource) is change.before
        if change.after is None:
            del world[change.resource]
        else:
            world[change.resource] = change.after
    return list(world.values())


@given(_EVENTS, _TERMS, st.dictionaries(_NAMES, _VALUES, max_size=3), _EXISTING)
def test_once_done_there_is_nothing_left_to_do(event: Event, terms: Terms, asked: Any, there: Any) -> None:
    wanted = [want(config_map(name, data, "r")) for name, data in asked.items()]
    existing = objects(there)
    before = json.dumps(existing)
    world = after(existing, reconcile(event, MAKER, terms, wanted, existing))
    assert reconcile(event, MAKER, terms, wanted, world) == ()
    assert json.dumps(existing) == before, "what exists may not be changed"


@given(_EVENTS, _TERMS, st.dictionaries(_NAMES, _VALUES, max_size=3), _EXISTING)
def test_nothing_is_deleted_or_let_go_that_another_made(event: Event, terms: Terms, asked: Any, there: Any) -> None:
    wanted = [want(config_map(name, data, "r")) for name, data in asked.items()]
    for change in reconcile(event, MAKER, terms, wanted, objects(there)):
        if change.before is not None and deed_of(change) in {"deletes", "releases"}:
            assert is_made_by(change.before, MAKER)


@given(_EVENTS, st.dictionaries(_NAMES, _VALUES, max_size=3), _EXISTING)
def test_without_synchronize_no_object_that_exists_is_changed_or_deleted(event: Event, asked: Any, there: Any) -> None:
    wanted = [want(config_map(name, data, "r")) for name, data in asked.items()]
    deeds = {deed_of(change) for change in reconcile(event, MAKER, Terms(), wanted, objects(there))}
    assert deeds <= {"makes", "releases"}


@given(st.dictionaries(_NAMES, _VALUES, max_size=3), _EXISTING)
def test_synchronized_objects_become_what_is_wanted_but_for_what_the_server_wrote(asked: Any, there: Any) -> None:
    wanted = [want(config_map(name, data, "r")) for name, data in asked.items()]
    existing = objects(there)
    world = {
        identify(body): body for body in after(existing, reconcile("trigger", MAKER, Terms(True), wanted, existing))
    }
    for resource, body in wanted:
        now = world[resource]
        assert {**now, "metadata": {key: value for key, value in now["metadata"].items() if key != "uid"}} == body
        assert now["metadata"].get("uid") == (resource.name if resource.name in there else None)


@given(_VALUES, _VALUES)
def test_what_did_not_change_is_shared(old: dict[str, str], new: dict[str, str]) -> None:
    before = {**config_map("a", old, "r"), "spec": {"deep": [{"x": 1}]}}
    body = {**config_map("a", new, "r"), "spec": {"deep": [{"x": 1}]}}
    for change in reconcile("trigger", MAKER, Terms(True), [want(body)], [before]):
        assert change.after is not None
        assert change.after["spec"] is before["spec"]
        assert change.after["metadata"] is before["metadata"]


def test_server_written_fields_and_status_are_kept() -> None:
    written = {"uid": "u", "resourceVersion": "7", "generation": 3, "creationTimestamp": "t", "managedFields": [{}]}
    body = config_map("a", {"k": "old"}, "r")
    existing = {**body, "metadata": {**body["metadata"], **written}, "status": {"ready": True}}
    (change,) = reconcile("trigger", MAKER, Terms(True), [want(config_map("a", {"k": "new"}, "r"))], [existing])
    assert change.after is not None
    assert change.after["metadata"] == existing["metadata"]
    assert change.after["status"] == {"ready": True}


def test_copies_of_a_source_are_found_by_their_labels() -> None:
    source = resource_from(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n", "uid": "u"}}
    )
    labels = source_labels(source.id, source.uid)
    copy: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "c", "namespace": "m", "labels": labels},
    }
    other = {**copy, "metadata": {**copy["metadata"], "labels": {**labels, "generate.kyverno.io/source-uid": "v"}}}
    holds = selects(clones_of(source))
    assert [holds(resource_from(body)) for body in (copy, other, source.body)] == [True, False, False]


def test_source_is_marked_once() -> None:
    source = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "labels": {"own": "kept"}}}
    marked = marked_source(source)
    assert marked is not None
    assert labels_of(marked) == {"own": "kept", CLONE_SOURCE: ""}
    assert marked_source(marked) is None
