"""What a rule that generates makes for one trigger, from cases kept as data."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.dialects.kyverno.generation.generate import compile_generate
from bartizan.engines.policy.dialects.kyverno.generation.places import MAX_GENERATIONS, MAX_OBJECTS
from bartizan.engines.policy.dialects.kyverno.generation.sync import Terms
from bartizan.engines.policy.dialects.kyverno.rule import PolicyMeta
from bartizan.engines.policy.dialects.kyverno.spec import RuleSpec
from bartizan.engines.policy.document import decode
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion, Offline
from bartizan.engines.policy.objects import selects
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno import Policy
    from bartizan.engines.policy.lookup import Lookup, Question
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.outcome import Outcome

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "generate.yaml").read_text())
REFUSED = [case for case in CASES if "refused" in case]
RUN = [case for case in CASES if "refused" not in case]
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}
_COMPILER = expression_compiler(ambient())
_SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


class World:
    """A lookup that knows some objects, and nothing more."""

    def __init__(self, objects: Iterable[JsonObject] = ()) -> None:
        self._objects = [resource_from(body) for body in objects]

    def answer(self, question: Question) -> Json:
        """The objects of a question about objects."""
        if not isinstance(question, ObjectsQuestion):
            raise LookupFailedError(f"not to be asked: {question}")
        wanted = selects(question)
        return [item.body for item in self._objects if wanted(item)]


def document_of(case: dict[str, Any]) -> dict[str, Any]:
    """The policy of a case, as a document."""
    given = dict(case.get("policy", {}))
    metadata = {"name": "p", **({"namespace": given.pop("namespace")} if "namespace" in given else {})}
    kind = given.pop("kind", "ClusterPolicy")
    match = case.get("match") or {"any": [{"resources": {"kinds": ["*"]}}]}
    rule = {"name": "r", "match": match, "generate": case["generate"], **case.get("rule", {})}
    spec = {**given, "rules": [rule, *case.get("after", ())]}
    return {"apiVersion": "kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def policy_of(case: dict[str, Any]) -> Policy:
    """The policy of a case, compiled."""
    return compile_policy(document_of(case), _COMPILER)


def rule_of(case: dict[str, Any]) -> Rule:
    """The rule of a case, which must compile."""
    policy = policy_of(case)
    assert not policy.problems
    return policy.rules[0]


def ask(case: dict[str, Any], world: Lookup) -> Outcome | None:
    """The outcome of a case's rule for its trigger."""
    trigger = resource_from(case.get("trigger", _SHOP))
    old = resource_from(case["old"]) if "old" in case else None
    request = Request(trigger, operation="UPDATE" if old else case.get("operation", "CREATE"), old=old)
    return rule_of(case).run(request, world)


def without_kyverno(body: JsonObject) -> JsonObject:
    """An object without Kyverno's own labels."""
    own = {
        name: value
        for name, value in body["metadata"]["labels"].items()
        if not name.startswith("generate.kyverno.io/") and name != "app.kubernetes.io/managed-by"
    }
    rest = {key: value for key, value in body["metadata"].items() if key != "labels"}
    return {**body, "metadata": {**rest, **({"labels": own} if own else {})}}


@pytest.mark.parametrize("case", RUN, ids=[case["case"] for case in RUN])
def test_rule_makes(case: dict[str, Any]) -> None:
    before = json.dumps(case)
    outcome = ask(case, World(case.get("world", ())))
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
    policy = policy_of(case)
    assert policy.problems
    assert policy.problems[0].pointer == case["refused"]
    assert policy.problems[0].hint
    assert not any(rule.info.id.rule == "r" for rule in policy.rules)


@pytest.mark.parametrize(
    ("of_policy", "of_rule", "expected"),
    [(False, None, False), (True, None, True), (True, False, False), (False, True, True)],
)
def test_rule_says_whether_triggers_count_that_were_there_before(
    of_policy: bool, of_rule: bool | None, expected: bool
) -> None:
    generate: dict[str, Any] = {"namespace": "a", "cloneList": {"namespace": "b", "kinds": ["v1/Secret", "v1/Thing"]}}
    generate |= {} if of_rule is None else {"generateExisting": of_rule}
    generate |= {"synchronize": True, "orphanDownstreamOnPolicyDelete": True}
    match = {"all": [{"resources": {"kinds": ["Namespace"], "operations": ["DELETE"]}}]}
    spec = decode({"name": "r", "match": match, "generate": generate}, RuleSpec, "")
    meta = PolicyMeta("p", "", {}, "", "", Severity.LOW, "", True, "Audit", (), of_policy, server_side_apply=True)
    rule = compile_generate(spec, meta, _COMPILER, "")
    assert rule.for_existing is expected
    assert rule.after_deletion
    assert rule.kinds == ("v1/Secret", "v1/Thing")
    assert rule.terms == Terms(synchronize=True, orphans=True, merges=True)


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"admission": False}, "/spec/admission"),
        ({"admission": False, "background": False}, "/spec/admission"),
        ({"generateExistingOnPolicyUpdate": True}, "/spec/generateExistingOnPolicyUpdate"),
    ],
)
def test_policy_that_would_never_generate_is_refused(spec: dict[str, bool], pointer: str) -> None:
    generate = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "namespace": "b", "data": {}}
    with pytest.raises(SpecError) as caught:
        policy_of({"policy": spec, "generate": generate})
    assert caught.value.pointer == pointer
    assert caught.value.hint


