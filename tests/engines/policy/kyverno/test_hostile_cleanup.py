"""A clean-up policy, entry or object with anything anywhere in it is judged or refused, and never a bug."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.app.cleanup import World, plan
from bartizan.app.given_world import GivenWorld
from bartizan.app.global_context import GlobalContext
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.dialects.kyverno.cleanup import compile_cleanup
from bartizan.engines.policy.dialects.kyverno.global_context import compile_entry
from bartizan.engines.policy.lookup import GlobalQuestion, LookupFailedError
from bartizan.model.resource import Resource, resource_from
from bartizan.outputs.cleanup import as_json, as_yaml, text

_COMPILER: Final = expression_compiler(ambient())
_AT: Final = datetime(2026, 11, 20, tzinfo=UTC)
_SELECTOR: Final = {"matchLabels": {"a": "b*"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}
_OLD: Final = {"operator": "GreaterThan", "value": "1h"}
_POLICY: Final[dict[str, Any]] = {
    "apiVersion": "kyverno.io/v2",
    "kind": "CleanupPolicy",
    "metadata": {"name": "p", "namespace": "n", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {
        "schedule": "*/5 1-4 L * mon#2",
        "match": {
            "any": [{"resources": {"kinds": ["v1/Pod", "*"], "names": ["o*"], "selector": _SELECTOR}}],
        },
        "exclude": {"all": [{"resources": {"annotations": {"a": "b"}, "namespaceSelector": _SELECTOR}}]},
        "context": [
            {"name": "maps", "globalReference": {"name": "e.part", "jmesPath": "[0]"}},
            {"name": "word", "variable": {"value": {"a": "{{ target.metadata.name }}"}, "jmesPath": "a"}},
        ],
        "conditions": {
            "any": [{"key": "{{ word }}", "operator": "AnyIn", "value": ["o*", "{{ maps }}"]}],
            "all": [{"key": "{{ time_since('', target.metadata.creationTimestamp, '') }}", **_OLD}],
        },
        "deletionPropagationPolicy": "Orphan",
    },
    "status": {"lastExecutionTime": "2026-02-01T00:00:00Z"},
}
_ENTRY: Final[dict[str, Any]] = {
    "apiVersion": "kyverno.io/v2beta1",
    "kind": "GlobalContextEntry",
    "metadata": {"name": "e"},
    "spec": {
        "kubernetesResource": {"group": "", "version": "v1", "resource": "pods", "namespace": "n"},
        "projections": [{"name": "part", "jmesPath": "[].metadata.name"}],
    },
}
_OBJECT: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "one",
        "namespace": "n",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "resourceVersion": "1",
        "labels": {"a": "b", "cleanup.kyverno.io/ttl": "1d12h"},
        "annotations": {"cleanup.kyverno.io/propagation-policy": "Foreground"},
    },
    "spec": {"containers": [{"name": "c", "image": "registry.example/a:1"}]},
}


@examples(600)
@given(st.sampled_from(["policy", "entry", "object"]), st.data())
def test_nothing_is_a_bug(spoiled: str, data: st.DataObject) -> None:
    documents = {"policy": deepcopy(_POLICY), "entry": deepcopy(_ENTRY), "object": deepcopy(_OBJECT)}
    spoil(documents[spoiled], data)
    try:
        policy = compile_cleanup(documents["policy"], _COMPILER)
        entry = compile_entry(documents["entry"], _COMPILER)
    except SpecError:
        return
    objects: tuple[Resource, ...] = (resource_from(documents["object"]),)
    lookup = GlobalContext(GivenWorld(lambda: objects), [entry])
    report = plan([policy], World(lookup, {"n": {}}, objects, objects, {}), _AT)
    assert "\n".join(text(report, color=True))
    assert as_json(report, ())
    assert as_yaml(report, ())


@examples(100)
@given(st.data())
def test_a_world_with_anything_in_it_answers_or_says_why_not(data: st.DataObject) -> None:
    body = deepcopy(_OBJECT)
    spoil(body, data)
    world = GlobalContext(GivenWorld(lambda: [resource_from(body)]), [compile_entry(_ENTRY, _COMPILER)])
    for name in ("e", "e.part"):
        with suppress(LookupFailedError):
            assert isinstance(world.answer(GlobalQuestion(name)), list)
