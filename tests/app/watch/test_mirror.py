"""What is kept of objects, and that no check across objects looks beyond a namespace."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.app.watch.fleet import deployment, owned, pod

from bartizan.app.selection import CheckSelection, chosen_checks
from bartizan.app.watch.mirror import Mirror
from bartizan.app.watch.rules import RuleSettings, load_rules
from bartizan.catalog import load_catalog
from bartizan.findings.lifecycle import ObjectKey, key_of
from bartizan.model.resource import resource_from

_CHECKS = chosen_checks(CheckSelection()).checks
_EXAMPLES = [
    body
    for spec in load_catalog().checks.values()
    if spec.template
    for example in spec.examples
    for body in example.every
]


@given(st.lists(st.tuples(st.sampled_from(_EXAMPLES), st.sampled_from(["", "default", "a", "b"])), max_size=12))
def test_what_is_said_of_a_namespace_is_said_of_all_of_them(chosen: list[tuple[dict[str, Any], str]]) -> None:
    """Conclusions from all objects are those from each namespace by itself."""
    mirror = Mirror()
    mirror.observe(_CHECKS)
    for body, namespace in chosen:
        where = "name" if body.get("kind") == "Namespace" else "namespace"
        metadata = {**body.get("metadata", {}), **({where: namespace} if namespace else {})}
        mirror.put(resource_from({**body, "metadata": metadata}))
    parts = [mirror.facts.of(place) for place in sorted(mirror.facts.places)]
    for check in _CHECKS:
        alone, every = set(), [pair for part in parts for pair in part.by(check)]
        for part in parts:
            held = part.by(check)
            for one in check.conclude([(mirror.id_of(key), fact) for key, fact in held]):
                alone.add((held[one.number][0], one.pointer, one.message))
        together = {
            (every[one.number][0], one.pointer, one.message)
            for one in check.conclude([(mirror.id_of(key), fact) for key, fact in every])
        }
        assert together == alone


def test_an_object_comes_back_as_it_was_put_there() -> None:
    strange = {**pod("a"), "huge": 2**70, "half": "\ud800", "none": None, "deep": [[[{}]]], "f": 1.5}
    mirror = Mirror()
    key = mirror.put(resource_from(strange))
    assert key is not None
    assert mirror.resource(key).body == strange
    assert mirror.put(resource_from(strange)) is None
    assert mirror.drop(key)
    assert not mirror.drop(key)
    assert len(mirror) == 0


def test_controllers_are_found_to_the_last_and_circles_have_none() -> None:
    mirror = Mirror()
    replicas = owned({**deployment("rs"), "kind": "ReplicaSet"}, "Deployment", "web")
    for body in (owned(pod("p"), "ReplicaSet", "rs"), replicas, deployment("web"), owned(pod("q"), "Job", "gone")):
        mirror.put(resource_from(body))
    assert len(mirror.above(ObjectKey("", "Pod", "shop", "p"))) == 2
    assert mirror.above(ObjectKey("", "Pod", "shop", "q")) == []
    assert {key.name for key in mirror.below(ObjectKey("apps", "ReplicaSet", "shop", "rs"))} == {"p"}
    mirror.put(resource_from(owned(deployment("web"), "ReplicaSet", "rs")))
    assert mirror.above(key_of(resource_from(pod("p")).id)) == []


def test_rules_of_one_name_share_a_column() -> None:
    book = load_rules(RuleSettings(pod_security=("restricted",)))
    names = [facts.id for facts in book.rule_set.rules]
    assert names == sorted(set(names))
    assert len(book.columns) == len(book.rules) > len(set(book.columns))
    assert all(str(rule.info.id) == names[column] for rule, column in zip(book.rules, book.columns, strict=True))
    assert [reach.id for reach in book.reaches] == names
    assert len({facts.digest for facts in book.rule_set.rules}) == len(names)


@pytest.mark.parametrize("settings", [RuleSettings(), RuleSettings(pod_security=("baseline",))])
def test_the_digest_of_a_book_is_the_same_in_every_process(settings: RuleSettings) -> None:
    assert load_rules(settings).digest == load_rules(settings).digest