def test_world_that_cannot_be_asked_is_an_error_and_no_empty_one() -> None:
    case = {"generate": {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "namespace": "shop", "data": {}}}
    outcome = ask(case, Offline())
    assert isinstance(outcome, Broken)
    assert "ConfigMap `shop/a`" in outcome.error


PASSING = [case for case in RUN if case.get("gives", "pass") == "pass"]


@pytest.mark.parametrize("case", PASSING, ids=[case["case"] for case in PASSING])
def test_once_done_there_is_nothing_left_to_do(case: dict[str, Any]) -> None:
    world = {resource_from(body).id: body for body in case.get("world", ())}
    outcome = ask(case, World(world.values()))
    assert isinstance(outcome, Passed)
    for change in outcome.changes:
        if change.after is None:
            del world[change.resource]
        else:
            world[resource_from(change.after).id] = change.after
    again = ask(case, World(world.values()))
    assert isinstance(again, Passed)
    assert again.changes == ()


def chain(length: int) -> list[JsonObject]:
    """Objects of which each was generated for the one before; the first was made by somebody."""
    made: list[JsonObject] = []
    for index in range(length + 1):
        labels = {
            "generate.kyverno.io/rule-name": "r",
            "generate.kyverno.io/trigger-kind": "Secret",
            "generate.kyverno.io/trigger-version": "v1",
            "generate.kyverno.io/trigger-group": "",
            "generate.kyverno.io/trigger-namespace": "b",
            "generate.kyverno.io/trigger-uid": f"u{index - 1}",
        }
        metadata = {"name": f"s{index}", "namespace": "b", "uid": f"u{index}", "labels": labels if index else {}}
        made.append({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    return made


@pytest.mark.parametrize(("length", "word"), [(MAX_GENERATIONS - 1, "pass"), (MAX_GENERATIONS, "error")])
def test_chain_of_generated_objects_comes_to_an_end(length: int, word: str) -> None:
    objects = chain(length)
    target = {"apiVersion": "v1", "kind": "Secret", "name": "x-{{ request.object.metadata.name }}", "namespace": "b"}
    outcome = ask({"trigger": objects[-1], "generate": {**target, "data": {}}}, World(objects))
    assert _WORDS[type(outcome)] == word
    if isinstance(outcome, Broken):
        assert "the rules loop" in outcome.error


def test_no_trigger_asks_for_more_objects_than_anybody_wants() -> None:
    target = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a{{ elementIndex }}", "namespace": "b", "data": {}}
    generate = {"foreach": [{"list": "request.object.data", **target}]}
    trigger = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": ["a"] * (MAX_OBJECTS + 1)}
    outcome = ask({"trigger": trigger, "generate": generate}, World())
    assert isinstance(outcome, Broken)
    assert f"more than {MAX_OBJECTS} objects" in outcome.error


@examples(500)
@given(st.sampled_from(CASES), st.data())
def test_policy_with_anything_in_it_is_refused_or_runs(case: dict[str, Any], data: st.DataObject) -> None:
    document = deepcopy(document_of(case))
    spoil(document["spec"]["rules"], data)
    try:
        policy = compile_policy(document, _COMPILER)
    except SpecError:
        return
    trigger = resource_from(case.get("trigger", _SHOP))
    for rule in policy.rules:
        outcome = rule.run(Request(trigger, operation=case.get("operation", "CREATE")), World(case.get("world", ())))
        assert type(outcome) in _WORDS


@examples(300)
@given(st.sampled_from(RUN), st.data())
def test_world_with_anything_in_it_is_no_bug(case: dict[str, Any], data: st.DataObject) -> None:
    world = deepcopy(case.get("world", [_SHOP]))
    spoil(world, data)
    outcome = ask(case, World(body for body in world if isinstance(body, dict)))
    assert type(outcome) in _WORDS
