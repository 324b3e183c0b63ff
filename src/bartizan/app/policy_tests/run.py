"""Running test files: every policy on every resource once, then each row against what came."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.app.ambient import ambient
from bartizan.app.asking import Asker
from bartizan.app.fields import Fields
from bartizan.app.files import locating
from bartizan.app.parallel import share
from bartizan.app.policies import compile_document
from bartizan.app.policy_tests.cases import Answer, Case
from bartizan.app.policy_tests.files import find_tests, read_bodies, read_test_files
from bartizan.app.policy_tests.rows import Came, by_name, cases_of
from bartizan.app.policy_tests.world import RecordedWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document
from bartizan.engines.policy.dialects.kyverno import expression_compiler, is_policy
from bartizan.engines.policy.dialects.kyverno.cel.policy import is_cel_policy, share_evidence, without_pinning
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.report import Problem
from bartizan.model.resource import Resource, payload_from, resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bartizan.app.policy_tests.files import TestFile
    from bartizan.app.supply import Progress
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.chain import Step
    from bartizan.engines.policy.dialects.kyverno import Policy
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.request import Payload
    from bartizan.sources.yaml import Document

UNSUPPORTED: Final = "unsupported construct `"


_ALONE: Final = 16
"""Test files that one process does sooner than it would begin a second."""


class TestOutcome(msgspec.Struct, frozen=True, array_like=True):
    """The cases of one test file, or why it could not run."""

    file: str
    cases: list[Case]
    problem: Problem | None = None


class _Group(msgspec.Struct, array_like=True):
    outcomes: list[TestOutcome]


def run_tests(
    paths: list[Path], file_name: str, *, workers: int = 0, progress: Progress = lambda _done, _all: None
) -> Iterator[TestOutcome]:
    """Run every test below `paths`, in order; a broken file is an outcome, and the rest runs.

    `workers` are processes; 0 is one a core.
    """
    files = list(find_tests(paths, file_name))
    count = workers or (os.cpu_count() or 1)
    size = max(len(files) // (count * 16), 1)
    groups = [files[start : start + size] for start in range(0, len(files), size)]
    done = 0

    def work(number: int) -> _Group:
        nonlocal done
        outcomes = _Group([run_test_file(file) for file in groups[number]])
        done += len(groups[number])
        progress(done, len(files))
        return outcomes

    alone = count < 2 or len(files) < _ALONE
    results = map(work, range(len(groups))) if alone else share(work, len(groups), count, _Group)
    for group in results:
        yield from group.outcomes


def run_test_file(path: Path) -> TestOutcome:
    """Run the tests of one file."""
    try:
        cases = [case for test in read_test_files(path) for case in _run(test)]
    except SpecError as error:
        return TestOutcome(str(path), [], Problem("input", error.message, error.at, error.hint))
    return TestOutcome(str(path), cases)


class _Loaded(NamedTuple):
    """A test's policies: compiled, or the names of those of kinds that this version does not run."""

    policies: list[Policy]
    foreign: dict[str, str]


def _run(test: TestFile) -> list[Case]:
    compiler = expression_compiler(ambient())
    exceptions = [document.body for _, document in read_bodies(test.exceptions)]
    resources, targets = _resources(test.resources), _resources(test.target_resources)
    kinds = None if test.values.subresources else frozenset(resource.id.kind for resource in resources)
    payloads = list(payloads_of(test))
    loaded = _load(test, exceptions, compiler, kinds)
    every = [*resources, *targets, *_resources((*test.cluster_resources, *test.clone_sources, *test.param_resources))]
    recorded = (test.api_answers, test.global_entries)
    world = RecordedWorld(every, *recorded, lambda text, value: compiler(text)(value), test.context)
    rules = without_pinning(rule for policy in loaded.policies for rule in policy.rules)
    share_evidence(rules)
    answers: dict[str, list[list[Answer]]] = {}
    for operation in {row.operation for row in test.rows}:
        asker = Asker(test.values, test.user, operation=operation or None)  # type: ignore[arg-type]  # as the row has it
        answers[operation] = [_answers(resource, rules, asker, world) for resource in resources]
        for kind, payload in payloads:
            asker = Asker(test.values, test.user, payload=kind)
            answers[operation].append(_answers(payload, rules, asker, world))
    judged = [*resources, *(payload for _, payload in payloads)]
    came = Came(judged, targets, answers, loaded.foreign, by_name(judged))
    return [case for row in test.rows for case in cases_of(test, row, came)]


