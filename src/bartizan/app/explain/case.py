"""Why a case of a policy test ended as it did, in a few lines: for `bartizan test --explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bartizan.app.ambient import ambient
from bartizan.app.asking import Asker
from bartizan.app.explain.explain import Explained, Source, explain_one
from bartizan.app.explain.watched import is_explained
from bartizan.app.fields import Fields
from bartizan.app.policy_tests.files import read_bodies, read_test_files
from bartizan.app.policy_tests.run import payloads_of
from bartizan.app.policy_tests.world import RecordedWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.model.finding import RuleId
from bartizan.model.resource import resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.app.policy_tests.cases import Case
    from bartizan.app.policy_tests.files import TestFile
    from bartizan.model.resource import Resource
    from bartizan.sources.yaml import Document

_MOST: Final = 3


def explain_case(case: Case) -> list[str]:
    """What decided, a line each, with the places in both files; empty where the case cannot be run again.

    The rule is asked about the resource as the test's file has it: what
    mutating rules before it have changed is not in it.
    """
    found = explained_case(case)
    if found is None:
        return []
    reasons = list(dict.fromkeys(node.note for node in found.root.deciding))[:_MOST]
    places = (("policy", found.in_policy), ("resource", found.in_resource))
    shown = [f"--> {quoted.at} ({what}): {quoted.text.strip()}" for what, quoted in places if quoted is not None]
    return [*(f"because {reason}" for reason in reasons), *shown]


def explained_case(case: Case) -> Explained | None:
    """The whole explanation of a case; `None` where its test, policy, rule or resource is not to be found."""
    try:
        test = next((item for item in read_test_files(Path(case.file)) if item.name == case.test), None)
        return None if test is None else _explained(case, test)
    except SpecError:
        return None  # the run of the test has said what is wrong with its files


def _explained(case: Case, test: TestFile) -> Explained | None:
    resources = list(_resources((*test.resources, *test.cluster_resources)))
    payloads = {item.id.name: (kind, item) for kind, item in payloads_of(test)}
    found = payloads.get(case.resource)
    resource = found[1] if found else next((item for item in resources if case.resource in _names(item)), None)
    policy = next((item for item in _policies(test) if case.policy in _policy_names(item)), None)
    if resource is None or policy is None:
        return None
    compiler = expression_compiler(ambient())
    recorded = (test.api_answers, test.global_entries)
    every = [*resources, *_resources((*test.target_resources, *test.clone_sources))]
    world = RecordedWorld(every, *recorded, lambda text, value: compiler(text)(value), test.context)
    exceptions = [document.body for _, document in read_bodies(test.exceptions)]
    asker = Asker(test.values, test.user, payload=found[0] if found else "")
    bindings = tuple(item.body for item in _policies(test) if str(item.body.get("kind")).endswith("Binding"))
    request = asker.request(RuleId(case.policy, case.rule), resource)
    source = Source(policy.body, policy.lines, bindings)
    return explain_one(source, case.rule, request, world, exceptions=exceptions, all_kinds=asker.has_parts)


def _policies(test: TestFile) -> Iterator[Document]:
    return (
        document
        for _, document in read_bodies(test.policies)
        if is_explained(document.body) or is_admission_document(document.body)
    )


def _policy_names(document: Document) -> tuple[str, str]:
    metadata = document.body.get("metadata") or {}
    name = str(metadata.get("name"))
    return name, f"{metadata.get('namespace') or 'default'}/{name}"


def _resources(paths: tuple[Path, ...]) -> Iterator[Resource]:
    for file, document in read_bodies(paths):
        body = document.body
        if not isinstance(body, dict) or "kind" not in body:
            continue
        items = [body]
        if body["kind"] == "ClusterResource":
            items = Fields(body).fields("spec").items("resources")
        elif str(body["kind"]).endswith("List") and isinstance(body.get("items"), list):
            items = body["items"]
        for item in items:
            if isinstance(item, dict):
                yield in_default_namespace(resource_from(item, source=str(file), lines=document.lines))


def _names(resource: Resource) -> tuple[str, ...]:
    """How a case may name its resource."""
    rid = resource.id
    return "/".join(part for part in (rid.kind, rid.namespace, rid.name) if part), rid.name
