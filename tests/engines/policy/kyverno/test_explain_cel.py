"""Explanations of policies in CEL: the verdict they explain is the policy's own, and what decided is marked."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT, conformance_dir, find_conformance
from tests.engines.policy.kyverno.test_explain import coherent, every
from tests.engines.policy.kyverno.test_validating import CASES as VALIDATING
from tests.engines.policy.kyverno.test_validating import exceptions_of, policy_of, request_of
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.app.explain.watched import explain, is_explained, watch
from bartizan.app.given_world import GivenWorld
from bartizan.app.policies import compile_document
from bartizan.app.policy_tests.files import TEST_FILE, find_tests, read_bodies, read_test_files
from bartizan.app.policy_tests.world import RecordedWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.engines.policy.dialects.kyverno.explanation.cel import explain_cel_rule, watch_cel_policy
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bartizan.app.explain.watched import Watched
    from bartizan.app.policy_tests.files import TestFile
    from bartizan.engines.policy.explanation.explanation import Explanation
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.resource import Resource

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "explain_cel.yaml").read_text())
MUTATING = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "mutating.yaml").read_text())
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}
_SUITES = ("kyverno-policies", "kyverno-cli")
_ENDS = ("-cel", "-vpol", "-mpol", "-gpol", "-dpol", "-ivpol")
_NEXT = 3
"""Of the library's tests every third is explained: a walk takes ten times as long as a function."""


class Pair(NamedTuple):
    """A rule as it runs, and watched."""

    fast: Rule
    watched: Watched


def _folders() -> list[Any]:
    found = []
    for suite in _SUITES:
        folder = find_conformance(suite)
        tests = [path for path in find_tests([folder], TEST_FILE) if _is_in_cel(path)] if folder else []
        for group in sorted({path.relative_to(folder).parts[0] for path in tests if folder}):
            paths = [path for path in tests if folder and path.relative_to(folder).parts[0] == group]
            found.append(pytest.param(suite, paths[::_NEXT], id=f"{suite}/{group}"))
    return found or [pytest.param("kyverno-policies", [], id="the suites are not there")]


def _is_in_cel(path: Path) -> bool:
    return any(part.endswith(_ENDS) or "policies-kyverno" in part for part in path.parts)


@pytest.mark.parametrize(("suite", "paths"), _folders())
def test_explains_the_outcome_of_the_policy_itself(suite: str, paths: list[Path]) -> None:
    """LAW: the outcome that is explained is the one the rule has when nobody watches; and the tree agrees with it."""
    conformance_dir(suite)
    for path in paths:
        try:
            for test in read_test_files(path):
                _compare(test)
        except SpecError:
            continue  # `bartizan test` says what is wrong with the file


def _compare(test: TestFile) -> None:
    compiler = expression_compiler(ambient())
    bodies = (document.body for _, document in read_bodies(test.resources))
    resources = [in_default_namespace(resource_from(body)) for body in bodies if isinstance(body, dict)]
    world = RecordedWorld(
        resources, test.api_answers, test.global_entries, lambda text, value: compiler(text)(value), test.context
    )
    for pair in _pairs(test):
        for resource in resources:
            rule = pair.fast
            request = _request(test, resource, rule)
            asked = rule.kinds is None or resource.id.kind in rule.kinds
            outcome = rule.run(request, world) if asked else None
            explained = explain(pair.watched, request, world)
            assert plain(explained.outcome) == plain(outcome), f"{test.path}: {rule.info.id} on {resource.id}"
            coherent(explained)


def _pairs(test: TestFile) -> Iterator[Pair]:
    exceptions = [document.body for _, document in read_bodies(test.exceptions)]
    compiler = expression_compiler(ambient())
    for _, document in read_bodies(test.policies):
        if is_explained(document.body):
            fast = compile_document(document.body, compiler, exceptions).rules
            watched = watch(document.body, exceptions).rules
            assert [item.rule.info.id for item in watched] == [rule.info.id for rule in fast]
            yield from map(Pair, fast, watched)


def _request(test: TestFile, resource: Resource, rule: Rule) -> Request:
    rid = rule.info.id
    values = test.values.for_rule(rid.policy.rpartition("/")[2], rid.rule, resource.id.name)
    return Request(
        resource=resource,
        operation=values.get("request.operation") or "CREATE",
        user=test.user,
        namespace_labels=test.values.namespace_labels.get(resource.id.namespace, {}),
        values=values,
    )


def plain(outcome: Any) -> Any:
    """An outcome without the identity of what it holds."""
    if isinstance(outcome, Passed):
        return "pass", outcome.message, [(change.resource, change.before, change.after) for change in outcome.changes]
    if isinstance(outcome, Failed):
        return "fail", outcome.message, outcome.pointer, str(outcome.evidence)
    return outcome


@lru_cache(maxsize=1)
def _world() -> GivenWorld:
    return GivenWorld(list, is_whole=False)


