"""Running test files: every policy on every resource once, then each row against what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.app.ambient import ambient
from bartizan.app.fields import Fields
from bartizan.app.files import locating
from bartizan.app.policy_tests.cases import Answer, Case, Verdict
from bartizan.app.policy_tests.files import find_tests, read_bodies, read_test_files
from bartizan.app.policy_tests.world import RecordedWorld
from bartizan.app.values import Subresource, Values, plain_rule
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler, is_policy
from bartizan.model.outcome import Broken, Failed, Outcome, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import Resource, resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bartizan.app.policy_tests.files import Row, TestFile
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kyverno import Policy
    from bartizan.model.request import Operation, UserInfo

UNSUPPORTED: Final = "unsupported construct `"
_NEEDS_MUTATION: Final = ("patchedresource", "patchedresources", "generatedresource", "generatedresources")
_OTHER_KINDS: Final = {
    "isvalidatingpolicy": "ValidatingPolicy",
    "ismutatingpolicy": "MutatingPolicy",
    "isgeneratingpolicy": "GeneratingPolicy",
    "isdeletingpolicy": "DeletingPolicy",
    "isimagevalidatingpolicy": "ImageValidatingPolicy",
    "isvalidatingadmissionpolicy": "ValidatingAdmissionPolicy",
    "ismutatingadmissionpolicy": "MutatingAdmissionPolicy",
}


class TestOutcome(NamedTuple):
    """The cases of one test file, or why it could not run."""

    file: Path
    cases: tuple[Case, ...]
    error: SpecError | None


def run_tests(paths: list[Path], file_name: str) -> Iterator[TestOutcome]:
    """Run every test below `paths`; a broken file is an outcome, and the rest runs."""
    for path in find_tests(paths, file_name):
        yield run_test_file(path)


def run_test_file(path: Path) -> TestOutcome:
    """Run the tests of one file."""
    try:
        cases = [case for test in read_test_files(path) for case in _run(test)]
    except SpecError as error:
        return TestOutcome(path, (), error)
    return TestOutcome(path, tuple(cases), None)


class _Loaded(NamedTuple):
    """A test's policies: compiled, or the names of those of kinds that this version does not run."""

    policies: list[Policy]
    foreign: dict[str, str]


def _run(test: TestFile) -> list[Case]:
    compiler = expression_compiler(ambient())
    exceptions = [document.body for _, document in read_bodies(test.exceptions)]
    loaded = _load(test, exceptions, compiler)
    resources = _resources(test.resources)
    every = [*resources, *_resources(test.cluster_resources)]
    world = RecordedWorld(every, test.api_answers, test.global_entries, lambda text, value: compiler(text)(value))
    answers = {
        index: list(_answers(resource, loaded.policies, test.values, test.user, world))
        for index, resource in enumerate(resources)
    }
    return [case for row in test.rows for case in _cases(test, row, resources, answers, loaded)]


def _load(test: TestFile, exceptions: list[JsonObject], compiler: Callable[[str], Any]) -> _Loaded:
    policies: list[Policy] = []
    foreign: dict[str, str] = {}
    for _, document in read_bodies(test.policies):
        body = document.body
        if not isinstance(body, dict):
            continue
        if not is_policy(body):
            name = str((body.get("metadata") or {}).get("name"))
            foreign[name] = str(body.get("kind"))
            continue
        with locating(document):
            policy = compile_policy(body, compiler, exceptions=exceptions)
            for problem in policy.problems:
                raise problem
        policies.append(policy)
    return _Loaded(policies, foreign)


def _resources(paths: tuple[Path, ...]) -> list[Resource]:
    """The resources of files; of two with one identity the first counts, as the peer has it."""
    found: dict[Any, Resource] = {}
    for file, document in read_bodies(paths):
        body = document.body
        if not isinstance(body, dict) or "kind" not in body:
            continue
        with locating(document):
            items = _objects_in(body)
        for item in items:
            resource = in_default_namespace(resource_from(item, source=str(file), lines=document.lines))
            found.setdefault(resource.id, resource)
    return list(found.values())


def _objects_in(body: JsonObject) -> list[JsonObject]:
    """The objects of a list, or of the peer's `ClusterResource`, which says what a cluster holds; else the one."""
    if body["kind"] == "ClusterResource":
        held = Fields(body).fields("spec").items("resources")
    elif str(body["kind"]).endswith("List") and isinstance(body.get("items"), list):
        held = body["items"]
    else:
        held = [body]
    return [item for item in held if isinstance(item, dict)]