def _load(
    test: TestFile, exceptions: list[JsonObject], compiler: Callable[[str], Any], kinds: frozenset[str] | None
) -> _Loaded:
    policies: list[Policy] = []
    foreign: dict[str, str] = {}
    admission: list[Document] = []
    for _, document in read_bodies(test.policies):
        body = document.body
        if not isinstance(body, dict):
            continue
        if is_admission_document(body):
            admission.append(document)
            continue
        if not is_policy(body) and not is_cel_policy(body):
            name = str((body.get("metadata") or {}).get("name"))
            foreign[name] = str(body.get("kind"))
            continue
        with locating(document):
            policy = compile_document(body, compiler, exceptions, kinds)
            for problem in policy.problems:
                raise problem
        policies.append(policy)
    return _Loaded([*policies, *_admission(admission)], foreign)


def _admission(given: list[Document]) -> tuple[Policy, ...]:
    if not given:
        return ()
    from bartizan.app.admission import compile_admission  # late: it brings CEL

    admission = compile_admission(given)
    for document, error in admission.problems:
        with locating(document):
            raise error
    return admission.policies


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


def payloads_of(test: TestFile) -> Iterator[tuple[Payload, Resource]]:
    """The payloads of a test, with what each is.

    Raises:
        SpecError: one is no object, or its file cannot be read.
    """
    for kind, name, path in test.payloads:
        for _, document in read_bodies((path,)):
            if not isinstance(document.body, dict):
                hint = "Write fields and their values."
                raise SpecError(f"the payload `{name}` is no object", at=document.lines.locate(""), hint=hint)
            yield kind, payload_from(document.body, name, lines=document.lines)


def _objects_in(body: JsonObject) -> list[JsonObject]:
    """The objects of a list, or of the peer's `ClusterResource`, which says what a cluster holds; else the one."""
    if body["kind"] == "ClusterResource":
        held = Fields(body).fields("spec").items("resources")
    elif str(body["kind"]).endswith("List") and isinstance(body.get("items"), list):
        held = body["items"]
    else:
        held = [body]
    return [item for item in held if isinstance(item, dict)]


def _answers(resource: Resource, rules: list[Rule], asker: Asker, world: RecordedWorld) -> list[Answer]:
    """What every rule says of a resource, in the order of admission."""
    steps = run_chain(rules, resource, asker.request_for, world, all_kinds=asker.has_parts)
    # a test compares the resource as the policy leaves it, whichever of its rules the row is about
    patched = {step.rule.info.id.policy: step.resource.body for step in steps if step.rule.does == "mutate"}
    return [_answer(step, patched) for step in steps]


def _answer(step: Step, patched: dict[str, JsonObject]) -> Answer:
    policy, rule = step.rule.info.id.policy, step.rule.info.id.rule
    deed = step.rule.does
    match step.outcome:
        case Passed(message, changes):
            body = patched.get(policy) if deed == "mutate" else None
            return Answer(policy, rule, "pass", message, "", deed, changes, body)
        case Failed(message):
            return Answer(policy, rule, "fail" if step.rule.info.scored else "warn", message, "", deed)
        case Skipped(because):
            return Answer(policy, rule, "skip", because, "", deed, (), patched.get(policy))
        case Broken(error):
            construct = error.removeprefix(UNSUPPORTED).partition("`")[0] if error.startswith(UNSUPPORTED) else ""
            return Answer(policy, rule, "error", error, construct, deed)