def _explained(case: dict[str, Any]) -> Explanation:
    policy = watch_cel_policy(policy_of(case), ambient(), exceptions=exceptions_of(case))
    world = [resource_from(body) for body in case.get("world", [])]
    return explain_cel_rule(policy.rules[0], request_of(case), GivenWorld(lambda: world, is_whole=False))


@pytest.mark.parametrize("case", [case for case in VALIDATING if "gives" in case], ids=lambda case: case["case"])
def test_validating_policies_are_explained_as_they_run(case: dict[str, Any]) -> None:
    """LAW: the outcome that is explained is the one the policy has when nobody watches."""
    policy = compile_cel_policy(policy_of(case), ambient(), exceptions=exceptions_of(case))
    world = [resource_from(body) for body in case.get("world", [])]
    outcome = policy.rules[0].run(request_of(case), GivenWorld(lambda: world, is_whole=False))
    explained = _explained(case)
    assert plain(explained.outcome) == plain(outcome)
    coherent(explained)


@pytest.mark.parametrize(
    ("entry", "case"),
    [
        pytest.param(entry, case, id=f"{entry['name']}: {index}")
        for entry in MUTATING
        for index, case in enumerate(entry.get("cases", ()))
    ],
)
def test_mutating_policies_are_explained_as_they_run(entry: dict[str, Any], case: dict[str, Any]) -> None:
    """LAW: the outcome that is explained is the one the policy has when nobody watches."""
    document = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": entry.get("kind", "MutatingPolicy"),
        "metadata": {"name": "policy", "namespace": "own"},
        "spec": entry["spec"],
    }
    exceptions = entry.get("exceptions", ())
    known = [resource_from(item) for item in entry.get("world", ())]
    world = GivenWorld(lambda: known, is_whole=True)
    fast = compile_cel_policy(document, ambient(), exceptions=exceptions).rules
    watched = watch_cel_policy(document, ambient(), exceptions=exceptions).rules
    request = Request(resource_from(case["resource"]))
    for rule, item in zip(fast, watched, strict=True):
        asked = rule.kinds is None or request.resource.id.kind in rule.kinds
        outcome = rule.run(request, world) if asked else None
        explained = explain_cel_rule(item, request, world)
        assert plain(explained.outcome) == plain(outcome)
        coherent(explained)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_reasons(case: dict[str, Any]) -> None:
    explained = _explained(case)
    assert _WORDS[type(explained.outcome)] == case["gives"], explained.outcome
    coherent(explained)
    deciding = explained.root.deciding
    assert [node.note for node in deciding if node is not explained.root] == case["because"]
    assert [node.label for node in every(explained.root) if node.decided][1:] == case["decided"]
    if "at" in case:
        assert (deciding[0].at, deciding[0].begins) == (case["at"], case["begins"])
    if "pointer" in case:
        assert deciding[0].pointer == case["pointer"]
    said = {node.label for node in every(explained.root) if node.kind == "change"}
    assert said == set(case.get("changes", []))
    unasked = [node.label for node in explained.root.children if node.verdict == "unreached"]
    assert unasked == case.get("unasked", [])


@examples(300)
@given(st.data())
def test_whatever_a_policy_holds_it_is_explained_as_it_runs(data: st.DataObject) -> None:
    """LAW: with anything anywhere in it, a policy is refused in both modes, or both give the same outcome."""
    case = data.draw(st.sampled_from([*CASES, *(case for case in VALIDATING if "gives" in case)]))
    document = deepcopy(policy_of(case))
    spoil(document, data)
    if not is_explained(document):
        return
    try:
        fast = compile_cel_policy(document, ambient(), exceptions=exceptions_of(case)).rules
    except SpecError as error:
        with pytest.raises(SpecError, match=re.escape(error.message)):
            watch_cel_policy(document, ambient(), exceptions=exceptions_of(case))
        return
    watched = watch_cel_policy(document, ambient(), exceptions=exceptions_of(case)).rules
    for rule, item in zip(fast, watched, strict=True):
        request = request_of(case)
        asked = rule.kinds is None or request.resource.id.kind in rule.kinds
        outcome = rule.run(request, _world()) if asked else None
        explained = explain_cel_rule(item, request_of(case), _world())
        assert plain(explained.outcome) == plain(outcome)
        coherent(explained)
        msgspec.json.encode(explained.root)


def test_a_long_loop_is_explained_in_bounded_size() -> None:
    """Of a loop over a long list so many turns are kept as anybody could look through, and the last is told."""
    case = {
        "spec": {"validations": [{"expression": "object.data.list.all(item, item != 'b')"}]},
        "object": {"data": {"list": ["a"] * 30_000 + ["b"]}},
    }
    explained = _explained(case)
    assert isinstance(explained.outcome, Failed)
    assert sum(1 for _ in every(explained.root)) < 50_000
    assert explained.root.deciding
