"""Tests of policies: from what the author says, or from what the engine says now, for the author to review."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.policies import documents
from bartizan.app.policy_tests import Verdict
from bartizan.app.policy_tests.run import run_test_file
from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document
from bartizan.engines.policy.dialects.kyverno import is_policy
from bartizan.engines.policy.dialects.kyverno.cel.policy import is_cel_policy
from bartizan.model.report import Problem
from bartizan.model.resource import metadata_of
from bartizan.outputs.text import one_line
from bartizan.outputs.yaml import lines, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.app.policy_tests import Case
    from bartizan.base.json import JsonObject

_MADE: Final = ("patched-", "generated-")
_UNUSUAL: Final = re.compile(r"[^a-z0-9.-]+")
_GENERATED: Final = ("autogen-cronjob-", "autogen-")


class Expectation(NamedTuple):
    """One entry of `results`. `said` is what the rule said, for whoever reviews it."""

    policy: str
    rule: str
    kind: str
    resources: tuple[str, ...]
    result: str
    said: str = ""
    patched: str = ""
    """The file with the resource as the policy must leave it, or with the object that it must make."""
    field: str = "patchedResources"
    """The field that names that file."""


class TestWish(NamedTuple):
    """What a test is to name. Paths are as they were typed, from where the command runs."""

    name: str
    policies: tuple[Path, ...]
    resources: tuple[Path, ...]
    exceptions: tuple[Path, ...] = ()
    values: Path | None = None
    user: Path | None = None
    expected: tuple[Expectation, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    """Names and texts of files that stand beside the test: resources as policies must leave them."""


class Observed(NamedTuple):
    """A test with what came out, and what could not be pinned down by it."""

    wish: TestWish
    notes: tuple[str, ...]


def expectation(text: str, result: str) -> Expectation:
    """Read `policy,rule,resource[,namespace[,kind]]`.

    Raises:
        SpecError: a part is missing.
    """
    parts = [part.strip() for part in text.split(",")]
    if not 3 <= len(parts) <= 5 or not all(parts[:3]):
        hint = "Write `policy,rule,resource`, and after them the namespace and the kind."
        raise SpecError(f"no expectation: `{text}`", hint=hint)
    policy, rule, resource, namespace, kind = [*parts, "", ""][:5]
    name = f"{namespace}/{resource}" if namespace else resource
    return Expectation(policy, rule, kind or "Pod", (name,), result)


def sort_files(paths: Sequence[Path]) -> TestWish:
    """Find which of these files, and of those in these folders, hold policies, exceptions and resources.

    Raises:
        SpecError: one cannot be read, or there are no policies or no resources.
    """
    policies: dict[Path, None] = {}
    resources: dict[Path, None] = {}
    exceptions: dict[Path, None] = {}
    for item in documents(paths):
        if isinstance(item, Problem):
            raise SpecError(item.message, at=item.at, hint=item.hint)
        body = item.body
        if not isinstance(body, dict) or str(body.get("apiVersion", "")).startswith("cli.kyverno.io"):
            continue
        file = Path(item.lines.file)
        if file.name.startswith(_MADE) and file not in paths:
            continue  # what a test that was made here expects, and no resource to begin with
        if is_policy(body) or is_cel_policy(body) or is_admission_document(body):
            policies[file] = None
        elif body.get("kind") == "PolicyException":
            exceptions[file] = None
        elif "kind" in body:
            resources[file] = None
    for found, noun in ((policies, "policy"), (resources, "resource")):
        if not found:
            where = Location(", ".join(map(str, paths)))
            raise SpecError(f"no {noun} found", at=where, hint="Name the files of policies and of resources.")
    return TestWish("", tuple(policies), tuple(resources), tuple(exceptions))


def observe(wish: TestWish) -> Observed:
    """Run the policies on the resources, and expect what came out.

    Raises:
        SpecError: a policy or a file is malformed.
    """
    rules = list(_rules(wish.policies))
    asked = tuple(Expectation(policy, rule, "", (), "pass") for policy, rule in rules)
    cases = _run(wish._replace(expected=asked))
    made = {_expected_name(case): body for case in cases if (body := _expected_body(case)) is not None}
    beside = tuple((name, _text(body)) for name, body in made.items())
    wish = wish._replace(expected=_merged(cases), beside=beside)
    unstable = [case for case in _run(wish) if case.strict is not Verdict.PASSED]
    notes = {f"{case.policy}/{case.rule} on {case.resource}: {one_line(case.reason)}": None for case in unstable}
    return Observed(wish, tuple(notes))


def _rules(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for item in documents(paths):
        if isinstance(item, Problem):
            raise SpecError(item.message, at=item.at, hint=item.hint)
        if is_cel_policy(item.body) or is_admission_document(item.body):
            yield str(metadata_of(item.body).get("name")), ""  # one that is one rule has no name for it
        if not is_policy(item.body):
            continue
        metadata, spec = item.body.get("metadata"), item.body.get("spec")
        for rule in (spec.get("rules") if isinstance(spec, dict) else None) or ():
            if isinstance(metadata, dict) and isinstance(rule, dict):
                yield str(metadata.get("name")), str(rule.get("name"))


def _run(wish: TestWish) -> list[Case]:
    """The cases of a test that is not written yet: in a folder of its own, read as any other."""
    with tempfile.TemporaryDirectory(prefix="bartizan-") as folder:
        file = Path(folder) / "kyverno-test.yaml"
        file.write_text(create_test(wish, file.parent), encoding="utf-8")
        for name, text in wish.beside:
            (file.parent / name).write_text(text, encoding="utf-8")
        outcome = run_test_file(file)
    if outcome.problem is not None:
        raise SpecError(outcome.problem.message, at=outcome.problem.at, hint=outcome.problem.hint)
    return outcome.cases


def _merged(cases: Sequence[Case]) -> tuple[Expectation, ...]:
    """An entry for each rule, kind and result, with all resources it holds for."""
    found: dict[tuple[str, ...], Expectation] = {}
    for case in cases:
        if case.answer is None:
            continue
        kind, _, name = case.resource.partition("/")
        rule = _own_name(case.rule)
        patched = "" if _expected_body(case) is None else _expected_name(case)
        field = "generatedResource" if case.answer.deed == "generate" else "patchedResources"
        key = (case.policy, rule, kind, case.answer.result, patched)
        known = found.get(key)
        if known is None:
            said = case.answer.message
            found[key] = Expectation(case.policy, rule, kind, (name,), case.answer.result, said, patched, field)
        elif name not in known.resources:
            found[key] = known._replace(resources=(*known.resources, name))
    return tuple(found.values())


def _expected_body(case: Case) -> JsonObject | None:
    """What a rule made, of the resource or beside it, so that the test has to say what it must be."""
    return case.answer.made if case.answer is not None and case.answer.result == "pass" else None


def _expected_name(case: Case) -> str:
    """The name of the file with what a policy makes of a resource, whichever of its rules it was."""
    words = f"{case.policy}-{case.resource}".lower()
    prefix = _MADE[1] if case.answer and case.answer.deed == "generate" else _MADE[0]
    return f"{prefix}{_UNUSUAL.sub('-', words)}.yaml"


def _text(body: JsonObject) -> str:
    return "\n".join(lines(body)) + "\n"


def _own_name(rule: str) -> str:
    """The name of the rule that one for pod controllers was made from."""
    return next((rule.removeprefix(prefix) for prefix in _GENERATED if rule.startswith(prefix)), rule)


def create_test(wish: TestWish, folder: Path) -> str:
    """Write a test that stands in `folder`; its paths lead from there."""
    made = [
        "# What each rule must say of each resource. Run it with `bartizan test`.",
        "apiVersion: cli.kyverno.io/v1alpha1",
        "kind: Test",
        "metadata:",
        f"  name: {scalar(wish.name or 'policies')}",
    ]
    for name, paths in (
        ("policies", wish.policies or (Path("policy.yaml"),)),
        ("resources", wish.resources or (Path("resources.yaml"),)),
        ("exceptions", wish.exceptions),
    ):
        if paths:
            made += [f"{name}:", *(f"- {scalar(_from(folder, path))}" for path in paths)]
    if wish.values:
        made.append(f"variables: {scalar(_from(folder, wish.values))}")
    if wish.user:
        made.append(f"userInfo: {scalar(_from(folder, wish.user))}")
    made.append(
        "results:" if wish.expected else "results: []  # - {policy: …, rule: …, kind: …, resources: […], result: pass}"
    )
    for item in wish.expected:
        made += _entry(item)
    return "\n".join(made) + "\n"


def _entry(item: Expectation) -> Iterator[str]:
    yield f"- policy: {scalar(item.policy)}"
    if item.rule:
        yield f"  rule: {scalar(item.rule)}"
    if item.kind:
        yield f"  kind: {scalar(item.kind)}"
    if item.resources:
        yield "  resources:"
        yield from (f"  - {scalar(name)}" for name in item.resources)
    if item.patched:
        yield f"  {item.field}: {scalar(item.patched)}"
    note = f"  # {one_line(item.said)[:120]}" if item.said else ""
    yield f"  result: {item.result}{note}"


def _from(folder: Path, path: Path) -> str:
    return os.path.relpath(path.absolute(), folder.absolute())