def _answers(
    resource: Resource, policies: list[Policy], values: Values, user: UserInfo | None, world: RecordedWorld
) -> Iterator[Answer]:
    for policy in policies:
        for rule in policy.rules:
            if rule.kinds is not None and resource.id.kind not in rule.kinds and not values.subresources:
                continue
            request = _request(resource, policy.name, rule.info.id.rule, values, user)
            outcome = rule.run(request, world)
            if outcome is not None:
                yield _answer(policy.full_name, rule.info.id.rule, outcome, scored=rule.info.scored)


def _request(resource: Resource, policy: str, rule: str, values: Values, user: UserInfo | None) -> Request:
    variables = values.for_rule(policy, rule, resource.id.name)
    operation: Operation = variables.get("request.operation") or "CREATE"
    parent = _parent(resource, values)
    return Request(
        resource=resource,
        operation=operation,
        user=user,
        subresource=str(variables.get("request.subResource") or parent.name),
        parent_kind=parent.parent_kind,
        parent_group=parent.parent_group,
        namespace_labels=values.namespace_labels.get(resource.id.namespace, {}),
        values=variables,
        foreach_values=values.foreach.get((policy, plain_rule(rule)), {}),
    )


def _parent(resource: Resource, values: Values) -> Subresource:
    """What a resource such as Scale is a part of, where the values say so."""
    none = Subresource(resource.id.kind, "", "", "")
    return next((entry for entry in values.subresources if entry.kind == resource.id.kind), none)


def _answer(policy: str, rule: str, outcome: Outcome, *, scored: bool) -> Answer:
    match outcome:
        case Passed(message):
            return Answer(policy, rule, "pass", message)
        case Failed(message):
            return Answer(policy, rule, "fail" if scored else "warn", message)
        case Skipped(because):
            return Answer(policy, rule, "skip", because)
        case Broken(error):
            construct = error.removeprefix(UNSUPPORTED).partition("`")[0] if error.startswith(UNSUPPORTED) else ""
            return Answer(policy, rule, "error", error, construct)


def _cases(
    test: TestFile, row: Row, resources: list[Resource], answers: dict[int, list[Answer]], loaded: _Loaded
) -> Iterator[Case]:
    """The cases of a row: for each resource it names, each rule that answered, or one for none."""
    chosen: list[int] = []
    missing: list[str] = []
    for name in row.resources:
        named = [index for index, resource in enumerate(resources) if _is_named(resource, name)]
        chosen += named
        missing += [] if named else [name]
    for index in chosen or range(len(resources)):
        matching = [answer for answer in answers[index] if _is_row(answer, row)]
        chosen_answers: list[Answer | None] = [*matching] or [None]
        for answer in chosen_answers:
            yield _judge(test, row, resources[index], answer, loaded)
    for name in missing if chosen else ():
        fail = Verdict.FAILED
        yield Case(test.path, test.name, row.policy, row.rule, name, row.result, None, fail, fail, "no such resource")


def _is_named(resource: Resource, name: str) -> bool:
    rid = resource.id
    return name in (rid.name, f"{rid.namespace}/{rid.name}")


def _is_row(answer: Answer, row: Row) -> bool:
    if answer.policy != row.policy and answer.policy.rpartition("/")[2] != row.policy:
        return False
    return not row.rule or answer.rule in (row.rule, f"autogen-{row.rule}"[:63], f"autogen-cronjob-{row.rule}"[:63])


def _judge(test: TestFile, row: Row, resource: Resource, answer: Answer | None, loaded: _Loaded) -> Case:
    compatible, strict, reason = _verdicts(row, answer, loaded)
    rid = resource.id
    name = "/".join((rid.kind, rid.namespace, rid.name) if rid.namespace else (rid.kind, rid.name))
    rule = answer.rule if answer else row.rule
    return Case(test.path, test.name, row.policy, rule, name, row.result, answer, compatible, strict, reason)


def _verdicts(row: Row, answer: Answer | None, loaded: _Loaded) -> tuple[Verdict, Verdict, str]:
    foreign = loaded.foreign.get(row.policy) or next(
        (kind for key, kind in _OTHER_KINDS.items() if row.fields.value(key)), ""
    )
    unsupported = foreign or (answer.construct if answer else "")
    if not unsupported and any(row.fields.value(field) for field in _NEEDS_MUTATION):
        unsupported = "mutate"
    if unsupported:
        return Verdict.UNSUPPORTED, Verdict.UNSUPPORTED, unsupported
    if answer is None:
        return Verdict.PASSED, Verdict.FAILED, "the rule gave no answer"
    if answer.result == row.result:
        return Verdict.PASSED, Verdict.PASSED, ""
    said = f"expected {row.result}, got {answer.result}: {answer.message}"
    return Verdict.FAILED, Verdict.FAILED, said
