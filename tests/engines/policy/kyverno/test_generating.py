"""GeneratingPolicies, from cases kept as data: what they make, what they let go of, and what is refused."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.engines.policy.kyverno.test_generate import MAX_GENERATIONS, chain, without_kyverno
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.app.given_world import GivenWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.cel.generating import compile_generating
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.engines.policy.dialects.kyverno.cel.spec import read_head
from bartizan.engines.policy.dialects.kyverno.generation.sync import Terms
from bartizan.engines.policy.lookup import Offline
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.outcome import Outcome

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "generating.yaml").read_text())
REFUSED = [case for case in CASES if "refused" in case]
RUN = [case for case in CASES if "refused" not in case]
PASSING = [case for case in RUN if case.get("gives", "pass") == "pass"]
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}
_NAMESPACES = {
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["namespaces"]}
    ]
}
_SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


def _world(objects: Iterable[JsonObject]) -> Lookup:
    resources = [resource_from(body) for body in objects]
    return GivenWorld(lambda: resources, is_whole=True)


def _document(case: dict[str, Any]) -> dict[str, Any]:
    kind = case.get("kind", "GeneratingPolicy")
    metadata = {"name": "p", **({"namespace": "own"} if kind.startswith("Namespaced") else {})}
    spec = {"matchConstraints": _NAMESPACES, **case["spec"]}
    return {"apiVersion": "policies.kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _exceptions(case: dict[str, Any]) -> list[JsonObject]:
    head = {"apiVersion": "policies.kyverno.io/v1", "kind": "PolicyException", "metadata": {"name": "e"}}
    return [{**head, "spec": spec} for spec in case.get("exceptions", ())]


def _ask(case: dict[str, Any], world: Lookup, document: dict[str, Any] | None = None) -> Outcome | None:
    policy = compile_cel_policy(document or _document(case), ambient(), exceptions=_exceptions(case))
    (rule,) = policy.rules
    old = resource_from(case["old"]) if "old" in case else None
    operation = "UPDATE" if old else case.get("operation", "CREATE")
    return rule.run(Request(resource_from(case.get("trigger", _SHOP)), operation=operation, old=old), world)


@pytest.mark.parametrize("case", RUN, ids=[case["case"] for case in RUN])
def test_policy_makes(case: dict[str, Any]) -> None:
    before = json.dumps(case)
    outcome = _ask(case, _world(case.get("world", ())))
    assert _WORDS[type(outcome)] == case.get("gives", "pass"), outcome
    if isinstance(outcome, Broken):
        assert case["says"] in outcome.error
    if isinstance(outcome, Passed):
        wanted = [change.after for change in outcome.changes if change.after is not None]
        assert [without_kyverno(body) for body in wanted] == case.get("makes", [without_kyverno(b) for b in wanted])
        assert [str(c.resource) for c in outcome.changes if c.after is None] == case.get("deletes", [])
        assert sum(c.before is not None and c.after is not None for c in outcome.changes) == case.get("changes", 0)
        if "labels" in case:
            assert [body["metadata"]["labels"] for body in wanted] == [case["labels"]]
    assert json.dumps(case) == before, "what is read may not be changed"


@pytest.mark.parametrize("case", REFUSED, ids=[case["case"] for case in REFUSED])
def test_policy_is_refused_with_the_place(case: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        compile_cel_policy(_document(case), ambient())
    assert caught.value.pointer == case["refused"]
    assert caught.value.hint or "at column" in caught.value.message


@pytest.mark.parametrize("case", PASSING, ids=[case["case"] for case in PASSING])
def test_once_done_there_is_nothing_left_to_do(case: dict[str, Any]) -> None:
    world = {resource_from(body).id: body for body in case.get("world", ())}
    outcome = _ask(case, _world(world.values()))
    assert isinstance(outcome, Passed)
    for change in outcome.changes:
        if change.after is None:
            del world[change.resource]
        else:
            world[change.resource] = change.after
    again = _ask(case, _world(world.values()))
    assert isinstance(again, Passed)
    assert again.changes == ()


def test_policy_says_how_its_objects_live() -> None:
    on = {"enabled": True}
    evaluation = {"synchronize": on, "generateExisting": on, "admission": {"enabled": False}}
    evaluation |= {"orphanDownstreamOnPolicyDelete": on, "skipBackgroundRequests": False}
    spec = {"evaluation": evaluation, "useServerSideApply": True, "generate": [{"expression": "true"}]}
    document = _document({"spec": {**spec, "webhookConfiguration": {"timeoutSeconds": 5}}})
    rule = compile_generating(document, read_head(document), ambient(), ())
    assert (rule.for_existing, rule.in_admission, rule.for_generated) == (True, False, True)
    assert rule.terms == Terms(synchronize=True, orphans=True, merges=True)
    plain = _document({"spec": {"generate": [{"expression": "true"}]}})
    rule = compile_generating(plain, read_head(plain), ambient(), ())
    assert (rule.for_existing, rule.in_admission, rule.for_generated) == (False, True, False)
    assert rule.terms == Terms()


def test_world_that_cannot_be_asked_is_an_error_and_no_empty_one() -> None:
    text = 'generator.apply("shop", [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}])'
    outcome = _ask({"spec": {"generate": [{"expression": text}]}}, Offline())
    assert isinstance(outcome, Broken)
    assert "ConfigMap `shop/a`" in outcome.error


@pytest.mark.parametrize(("length", "word"), [(MAX_GENERATIONS - 1, "pass"), (MAX_GENERATIONS, "error")])
def test_chain_of_generated_objects_comes_to_an_end(length: int, word: str) -> None:
    """Policies that make what triggers them are stopped, for each object says what it was made for."""
    objects = chain(length)
    secrets = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}
    made = '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x-" + object.metadata.name}}'
    spec = {
        "matchConstraints": {"resourceRules": [secrets]},
        "generate": [{"expression": f'generator.apply("b", [{made}])'}],
    }
    outcome = _ask({"trigger": objects[-1], "spec": spec}, _world(objects))
    assert _WORDS[type(outcome)] == word
    if isinstance(outcome, Broken):
        assert "the rules loop" in outcome.error


@pytest.mark.parametrize(
    "text", ["(" * 50_000, "((" * 50_000, "(( " + "(" * 50_000, "\\((" * 50_000, '(( "' + "\\" * 50_000]
)
def test_long_texts_are_read_in_one_go(text: str) -> None:
    template = {"value": json.dumps({"kind": text}), "interpolate": "cel"}
    try:
        compile_cel_policy(_document({"spec": {"generate": [{"template": template}]}}), ambient())
    except SpecError as error:
        assert error.pointer == "/spec/generate/0/template/value"  # noqa: PT017 (some of these texts are well)


def test_a_template_that_nests_without_end_is_refused() -> None:
    value = '{"a": ' * 400 + '"(( object ))"' + "}" * 400
    template = {"value": value, "interpolate": "cel"}
    with pytest.raises(SpecError) as caught:
        compile_cel_policy(_document({"spec": {"generate": [{"template": template}]}}), ambient())
    assert caught.value.pointer == "/spec/generate/0/template/value"


@examples(500)
@given(st.sampled_from(CASES), st.data())
def test_policy_with_anything_in_it_is_refused_or_runs(case: dict[str, Any], data: st.DataObject) -> None:
    document = deepcopy(_document(case))
    spoil(document["spec"], data)
    try:
        outcome = _ask(case, _world(case.get("world", ())), document)
    except SpecError:
        return
    assert type(outcome) in _WORDS


@examples(300)
@given(st.sampled_from(RUN), st.data())
def test_world_with_anything_in_it_is_no_bug(case: dict[str, Any], data: st.DataObject) -> None:
    world = deepcopy(case.get("world", [_SHOP]))
    spoil(world, data)
    outcome = _ask(case, _world(body for body in world if isinstance(body, dict)))
    assert type(outcome) in _WORDS
