"""Explanations of rules: the verdict they explain is the rule's own, and what decided is marked."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from tests.conformance import ROOT, conformance_dir, find_conformance
from tests.engines.policy.kyverno.test_rules import CASES as RULES
from tests.engines.policy.kyverno.test_rules import Answers, exceptions_of, object_of, policy_of
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.app.policy_tests.files import TEST_FILE, find_tests, read_bodies, read_test_files
from bartizan.app.policy_tests.world import RecordedWorld
from bartizan.app.values import plain_rule
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import compile_policy, is_policy
from bartizan.engines.policy.dialects.kyverno.explanation.rule import Explanation, explain_rule, watch_policy
from bartizan.lang.jmespath import Functions, functions_for
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import Resource, resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bartizan.app.policy_tests.files import TestFile
    from bartizan.engines.policy.dialects.kyverno.explanation.rule import WatchedRule
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.trace import Node

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "explain.yaml").read_text())
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}


@lru_cache(maxsize=1)
def functions() -> Functions:
    """The functions, with a clock that stands still and the same chance for both modes."""
    real = ambient()
    at = real.now()
    return functions_for(type(real)(lambda: at, lambda: 0.25, real.parse_yaml))


class Pair(NamedTuple):
    """A rule as it runs, and watched."""

    fast: Rule
    watched: WatchedRule


def _pairs(test: TestFile) -> Iterator[Pair]:
    exceptions = [document.body for _, document in read_bodies(test.exceptions)]
    compiler = _compiler()
    for _, document in read_bodies(test.policies):
        if is_policy(document.body):
            fast = compile_policy(document.body, compiler, exceptions=exceptions).rules
            watched = watch_policy(document.body, functions(), exceptions=exceptions).rules
            assert [item.rule.info.id for item in watched] == [rule.info.id for rule in fast]
            yield from map(Pair, fast, watched)


def _compiler() -> Any:
    from bartizan.lang.jmespath import compile_expression

    return lambda text: compile_expression(text, functions(), missing="error")


def _resources(test: TestFile) -> list[Resource]:
    bodies = (document.body for _, document in read_bodies(test.resources))
    return [in_default_namespace(resource_from(body)) for body in bodies if isinstance(body, dict) and "kind" in body]


def _request(test: TestFile, resource: Resource, rule: Rule) -> Request:
    rid = rule.info.id
    policy = rid.policy.rpartition("/")[2]
    values = test.values.for_rule(policy, rid.rule, resource.id.name)
    return Request(
        resource=resource,
        operation=values.get("request.operation") or "CREATE",
        user=test.user,
        namespace_labels=test.values.namespace_labels.get(resource.id.namespace, {}),
        values=values,
        foreach_values=test.values.foreach.get((policy, plain_rule(rid.rule)), {}),
    )


def _folders() -> list[Any]:
    found = []
    for suite in ("kyverno-policies", "kyverno-cli"):
        folder = find_conformance(suite)
        tests = [path for path in find_tests([folder], TEST_FILE) if _is_classic(path)] if folder else []
        for group in sorted({path.relative_to(folder).parts[0] for path in tests if folder}):
            paths = [path for path in tests if folder and path.relative_to(folder).parts[0] == group]
            found.append(pytest.param(suite, paths, id=f"{suite}/{group}"))
    return found or [pytest.param("kyverno-policies", [], id="the suites are not there")]


def _is_classic(path: Path) -> bool:
    return not any(part.endswith(("-cel", "-vpol", "-mpol", "-gpol", "-dpol", "-ivpol")) for part in path.parts)


@pytest.mark.parametrize(("suite", "paths"), _folders())
def test_explains_the_outcome_of_the_rule_itself(suite: str, paths: list[Path]) -> None:
    """LAW: the outcome that is explained is the one the rule has when nobody watches; and the tree agrees with it."""
    conformance_dir(suite)
    for path in paths:
        try:
            for test in read_test_files(path):
                _compare(test)
        except SpecError:
            continue  # `bartizan test` says what is wrong with the file


def _compare(test: TestFile) -> None:
    resources = _resources(test)
    world = RecordedWorld(
        resources, test.api_answers, test.global_entries, lambda text, value: _compiler()(text)(value)
    )
    for pair in _pairs(test):
        for resource in resources:
            request = _request(test, resource, pair.fast)
            rule = pair.fast
            asked = rule.kinds is None or resource.id.kind in rule.kinds
            outcome = rule.run(request, world) if asked else None
            explained = explain_rule(pair.watched, request, world)
            assert _plain(explained.outcome) == _plain(outcome), f"{test.path}: {rule.info.id} on {resource.id}"
            coherent(explained)


def _plain(outcome: Any) -> Any:
    """An outcome without the identity of what it holds."""
    if isinstance(outcome, Passed):
        return "pass", outcome.message, [(change.resource, change.before, change.after) for change in outcome.changes]
    if isinstance(outcome, Failed):
        return "fail", outcome.message, outcome.pointer, str(outcome.evidence)
    return outcome


def coherent(explained: Explanation) -> None:
    """The tree says what the outcome says: how it ended, and by which of its parts."""
    root = explained.root
    words = {Passed: "held", Failed: "failed", Skipped: "skipped", Broken: "error", type(None): "skipped"}
    assert root.verdict == words[type(explained.outcome)]
    if not isinstance(explained.outcome, Passed):
        assert root.deciding not in ([], [root]), "a part decided, and says why"
    for node in every(root):
        assert not any(child.decided for child in node.children) or node.decided, "what decided hangs on what decided"
        assert node.verdict != "unreached" or node.value is UNSET or not node.children


def every(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from every(child)


def _explained(case: dict[str, Any]) -> Explanation:
    policy = watch_policy(policy_of(case), functions(), exceptions=exceptions_of(case))
    assert not policy.problems
    (rule,) = [item for item in policy.rules if item.rule.info.id.rule == "r"]
    return explain_rule(rule, _request_of(case), Answers(case.get("answers", {})))


def _request_of(case: dict[str, Any]) -> Request:
    old = resource_from(object_of(case["old"])) if "old" in case else None
    operation = case.get("operation", "UPDATE" if old else "CREATE")
    return Request(resource_from(object_of(case["object"])), operation=operation, old=old)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_reasons(case: dict[str, Any]) -> None:
    explained = _explained(case)
    assert _WORDS[type(explained.outcome)] == case["gives"]
    coherent(explained)
    deciding = explained.root.deciding
    assert [node.note for node in deciding if node is not explained.root] == case["because"]
    assert [node.label for node in every(explained.root) if node.decided][1:] == case["decided"]
    if "at" in case:
        assert deciding[0].at == case["at"]
    if "pointer" in case:
        assert deciding[0].pointer == case["pointer"]
    said = {node.label for node in every(explained.root) if node.kind == "change"}
    assert said == set(case.get("changes", []))


@pytest.mark.parametrize("case", RULES, ids=[case["case"] for case in RULES])
def test_rules_are_explained_as_they_run(case: dict[str, Any]) -> None:
    """LAW: the outcome that is explained is the one the rule has when nobody watches."""
    policy = compile_policy(policy_of(case), _compiler(), exceptions=exceptions_of(case))
    (rule,) = [rule for rule in policy.rules if rule.info.id.rule == "r"]
    explained = _explained(case)
    assert _plain(explained.outcome) == _plain(rule.run(_request_of(case), Answers(case.get("answers", {}))))
    coherent(explained)


@examples(400)
@given(st.data())
def test_whatever_a_policy_holds_it_is_explained_as_it_runs(data: st.DataObject) -> None:
    """LAW: with anything anywhere in it, a policy is refused in both modes, or both give the same outcome."""
    case = data.draw(st.sampled_from([*CASES, *RULES]))
    document = deepcopy(policy_of(case))
    spoil(document, data)
    try:
        fast = compile_policy(document, _compiler(), exceptions=exceptions_of(case))
    except SpecError as error:
        with pytest.raises(SpecError, match=re.escape(error.message)):
            watch_policy(document, functions(), exceptions=exceptions_of(case))
        return
    watched = watch_policy(document, functions(), exceptions=exceptions_of(case))
    assert [item.rule.info.id for item in watched.rules] == [rule.info.id for rule in fast.rules]
    for rule, item in zip(fast.rules, watched.rules, strict=True):
        if rule.yields and rule.does != "validate":
            continue  # the chain of admission decides there, and no rule alone
        request = _request_of(case)
        asked = rule.kinds is None or request.resource.id.kind in rule.kinds
        outcome = rule.run(request, Answers(case.get("answers", {}))) if asked else None
        explained = explain_rule(item, _request_of(case), Answers(case.get("answers", {})))
        assert _plain(explained.outcome) == _plain(outcome)
        assert explained.root.verdict in ("held", "failed", "skipped", "error")


def test_a_long_loop_is_explained_in_proportion_to_its_length() -> None:
    """A place is looked up and not searched for: with a search for each, this would take minutes."""
    case = {
        "validate": {"foreach": [{"list": "request.object.spec.items", "pattern": {"name": "a"}}]},
        "object": {"spec": {"items": [*({"name": "a"} for _ in range(5_000)), {"name": "b"}]}},
    }
    (reason,) = _explained(case).root.deciding
    assert reason.pointer == "/spec/items/5000/name"
