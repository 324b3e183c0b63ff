"""Clean-up policies and times to live, from cases kept as data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.laws import examples

from bartizan.app.ambient import ambient
from bartizan.app.cleanup import World, plan
from bartizan.app.given_world import GivenWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.dialects.kyverno.cleanup import CleanupPolicy, compile_cleanup
from bartizan.engines.policy.dialects.kyverno.ttl import LABEL, parse_ttl, ttl_of
from bartizan.model.resource import Resource, resource_from

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "cleanup.yaml").read_text())
_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
_METADATA = ("name", "namespace", "labels", "deletionTimestamp")


def _ids(group: str, key: str = "case") -> list[str]:
    return [str(case[key]) for case in CASES[group]]


def _policy(case: dict[str, Any], **fields: Any) -> CleanupPolicy:
    spec = {"match": {"any": [{"resources": {"kinds": ["Pod"]}}]}, "schedule": "0 3 * * *", **case.get("spec", {})}
    namespace = case.get("namespace")
    metadata = {"name": "p", **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    kind = "CleanupPolicy" if namespace else "ClusterCleanupPolicy"
    document = {"apiVersion": "kyverno.io/v2", "kind": kind, "metadata": metadata, "spec": spec, **fields}
    return compile_cleanup(document, expression_compiler(ambient()))


def _object(fields: dict[str, Any]) -> Resource:
    metadata = {key: fields[key] for key in _METADATA if key in fields}
    rest = {key: value for key, value in fields.items() if key not in _METADATA}
    return resource_from({"apiVersion": "v1", **rest, "metadata": metadata})


@pytest.mark.parametrize("case", CASES["policies"], ids=_ids("policies"))
def test_policy_deletes(case: dict[str, Any]) -> None:
    objects = tuple(map(_object, case["objects"]))
    namespaces = {
        item.id.name: item.body["metadata"].get("labels", {}) for item in objects if item.id.kind == "Namespace"
    }
    (run,) = plan([_policy(case)], World(GivenWorld(lambda: objects), namespaces, objects, (), {}), _AT).runs
    assert [item.resource.name for item in run.deletions] == case["deletes"]
    assert len(run.problems) == case.get("errors", 0)
    assert all(item.because.startswith("it matches `/spec/match/") for item in run.deletions)


@pytest.mark.parametrize("case", CASES["refused"], ids=_ids("refused"))
def test_policy_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=case["says"]) as error:
        _policy(case)
    assert error.value.pointer == case["at"]
    assert error.value.hint


@pytest.mark.parametrize("case", CASES["times"], ids=_ids("times"))
def test_policy_is_due(case: dict[str, Any]) -> None:
    metadata = {"creationTimestamp": case["made"]} if case["made"] else {}
    status = {"lastExecutionTime": case["last"]} if case["last"] else {}
    policy = _policy({"spec": {"schedule": case["schedule"]}}, metadata=metadata, status=status)
    due = policy.due(datetime.fromisoformat(case["at"]))
    assert due == (datetime.fromisoformat(case["due"]) if case["due"] else None)


@pytest.mark.parametrize("case", CASES["ttl"], ids=_ids("ttl", "label"))
def test_time_to_live(case: dict[str, Any]) -> None:
    metadata = {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {LABEL: str(case["label"])}}
    ttl = ttl_of(resource_from({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}))
    assert ttl is not None
    assert ttl.ends == (datetime.fromisoformat(case["ends"]) if case["ends"] else None)
    assert bool(ttl.problem) == (ttl.ends is None)


def test_an_object_without_creation_is_not_over() -> None:
    """A manifest has no beginning to count from: it is said, and nothing is over."""
    metadata = {"name": "a", "labels": {LABEL: "1h"}}
    ttl = ttl_of(resource_from({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}))
    assert ttl is not None
    assert ttl.ends is None
    assert "creationTimestamp" in ttl.problem


@given(st.text(max_size=60))
@examples(300)
def test_any_label_has_an_end_or_a_problem(label: str) -> None:
    """Whatever a label says, reading it ends with one of the two."""
    metadata = {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {LABEL: label}}
    ttl = ttl_of(resource_from({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}))
    assert ttl is not None
    assert (ttl.ends is None) == bool(ttl.problem)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
@examples(100)
def test_parts_of_a_time_to_live_add_up(days: int, hours: int) -> None:
    """Days and hours in one text are their sum."""
    total = (days * 24 + hours) * 3_600_000_000_000
    assert parse_ttl(f"{days}d{hours}h") == total
    assert parse_ttl(f"{days}days-{hours}hours") == total
