"""Rows of a test against what came: the cases of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bartizan.app.policy_tests.cases import NOT_FOUND, Case, Said, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bartizan.app.policy_tests.cases import Answer
    from bartizan.app.policy_tests.files import Row, TestFile
    from bartizan.base.json import JsonObject
    from bartizan.model.change import Change
    from bartizan.model.resource import Resource, ResourceId


class Came(NamedTuple):
    """What a test's policies said of its resources, by the operation a row may name; empty is the usual one."""

    resources: Sequence[Resource]
    targets: Sequence[Resource]
    answers: Mapping[str, Sequence[Sequence[Answer]]]
    foreign: Mapping[str, str]
    """Names of policies that this version does not run, with their kinds."""
    named: Mapping[str, Sequence[int]]
    """Which resources a name means, with or without a namespace before it; see `by_name`."""


def by_name(resources: Sequence[Resource]) -> dict[str, list[int]]:
    """The resources that each name means: several, where kinds or namespaces share it."""
    found: dict[str, list[int]] = {}
    for index, resource in enumerate(resources):
        rid = resource.id
        for name in (rid.name, f"{rid.namespace}/{rid.name}"):
            found.setdefault(name, []).append(index)
    return found


def cases_of(test: TestFile, row: Row, came: Came) -> Iterator[Case]:
    """The cases of a row: for each resource it names, each rule that answered, or one for none."""
    answers = came.answers[row.operation]
    chosen: list[int] = []
    targets: list[int] = []
    missing: list[str] = []
    patched = [any(_is_change_of(change, target) for _, change in _changes(answers)) for target in came.targets]
    for name in row.resources:
        named = came.named.get(name, ())
        others = [index for index, target in enumerate(came.targets) if patched[index] and _is_named(target, name)]
        chosen += named
        targets += others
        missing += [] if named or others else [name]
    if not chosen and not targets:
        chosen, missing = list(range(len(came.resources))), []
        targets = [index for index, is_patched in enumerate(patched) if is_patched]
    for index in chosen:
        yield from _of_resource(test, row, came.resources[index], answers[index], came)
    for index in targets:
        yield from _of_target(test, row, came.targets[index], answers)
    for name in missing:
        fail = Verdict.FAILED
        yield Case(
            str(test.path), test.name, row.policy, row.rule, name, row.result, None, fail, fail, "no such resource"
        )


def _changes(answers: Sequence[Sequence[Answer]]) -> Iterator[tuple[Answer, Change]]:
    for said in answers:
        for answer in said:
            if answer.deed == "mutate":
                for change in answer.changes:
                    yield answer, change


def _is_change_of(change: Change, target: Resource) -> bool:
    return change.before is target.body


def _is_named(resource: Resource, name: str) -> bool:
    rid = resource.id
    return name in (rid.name, f"{rid.namespace}/{rid.name}")


def _of_resource(test: TestFile, row: Row, resource: Resource, answers: Sequence[Answer], came: Came) -> Iterator[Case]:
    matching = [answer for answer in answers if _is_row(answer, row)]
    if not matching:
        yield _unanswered(test, row, resource.id, came.foreign.get(row.policy, ""))
    for answer in matching:
        if answer.construct:
            yield _case(test, row, answer, resource.id, Verdict.UNSUPPORTED, answer.construct)
        elif answer.deed == "generate" and answer.changes:
            for change in answer.changes:
                one = answer._replace(patched=change.after)
                bare = not answer.rule and test.cluster_resources
                came_out = _without_annotations(change.after) if bare else change.after
                yield _compared(test, row, one, change.resource, _unlike(came_out, *row.generated))
        else:
            said = _unlike(answer.patched, row.patched)
            if row.wants_every_object or NOT_FOUND not in said:
                yield _compared(test, row, answer, resource.id, said)


def _of_target(test: TestFile, row: Row, target: Resource, answers: Sequence[Sequence[Answer]]) -> Iterator[Case]:
    """An object that was there already and a policy changed; the peer counts it whichever policy it was."""
    for answer, change in _changes(answers):
        if _is_change_of(change, target) and change.after is not None:
            said = _unlike(change.after, row.patched)
            yield _compared(test, row, answer._replace(patched=change.after), target.id, said)


def _unlike(came: JsonObject | None, *files: Path | None) -> str:
    """How an object differs from the one expected in files; empty where it does not, or nothing is expected."""
    named = [file for file in files if file is not None]
    if came is None or not named:
        return ""
    from bartizan.app.policy_tests.manifests import mismatch_any  # late: most rows expect a verdict only

    return mismatch_any(came, named)


def _without_annotations(body: JsonObject | None) -> JsonObject | None:
    """An object as the peer compares it that a policy in CEL generates, where a test says what the cluster holds."""
    metadata = (body or {}).get("metadata")
    if body is None or not isinstance(metadata, dict):
        return body
    return {**body, "metadata": {key: value for key, value in metadata.items() if key != "annotations"}}


def _is_row(answer: Answer, row: Row) -> bool:
    if answer.policy != row.policy and answer.policy.rpartition("/")[2] != row.policy.rpartition("/")[2]:
        return False
    # a policy that is one rule has no name for it, and then a row's counts for nothing
    if not row.rule or not answer.rule:
        return True
    return answer.rule in (row.rule, f"autogen-{row.rule}"[:63], f"autogen-cronjob-{row.rule}"[:63])


def _unanswered(test: TestFile, row: Row, rid: ResourceId, foreign: str) -> Case:
    compatible = Verdict.UNSUPPORTED if foreign else Verdict.PASSED
    strict = Verdict.UNSUPPORTED if foreign else Verdict.FAILED
    reason = foreign or "the rule gave no answer"
    name = _full_name(rid)
    return Case(str(test.path), test.name, row.policy, row.rule, name, row.result, None, compatible, strict, reason)


def _compared(test: TestFile, row: Row, answer: Answer, rid: ResourceId, unlike: str) -> Case:
    if unlike:
        return _case(test, row, answer, rid, Verdict.FAILED, unlike)
    if answer.result == row.result:
        return _case(test, row, answer, rid, Verdict.PASSED, "")
    said = f"expected {row.result}, got {answer.result}: {answer.message}"
    return _case(test, row, answer, rid, Verdict.FAILED, said)


def _case(test: TestFile, row: Row, answer: Answer, rid: ResourceId, verdict: Verdict, reason: str) -> Case:
    name = _full_name(rid)
    said = Said(answer.result, answer.message, answer.construct, answer.deed, answer.patched)
    return Case(str(test.path), test.name, row.policy, answer.rule, name, row.result, said, verdict, verdict, reason)


def _full_name(rid: ResourceId) -> str:
    return "/".join(part for part in (rid.kind, rid.namespace, rid.name) if part)
