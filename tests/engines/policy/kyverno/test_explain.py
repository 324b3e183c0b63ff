"""Explanations of rules: the verdict they explain is the rule's own, and what decided is marked."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from msgspec import UNSET
from tests.conformance import conformance_dir

from bartizan.app.ambient import ambient
from bartizan.app.policy_tests.files import TEST_FILE, find_tests, read_bodies, read_test_files
from bartizan.app.policy_tests.world import RecordedWorld
from bartizan.app.values import plain_rule
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler, is_policy
from bartizan.engines.policy.dialects.kyverno.explain import Explanation, explain_rule, watch_policy
from bartizan.lang.jmespath import Functions, functions_for
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import Resource, resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bartizan.app.policy_tests.files import TestFile
    from bartizan.engines.policy.dialects.kyverno.explain import WatchedRule
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.trace import Node


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
    from tests.conformance import find_conformance

    folder = find_conformance("kyverno-policies")
    if folder is None:
        return [pytest.param(None, id="the suite is not there")]
    tests = [path for path in find_tests([folder], TEST_FILE) if _is_classic(path)]
    groups = sorted({path.relative_to(folder).parts[0] for path in tests})
    return [
        pytest.param([path for path in tests if path.relative_to(folder).parts[0] == group], id=group)
        for group in groups
    ]


def _is_classic(path: Path) -> bool:
    return not any(part.endswith(("-cel", "-vpol", "-mpol", "-gpol", "-dpol", "-ivpol")) for part in path.parts)


@pytest.mark.parametrize("paths", _folders())
def test_explains_the_outcome_of_the_rule_itself(paths: list[Path] | None) -> None:
    """LAW: the outcome that is explained is the one the rule has when nobody watches; and the tree agrees with it."""
    conformance_dir("kyverno-policies")
    for path in paths or ():
        try:
            tests = list(read_test_files(path))
        except SpecError:
            continue
        for test in tests:
            _compare(test)


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


